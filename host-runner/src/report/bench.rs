//! What `bench` measured.

use std::io::{self, Write};

use super::human::plain;
use crate::bench::Statistics;
use crate::commands::bench::BenchReport;

/// How measurements are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum BenchFormat {
    /// For people.
    #[default]
    Human,
    /// For programs: one document, times in nanoseconds.
    Json,
}

/// Writes what was measured.
///
/// # Errors
///
/// When `out` cannot be written to.
pub fn write_bench(report: &BenchReport, format: BenchFormat, out: &mut dyn Write) -> io::Result<()> {
    match format {
        BenchFormat::Json => {
            serde_json::to_writer(&mut *out, report)?;
            writeln!(out)
        }
        BenchFormat::Human => write_human(report, out),
    }
}

fn write_human(report: &BenchReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}, after warming up for {} s each", report.request, report.warm_up)?;
    for policy in &report.policies {
        let verdict = if policy.allowed { "accepted" } else { "rejected" };
        writeln!(out, "{} ({verdict})", plain(&policy.policy))?;
        writeln!(out, "  {:<26}{:>11}{:>11}{:>11}{:>12}{:>10}", "", "median", "p95", "mean", "per second", "samples")?;
        if let Some(settings) = &policy.validate_settings {
            write_row("validate_settings, reused", settings, out)?;
        }
        if let Some(reused) = &policy.reused {
            write_row("validate, reused instance", reused, out)?;
        }
        write_row("validate, fresh instance", &policy.fresh, out)?;
    }
    if let Some(all) = &report.all {
        writeln!(out, "all {} policies, one after the other", report.policies.len())?;
        write_row("validate, fresh instances", all, out)?;
    }
    Ok(())
}

fn write_row(name: &str, statistics: &Statistics, out: &mut dyn Write) -> io::Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let time = |nanoseconds: u64| duration(nanoseconds as f64);
    writeln!(
        out,
        "  {name:<26}{:>11}{:>11}{:>11}{:>12.0}{:>10}",
        time(statistics.median),
        time(statistics.p95),
        duration(statistics.mean),
        statistics.per_second,
        statistics.samples
    )
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        small if small < 1e6 => format!("{:.2} µs", small / 1e3),
        middle if middle < 1e9 => format!("{:.2} ms", middle / 1e6),
        large => format!("{:.2} s", large / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn times_have_units() {
        for (nanoseconds, expected) in [(1.0, "0.00 µs"), (10_123.0, "10.12 µs"), (1.5e6, "1.50 ms"), (2e9, "2.00 s")]
        {
            assert_eq!(duration(nanoseconds), expected);
        }
    }
}
