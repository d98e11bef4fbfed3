//! Samples to numbers. Pure.

use std::time::Duration;

use serde::Serialize;

/// What samples come to. All times are nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// How many there are.
    pub samples: usize,
    /// The shortest.
    pub min: u64,
    /// Half of them are shorter.
    pub median: u64,
    /// The mean.
    pub mean: f64,
    /// 95 of 100 are shorter.
    pub p95: u64,
    /// The longest.
    pub max: u64,
    /// How many there are in a second, one after the other.
    pub per_second: f64,
}

impl Statistics {
    /// The statistics of these samples; `None` without any.
    pub fn of(mut samples: Vec<Duration>) -> Option<Self> {
        samples.sort_unstable();
        let nanoseconds = |sample: Duration| u64::try_from(sample.as_nanos()).unwrap_or(u64::MAX);
        let total: Duration = samples.iter().sum();
        let (first, last) = (*samples.first()?, *samples.last()?);
        #[expect(clippy::cast_precision_loss, reason = "nobody takes 2^52 samples")]
        let count = samples.len() as f64;
        Some(Statistics {
            samples: samples.len(),
            min: nanoseconds(first),
            median: nanoseconds(percentile(&samples, 50)),
            mean: total.as_secs_f64() * 1e9 / count,
            p95: nanoseconds(percentile(&samples, 95)),
            max: nanoseconds(last),
            per_second: count / total.as_secs_f64().max(1e-9),
        })
    }
}

/// The smallest sample that at least so many of 100 do not exceed (the nearest-rank method). `sorted` is not empty.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(nanoseconds: &[u64]) -> Option<Statistics> {
        Statistics::of(nanoseconds.iter().copied().map(Duration::from_nanos).collect())
    }

    #[test]
    fn samples_come_to_numbers() {
        let samples: Vec<u64> = (1..=100).rev().collect();
        let statistics = of(&samples).expect("samples");
        assert_eq!((statistics.min, statistics.median, statistics.p95, statistics.max), (1, 50, 95, 100));
        assert!((statistics.mean - 50.5).abs() < 1e-6);
        assert!((statistics.per_second - 1e9 / 50.5).abs() < 1.0);
    }

    #[test]
    fn a_few_samples_are_enough() {
        let one = of(&[7]).expect("a sample");
        assert_eq!((one.min, one.median, one.p95, one.max, one.samples), (7, 7, 7, 7, 1));
        let two = of(&[9, 7]).expect("samples");
        assert_eq!((two.median, two.p95), (7, 9));
        assert_eq!(of(&[]), None);
    }
}
