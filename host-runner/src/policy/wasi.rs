//! WASI preview 1, as little of it as a policy needs: no environment, no files; arguments and stdin only for programs.
//!
//! All 46 functions are there, since a guest with an import that nobody defines does not instantiate. What a
//! guest writes is kept, and never reaches the host's own stdout.

use std::thread;
use std::time::Duration;

use wasmtime::{Caller, FuncType, Linker, Result, Val, ValType};

use super::guest::{Guest, read, write, write_from};
use super::host_calls::{LONGEST_MESSAGE, check_length};
use super::wapc::wire_length;

const MODULE: &str = "wasi_snapshot_preview1";

/// `errno` of the WASI preview 1 witx.
const SUCCESS: i32 = 0;
const EBADF: i32 = 8;
const EINVAL: i32 = 28;
const ENOENT: i32 = 44;
const ENOSYS: i32 = 52;

/// The functions that always answer the same: name, parameters (`i` for i32, `I` for i64), errno.
///
/// Descriptors 0 to 2 are streams, and there is no other: what asks about files gets EBADF, and EBADF from
/// `fd_prestat_get` is how a guest learns that it has no folders. Paths are relative to a folder.
const FIXED: &[(&str, &str, i32)] = &[
    ("environ_get", "ii", SUCCESS),
    ("fd_advise", "iIIi", EBADF),
    ("fd_allocate", "iII", EBADF),
    ("fd_close", "i", SUCCESS),
    ("fd_datasync", "i", EBADF),
    ("fd_fdstat_set_flags", "ii", SUCCESS),
    ("fd_fdstat_set_rights", "iII", EBADF),
    ("fd_filestat_get", "ii", EBADF),
    ("fd_filestat_set_size", "iI", EBADF),
    ("fd_filestat_set_times", "iIIi", EBADF),
    ("fd_pread", "iiiIi", EBADF),
    ("fd_prestat_get", "ii", EBADF),
    ("fd_prestat_dir_name", "iii", EBADF),
    ("fd_pwrite", "iiiIi", EBADF),
    ("fd_readdir", "iiiIi", EBADF),
    ("fd_renumber", "ii", EBADF),
    ("fd_seek", "iIii", EBADF),
    ("fd_sync", "i", EBADF),
    ("fd_tell", "ii", EBADF),
    ("path_create_directory", "iii", ENOENT),
    ("path_filestat_get", "iiiii", ENOENT),
    ("path_filestat_set_times", "iiiiIIi", ENOENT),
    ("path_link", "iiiiiii", ENOENT),
    ("path_open", "iiiiiIIii", ENOENT),
    ("path_readlink", "iiiiii", ENOENT),
    ("path_remove_directory", "iii", ENOENT),
    ("path_rename", "iiiiii", ENOENT),
    ("path_symlink", "iiiii", ENOENT),
    ("path_unlink_file", "iii", ENOENT),
    ("proc_raise", "i", ENOSYS),
    ("sched_yield", "", SUCCESS),
    ("sock_accept", "iii", ENOSYS),
    ("sock_recv", "iiiiii", ENOSYS),
    ("sock_send", "iiiii", ENOSYS),
    ("sock_shutdown", "ii", ENOSYS),
];

/// POSIX' IOV_MAX. The host's own work is not interrupted by the deadline, so a guest may not ask for much of it.
const MOST_VECTORS: i32 = 1024;

/// The guest called `proc_exit`.
#[derive(Debug, thiserror::Error)]
#[error("exit status {0}")]
pub(super) struct ProcExit(pub(super) i32);

/// Defines the imports.
pub(super) fn add_to(linker: &mut Linker<Guest>) -> Result<()> {
    for (name, parameters, errno) in FIXED {
        let parameters = parameters.chars().map(|letter| if letter == 'I' { ValType::I64 } else { ValType::I32 });
        let signature = FuncType::new(linker.engine(), parameters, [ValType::I32]);
        linker.func_new(MODULE, name, signature, |_, _, results| {
            results[0] = Val::I32(*errno);
            Ok(())
        })?;
    }
    linker.func_wrap(MODULE, "args_sizes_get", args_sizes_get)?;
    linker.func_wrap(MODULE, "args_get", args_get)?;
    linker.func_wrap(MODULE, "environ_sizes_get", nothing_to_size)?;
    linker.func_wrap(MODULE, "clock_res_get", |mut caller: Caller<'_, Guest>, _: i32, result: i32| {
        write(&mut caller, result, &1_000_u64.to_le_bytes())?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(MODULE, "clock_time_get", |mut caller: Caller<'_, Guest>, _: i32, _: i64, result: i32| {
        let now = caller.data().now();
        write(&mut caller, result, &now.to_le_bytes())?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(MODULE, "fd_fdstat_get", |mut caller: Caller<'_, Guest>, fd: i32, result: i32| {
        if !(0..=2).contains(&fd) {
            return Ok(EBADF);
        }
        // fdstat: a character device without flags, that may do everything.
        let mut stat = [0_u8; 24];
        stat[0] = 2;
        stat[8..].fill(0xff);
        write(&mut caller, result, &stat)?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(MODULE, "fd_read", fd_read)?;
    linker.func_wrap(MODULE, "fd_write", fd_write)?;
    linker.func_wrap(MODULE, "random_get", |mut caller: Caller<'_, Guest>, pointer: i32, length: i32| {
        // Read first, so that a length beyond the memory is caught before anything that long is made.
        let mut bytes = read(&mut caller, pointer, length)?;
        if getrandom::fill(&mut bytes).is_err() {
            return Ok(ENOSYS);
        }
        write(&mut caller, pointer, &bytes)?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(MODULE, "poll_oneoff", poll_oneoff)?;
    linker
        .func_wrap(MODULE, "proc_exit", |status: i32| -> Result<()> { Err(wasmtime::Error::new(ProcExit(status))) })?;
    Ok(())
}

fn nothing_to_size(mut caller: Caller<'_, Guest>, count: i32, size: i32) -> Result<i32> {
    write(&mut caller, count, &[0; 4])?;
    write(&mut caller, size, &[0; 4])?;
    Ok(SUCCESS)
}

/// How many arguments there are, and how many bytes they take, each ended by a zero.
fn args_sizes_get(mut caller: Caller<'_, Guest>, count: i32, size: i32) -> Result<i32> {
    let arguments = caller.data().program.arguments;
    let bytes: usize = arguments.iter().map(|argument| argument.len() + 1).sum();
    write(&mut caller, count, &word_of(arguments.len()))?;
    write(&mut caller, size, &word_of(bytes))?;
    Ok(SUCCESS)
}

fn args_get(mut caller: Caller<'_, Guest>, pointers: i32, buffer: i32) -> Result<i32> {
    let (mut table, mut bytes) = (Vec::new(), Vec::new());
    for argument in caller.data().program.arguments {
        table.extend(buffer.wrapping_add(wire_length(bytes.len())).to_le_bytes());
        bytes.extend(argument.as_bytes());
        bytes.push(0);
    }
    write(&mut caller, pointers, &table)?;
    write(&mut caller, buffer, &bytes)?;
    Ok(SUCCESS)
}

/// Reads stdin, which is the guest's own and never the host's. At its end nothing is read.
fn fd_read(mut caller: Caller<'_, Guest>, fd: i32, vectors: i32, count: i32, result: i32) -> Result<i32> {
    if fd != 0 {
        return Ok(EBADF);
    }
    if !(0..=MOST_VECTORS).contains(&count) {
        return Ok(EINVAL);
    }
    let mut read_in_all = 0_u32;
    for vector in read(&mut caller, vectors, count.saturating_mul(8))?.chunks_exact(8) {
        let (pointer, length) = (word(vector, 0), word(vector, 4).cast_unsigned());
        let program = &mut caller.data_mut().program;
        let rest = program.stdin.len().saturating_sub(program.read);
        let taken = rest.min(length as usize);
        let start = program.read;
        program.read += taken;
        write_from(&mut caller, pointer, |guest| &guest.program.stdin[start..start + taken])?;
        read_in_all = read_in_all.saturating_add(u32::try_from(taken).unwrap_or(u32::MAX));
    }
    write(&mut caller, result, &read_in_all.to_le_bytes())?;
    Ok(SUCCESS)
}

fn fd_write(mut caller: Caller<'_, Guest>, fd: i32, vectors: i32, count: i32, result: i32) -> Result<i32> {
    if fd != 1 && fd != 2 {
        return Ok(EBADF);
    }
    if !(0..=MOST_VECTORS).contains(&count) {
        return Ok(EINVAL);
    }
    let mut written = 0_u32;
    let table = read(&mut caller, vectors, count.saturating_mul(8))?;
    for vector in table.chunks_exact(8) {
        let (pointer, length) = (word(vector, 0), word(vector, 4));
        let is_answer = fd == 1 && caller.data().program.stdout.is_some();
        // What is beyond this is not kept anyway.
        let kept = if is_answer { length } else { length.cast_unsigned().min(64 << 10).cast_signed() };
        let bytes = read(&mut caller, pointer, kept)?;
        written = written.saturating_add(length.cast_unsigned());
        let guest = caller.data_mut();
        match &mut guest.program.stdout {
            Some(answer) if is_answer => {
                check_length(wire_length(answer.len() + bytes.len()), LONGEST_MESSAGE)?;
                answer.extend_from_slice(&bytes);
            }
            _ => guest.output.print(&bytes),
        }
    }
    write(&mut caller, result, &written.to_le_bytes())?;
    Ok(SUCCESS)
}

/// Sleeps until the nearest clock subscription is due, and answers that one: what Go's scheduler does when idle.
fn poll_oneoff(mut caller: Caller<'_, Guest>, input: i32, output: i32, count: i32, result: i32) -> Result<i32> {
    const SUBSCRIPTION: usize = 48;
    const ABSOLUTE: u8 = 1;
    let table = read(&mut caller, input, count.saturating_mul(48))?;
    let now = caller.data().now();
    let nearest = table
        .chunks_exact(SUBSCRIPTION)
        .filter(|subscription| subscription[8] == 0)
        .map(|subscription| {
            let timeout = u64::from_le_bytes(array(subscription, 24));
            let wait = if subscription[40] & ABSOLUTE == 0 { timeout } else { timeout.saturating_sub(now) };
            (wait, subscription)
        })
        .min_by_key(|(wait, _)| *wait);
    let Some((wait, subscription)) = nearest else { return Ok(EINVAL) };
    // A sleeping guest is not interrupted by its deadline, so it may not sleep longer.
    thread::sleep(Duration::from_nanos(wait).min(caller.data().limits.deadline));
    let mut event = [0_u8; 32];
    event[..8].copy_from_slice(&subscription[..8]);
    let subscription_is_answered = 1_u32.to_le_bytes();
    write(&mut caller, output, &event)?;
    write(&mut caller, result, &subscription_is_answered)?;
    Ok(SUCCESS)
}

/// A number on the wire.
fn word_of(number: usize) -> [u8; 4] {
    wire_length(number).to_le_bytes()
}

fn word(bytes: &[u8], start: usize) -> i32 {
    i32::from_le_bytes(array(bytes, start))
}

fn array<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[start..start + N]);
    array
}
