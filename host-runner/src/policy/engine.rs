//! The wasmtime engine: pooled instances, a deadline, a memory limit.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use wasmtime::{Cache, CacheConfig, Config, Enabled, InstanceAllocationStrategy, Linker, PoolingAllocationConfig};

use super::error::LoadError;
use super::guest::Guest;
use super::{program, wapc, wasi};

/// How long the clock of deadlines takes for one tick. A deadline is kept to within one or two of them.
const TICK: Duration = Duration::from_millis(10);

/// What an evaluation may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time for each call into the guest.
    pub deadline: Duration,
    /// Linear memory, in bytes.
    pub memory: usize,
}

impl Default for Limits {
    /// 5 seconds and 256 MiB. policy-server gives 2 seconds; a shared CI machine gets some more.
    fn default() -> Self {
        Limits { deadline: Duration::from_secs(5), memory: 256 << 20 }
    }
}

impl Limits {
    /// The deadline in ticks of the engine's clock. One more than the division says, as the first tick may be
    /// about to end.
    pub(super) fn ticks(&self) -> u64 {
        u64::try_from(self.deadline.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// Compiles and runs policies. Cheap to clone, all clones are one engine.
#[derive(Clone)]
pub struct Engine {
    pub(super) wasmtime: wasmtime::Engine,
    pub(super) linker: Arc<Linker<Guest>>,
    _ticker: Arc<Ticker>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Engine")
    }
}

impl Engine {
    /// An engine that keeps compiled code in `cache`, if given.
    ///
    /// # Errors
    ///
    /// When wasmtime cannot be set up on this machine.
    pub fn new(cache: Option<PathBuf>) -> Result<Self, LoadError> {
        // Pools reserve address space, which a container may not have: then instances are made one by one.
        let wasmtime = wasmtime::Engine::new(&config(cache.clone(), true))
            .or_else(|_| wasmtime::Engine::new(&config(cache, false)))
            .map_err(LoadError::Engine)?;
        let mut linker = Linker::new(&wasmtime);
        wapc::add_to(&mut linker).map_err(LoadError::Engine)?;
        wasi::add_to(&mut linker).map_err(LoadError::Engine)?;
        program::add_to(&mut linker).map_err(LoadError::Engine)?;
        let ticker = Arc::new(Ticker::start(wasmtime.clone()));
        Ok(Engine { wasmtime, linker: Arc::new(linker), _ticker: ticker })
    }
}

fn config(cache: Option<PathBuf>, pooled: bool) -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.memory_init_cow(true);
    if pooled {
        let mut pool = PoolingAllocationConfig::default();
        // Go's compilers make large function tables.
        pool.table_elements(200_000);
        pool.total_core_instances(256);
        pool.total_memories(256);
        pool.total_tables(256);
        // Between two evaluations only the pages that were written to are reset, in place: asking the kernel for
        // fresh ones costs more than a whole evaluation. Linux 6.7 tells which they are; before, the first 2 MiB
        // are reset, which is more than a policy of this project ever has.
        pool.linear_memory_keep_resident(2 << 20);
        pool.table_keep_resident(64 << 10);
        pool.pagemap_scan(Enabled::Auto);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    if let Some(folder) = cache {
        let mut cache = CacheConfig::new();
        cache.with_directory(folder);
        // A cache that cannot be used costs time, nothing else.
        config.cache(Cache::new(cache).ok());
    }
    config
}

/// Moves the engine's clock until the last clone of the engine is gone.
struct Ticker {
    stopped: Arc<AtomicBool>,
}

impl Ticker {
    fn start(engine: wasmtime::Engine) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let seen = stopped.clone();
        let engine = engine.weak();
        thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                thread::sleep(TICK);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => break,
                }
            }
        });
        Ticker { stopped }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}
