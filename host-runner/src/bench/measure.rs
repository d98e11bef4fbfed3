//! Warm-up and samples.

use std::time::{Duration, Instant};

use super::Statistics;

/// How long to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Before the first sample.
    pub warm_up: Duration,
    /// For the samples; at least one is taken.
    pub measurement: Duration,
    /// The most samples.
    pub samples: usize,
}

/// Times a call again and again.
///
/// # Errors
///
/// The first that the call gives: what fails is not measured.
pub fn measure<E>(timing: Timing, mut call: impl FnMut() -> Result<(), E>) -> Result<Statistics, E> {
    let begin = Instant::now();
    while begin.elapsed() < timing.warm_up {
        call()?;
    }
    let mut samples = Vec::new();
    let begin = Instant::now();
    loop {
        let before = Instant::now();
        call()?;
        samples.push(before.elapsed());
        if samples.len() >= timing.samples.max(1) || begin.elapsed() >= timing.measurement {
            break;
        }
    }
    Ok(Statistics::of(samples).unwrap_or(Statistics {
        samples: 0,
        min: 0,
        median: 0,
        mean: 0.0,
        p95: 0,
        max: 0,
        per_second: 0.0,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted() {
        let mut calls = 0;
        let timing = Timing { warm_up: Duration::ZERO, measurement: Duration::from_secs(60), samples: 10 };
        let statistics = measure(timing, || {
            calls += 1;
            Ok::<_, ()>(())
        });
        assert_eq!((calls, statistics.expect("no failure").samples), (10, 10));
        let timing = Timing { measurement: Duration::ZERO, ..timing };
        assert_eq!(measure(timing, || Ok::<_, ()>(())).expect("no failure").samples, 1);
    }

    #[test]
    fn what_fails_is_not_measured() {
        let timing = Timing { warm_up: Duration::ZERO, measurement: Duration::from_secs(60), samples: 10 };
        assert_eq!(measure(timing, || Err("no")), Err("no"));
    }
}
