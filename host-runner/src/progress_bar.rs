//! A bar on stderr, for work that takes long.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use host_runner::commands::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done sooner shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that appears after a while, and only on a terminal. It is gone when the value is.
pub(crate) struct LateBar {
    began: Instant,
    bar: ProgressBar,
    shown: OnceLock<()>,
}

impl LateBar {
    pub(crate) fn new() -> Self {
        LateBar { began: Instant::now(), bar: ProgressBar::hidden(), shown: OnceLock::new() }
    }
}

impl Progress for LateBar {
    fn started(&self, total: usize) {
        self.bar.set_length(total as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {eta} left") {
            self.bar.set_style(style);
        }
    }

    fn advanced(&self) {
        self.bar.inc(1);
        if self.began.elapsed() > PATIENCE && io::stderr().is_terminal() {
            self.shown.get_or_init(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
    }
}

impl Drop for LateBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
