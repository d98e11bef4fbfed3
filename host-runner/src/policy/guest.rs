//! What the host keeps for one instance of a policy.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime::{Caller, Memory, ResourceLimiter};

use super::engine::Limits;
use super::output::Output;
use crate::capabilities::HostCapabilities;

/// How long a policy may wait for the network, beside its own time. A policy that asks for ever is ended all the same.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// The data of a store: one call at a time.
pub(super) struct Guest {
    pub(super) operation: &'static str,
    pub(super) message: Vec<u8>,
    pub(super) response: Option<Vec<u8>>,
    pub(super) error: Option<String>,
    pub(super) host_response: Vec<u8>,
    pub(super) host_error: String,
    pub(super) memory: Option<Memory>,
    pub(super) capabilities: Arc<dyn HostCapabilities>,
    /// What could not be answered, each once.
    pub(super) unanswered: Vec<String>,
    pub(super) limits: Limits,
    pub(super) output: Output,
    /// What a WASI program is run with; waPC guests have none of it.
    pub(super) program: Program,
    began: Instant,
    waited: Duration,
}

/// Arguments and streams of a WASI program.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) arguments: &'static [&'static str],
    pub(super) stdin: Vec<u8>,
    /// How much of stdin has been read.
    pub(super) read: usize,
    /// Where stdout goes, if it is the answer and not only output.
    pub(super) stdout: Option<Vec<u8>>,
}

impl Guest {
    pub(super) fn new(capabilities: Arc<dyn HostCapabilities>, limits: Limits) -> Self {
        Guest {
            operation: "",
            message: Vec::new(),
            response: None,
            error: None,
            host_response: Vec::new(),
            host_error: String::new(),
            memory: None,
            capabilities,
            unanswered: Vec::new(),
            limits,
            output: Output::default(),
            program: Program::default(),
            began: Instant::now(),
            waited: Duration::ZERO,
        }
    }

    /// Begins another call; nothing of the one before is left but what could not be answered, until somebody takes it:
    /// it may have been asked while the module was initialised.
    pub(super) fn begin(&mut self, operation: &'static str, message: Vec<u8>) {
        self.operation = operation;
        self.message = message;
        self.response = None;
        self.error = None;
        self.host_response.clear();
        self.host_error.clear();
        self.output.clear();
        self.began = Instant::now();
        self.waited = Duration::ZERO;
    }

    /// Notes that the network was waited for since then, and gives the ticks that are left. In a cluster that time
    /// counts; but there the registry is near and its answers are remembered, and on a laptop neither is so.
    pub(super) fn ticks_after_wait(&mut self, since: Instant) -> u64 {
        self.waited = LONGEST_WAIT.min(self.waited + since.elapsed());
        let used = self.began.elapsed().saturating_sub(self.waited);
        match self.limits.deadline.saturating_sub(used) {
            // A tick more each time would be time without end.
            Duration::ZERO => 0,
            deadline => Limits { deadline, ..self.limits }.ticks(),
        }
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z, by the world's clock if it has one.
    pub(super) fn now(&self) -> u64 {
        match self.capabilities.now() {
            Some(seconds) => u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000_000),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)),
        }
    }
}

/// The guest wanted more memory than it may have.
#[derive(Debug, thiserror::Error)]
#[error("memory limit")]
pub(super) struct MemoryDenied;

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.limits.memory { Err(wasmtime::Error::new(MemoryDenied)) } else { Ok(true) }
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= 1_000_000)
    }
}

/// A pointer from the guest that points nowhere.
#[derive(Debug, thiserror::Error)]
#[error("the guest gave an address outside its memory")]
struct OutOfBounds;

fn memory(caller: &mut Caller<'_, Guest>) -> wasmtime::Result<Memory> {
    match caller.data().memory {
        Some(memory) => Ok(memory),
        // Only while a start function runs.
        None => caller
            .get_export("memory")
            .and_then(wasmtime::Extern::into_memory)
            .ok_or_else(|| wasmtime::Error::new(OutOfBounds)),
    }
}

fn range(pointer: i32, length: usize) -> std::ops::Range<usize> {
    // Addresses are unsigned on the wire.
    let start = pointer.cast_unsigned() as usize;
    start..start.saturating_add(length)
}

/// A copy of guest memory.
pub(super) fn read(caller: &mut Caller<'_, Guest>, pointer: i32, length: i32) -> wasmtime::Result<Vec<u8>> {
    let memory = memory(caller)?;
    let bytes = memory.data(&*caller).get(range(pointer, length.cast_unsigned() as usize));
    bytes.map(<[u8]>::to_vec).ok_or_else(|| wasmtime::Error::new(OutOfBounds))
}

/// The same as text, which Kubewarden's host insists on too.
pub(super) fn read_text(caller: &mut Caller<'_, Guest>, pointer: i32, length: i32) -> wasmtime::Result<String> {
    String::from_utf8(read(caller, pointer, length)?).map_err(wasmtime::Error::new)
}

/// Writes into guest memory.
pub(super) fn write(caller: &mut Caller<'_, Guest>, pointer: i32, bytes: &[u8]) -> wasmtime::Result<()> {
    let memory = memory(caller)?;
    let place = memory.data_mut(caller).get_mut(range(pointer, bytes.len()));
    place.ok_or_else(|| wasmtime::Error::new(OutOfBounds))?.copy_from_slice(bytes);
    Ok(())
}

/// Writes what the store's data holds into guest memory, without a copy in between.
pub(super) fn write_from(
    caller: &mut Caller<'_, Guest>,
    pointer: i32,
    bytes: impl FnOnce(&Guest) -> &[u8],
) -> wasmtime::Result<()> {
    let memory = memory(caller)?;
    let (data, guest) = memory.data_and_store_mut(caller);
    let bytes = bytes(guest);
    data.get_mut(range(pointer, bytes.len())).ok_or_else(|| wasmtime::Error::new(OutOfBounds))?.copy_from_slice(bytes);
    Ok(())
}
