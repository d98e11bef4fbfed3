//! A bar on stderr, for work that takes long.

use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use host_runner::commands::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done sooner shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a bar moves, if nothing else does.
const TICK: Duration = Duration::from_millis(200);

/// A bar that appears after a while, and only on a terminal. It is gone when the value is.
pub(crate) struct LateBar {
    bar: ProgressBar,
    /// Waits in front of the bar; ends when the sender is gone.
    waiting: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl LateBar {
    pub(crate) fn new() -> Self {
        LateBar { bar: ProgressBar::hidden(), waiting: Mutex::new(None) }
    }
}

impl Progress for LateBar {
    fn started(&self, total: usize) {
        self.bar.set_length(total as u64);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:40} {pos}/{len} {eta} left") {
            self.bar.set_style(style);
        }
        if !io::stderr().is_terminal() {
            return;
        }
        let (done, is_done) = mpsc::channel();
        let bar = self.bar.clone();
        let waiting = thread::spawn(move || {
            if is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(TICK);
            }
        });
        if let Ok(mut place) = self.waiting.lock() {
            *place = Some((done, waiting));
        }
    }

    fn advanced(&self) {
        self.bar.inc(1);
    }
}

impl Drop for LateBar {
    fn drop(&mut self) {
        let waiting = self.waiting.lock().ok().and_then(|mut place| place.take());
        if let Some((done, waiting)) = waiting {
            drop(done);
            // It has nothing to say but that it is over.
            let _ = waiting.join();
        }
        self.bar.finish_and_clear();
    }
}
