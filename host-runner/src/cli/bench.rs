//! The flags of `bench`. Those that kwctl has are as there.

use std::time::Duration;

use clap::Args;
use host_runner::bench::Timing;
use host_runner::commands::bench::BenchOptions;
use host_runner::report::BenchFormat;

use super::LimitArgs;
use super::run::SubjectArgs;

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// As for run. Without one, the whole bundle; --settings-path is then a map from policy name to settings.
    #[arg(value_name = "POLICY")]
    policy: Option<String>,
    #[command(flatten)]
    subject: SubjectArgs,
    /// How long to warm up before each measurement.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    warm_up_time: f64,
    /// How long to measure.
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    measurement_time: f64,
    /// The most samples of each measurement.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    num_samples: usize,
    /// kwctl's, whose statistics are of another kind.
    #[arg(long, value_name = "N", hide = true)]
    num_resamples: Option<usize>,
    /// kwctl's, in whose place is -o json.
    #[arg(long, value_name = "VALUE", hide = true, num_args = 0..=1)]
    dump_results_to_disk: Option<Option<String>>,
    /// How to show the times.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: BenchFormat,
    #[command(flatten)]
    limits: LimitArgs,
}

impl BenchArgs {
    /// What was typed, as what it means.
    pub(crate) fn into_options(self) -> Result<BenchOptions, String> {
        let seconds = |flag: &str, value: f64| {
            Duration::try_from_secs_f64(value).map_err(|_| format!("{flag} {value}: give a number of seconds"))
        };
        let timing = Timing {
            warm_up: seconds("--warm-up-time", self.warm_up_time)?,
            measurement: seconds("--measurement-time", self.measurement_time)?,
            samples: self.num_samples,
        };
        Ok(BenchOptions { run: self.subject.into_options(self.policy.unwrap_or_default(), &self.limits)?, timing })
    }
}
