//! Operations off the main thread: a job is made by a raw function, worked at by threads of libuv's pool, and given
//! up when it has ended. Its ends are pinned until then, or until its isolate ends.

use crate::MANAGER;
use crate::buffer::{Answer, Native};
use crate::operations::{mode, pattern};
use crate::state::{Context, State, answer, of_number, opened};
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;
use offheap_core::base::error::{Code, Error, Result};
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::AllocatorId;
use offheap_core::ops::job::Job;
use offheap_core::raw::bytes::Bytes;
use offheap_core::tracker::isolate::word;
use offheap_core::tracker::state::{Generation, Handle, Slot};
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The raw functions of this file: name, function, whether it takes its arguments from the table alone.
pub const ENTRIES: [(&str, Native<State>, bool); 6] = [
    ("jobOpen", open, true),
    ("jobHold", hold, false),
    ("jobStart", start, false),
    ("jobProgress", progress, false),
    ("jobStop", stop, false),
    ("jobEnd", end, false),
];

/// Threads that one job is given. libuv's pool has four, and one of today's processors' channels to memory are full with fewer.
const THREADS_MAX: usize = 4;

/// What an end of a job is pinned by.
#[derive(Clone, Copy)]
enum Pin {
    Block(Handle),
    Grant(AllocatorId, Handle),
}

impl Pin {
    fn take(self, isolate: &Isolate) -> Result<()> {
        match self {
            Self::Block(handle) => isolate.pin(handle).map(|_| ()),
            Self::Grant(id, handle) => isolate.pin_in(id, handle),
        }
    }

    /// What it holds is there as long as it is held, so this does not fail.
    fn drop(self, isolate: &Isolate) {
        let _ = match self {
            Self::Block(handle) => isolate.unpin(handle),
            Self::Grant(id, handle) => isolate.unpin_in(id, handle),
        };
    }

    fn bytes(self, isolate: &Isolate, offset: u64, length: u64) -> Result<Bytes<'static>> {
        if let Self::Grant(id, _) = self {
            let allocator = MANAGER.allocators.get(id)?;
            if allocator.generations().is_some() {
                return allocator.bytes(&MANAGER, offset, length);
            }
        }
        let (Self::Block(handle) | Self::Grant(_, handle)) = self;
        isolate.bytes(handle, offset, length)
    }
}

/// A job of an isolate's, from its first end on.
#[derive(Default)]
struct Entry {
    /// Its ends, in the order of its arguments.
    ends: Vec<(Pin, Bytes<'static>)>,
    job: Option<Arc<Job<'static>>>,
}

/// The jobs of one isolate by number, from 1.
#[derive(Default)]
pub struct Jobs(RefCell<Numbered>);

#[derive(Default)]
struct Numbered {
    entries: HashMap<u32, Entry>,
    last: u32,
}

impl Jobs {
    fn get(&self, number: u32) -> Option<Arc<Job<'static>>> {
        self.0.borrow().entries.get(&number)?.job.as_ref().map(Arc::clone)
    }

    /// Forgets a job, when nobody is at work in it any more.
    fn end(&self, isolate: &Isolate, number: u32) -> Option<Arc<Job<'static>>> {
        let Entry { ends, job } = self.0.borrow_mut().entries.remove(&number)?;
        job.as_ref().inspect(|job| job.stop_and_wait());
        ends.iter().for_each(|(pin, _)| pin.drop(isolate));
        job
    }

    /// An isolate ends, and its memory goes: nobody may be at work in it.
    pub fn end_all(&self, isolate: &Isolate) {
        let numbers: Vec<u32> = self.0.borrow().entries.keys().copied().collect();
        for number in numbers {
            self.end(isolate, number);
        }
    }
}

fn word_at(call: &Context<'_>, index: usize) -> Result<u32> {
    call.integer(index).and_then(|word| u32::try_from(word).ok()).ok_or(Error::from(Code::InvalidType))
}

/// A new job's number, in the first result word.
fn open(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let mut all = opened(call)?.jobs.0.borrow_mut();
        all.last = all.last % i32::MAX as u32 + 1;
        let number = all.last;
        all.entries.insert(number, Entry::default());
        isolate.table.set_word(word::RESULT + 1, number.cast_signed());
        Ok(())
    })
}

/// Arguments: job, slot, generation, offset, length, and of memory of an allocator its number and life. Pins the next
/// end, until the job ends. Of an arena's memory slot and generation are its level's, and the offset is the one in the region.
fn hold(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let handle = Handle { slot: Slot(word_at(call, 1)?), generation: Generation(word_at(call, 2)?) };
        let (offset, length) = (wide_at(call, 3)?, wide_at(call, 4)?);
        let pin = match call.number(5) {
            None => Pin::Block(handle),
            Some(_) => Pin::Grant(AllocatorId { number: word_at(call, 5)?, life: word_at(call, 6)? }, handle),
        };
        let mut all = opened(call)?.jobs.0.borrow_mut();
        let entry = all.entries.get_mut(&word_at(call, 0)?).ok_or(Error::from(Code::InvalidValue))?;
        pin.take(isolate)?;
        let bytes = pin.bytes(isolate, offset, length).inspect_err(|_| pin.drop(isolate))?;
        entry.ends.push((pin, bytes));
        Ok(())
    })
}

fn wide_at(call: &Context<'_>, index: usize) -> Result<u64> {
    call.integer(index).ok_or(Error::from(Code::OutOfRange))
}

/// Arguments: job; 0 to copy the first end to the second, with the mode of `copy`; 1 to fill it, with the pattern in the argument words; 2 to compare
/// both; of a copy its mode; how many processors there are. Results: the threads that are to work at it.
fn start(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let mut all = opened(call)?.jobs.0.borrow_mut();
        let entry = all.entries.get_mut(&word_at(call, 0)?).ok_or(Error::from(Code::InvalidValue))?;
        let end = |index: usize| {
            entry.ends.get(index).map(|(_, bytes)| *bytes).ok_or(Error::from(Code::InvalidType))
        };
        let job = match word_at(call, 1)? {
            0 => Job::copy(end(1)?, end(0)?, mode(call, 2)?)?,
            1 => Job::fill(end(0)?, pattern(isolate)),
            _ => Job::compare(end(0)?, end(1)?)?,
        };
        // One processor is left to the event loop, which is not to wait: that is what a job is for.
        // Node tells how many there are: the standard library's answer reads the limits of control groups, 10 kB of program.
        let others = (word_at(call, 3)? as usize).saturating_sub(1).max(1);
        let threads = job.threads_max().min(others).min(THREADS_MAX) as i32;
        entry.job = Some(Arc::new(job));
        isolate.table.set_word(word::RESULT + 1, threads);
        Ok(())
    })
}

fn job_of(call: &Context<'_>) -> Option<Arc<Job<'static>>> {
    opened(call).ok()?.jobs.get(word_at(call, 0).ok()?)
}

/// Arguments: job. The bytes that are done.
fn progress(call: &Context<'_>) -> Answer {
    Answer::Number(job_of(call).map_or(0.0, |job| job.done_bytes() as f64))
}

/// Arguments: job, 1 to wait until no thread is at work in it. No piece is begun any more.
fn stop(call: &Context<'_>) -> Answer {
    if let Some(job) = job_of(call) {
        if call.integer(1) == Some(1) { job.stop_and_wait() } else { job.stop() }
    }
    Answer::Nothing
}

/// Arguments: job. Ends it, and drops its pins. Of a comparison −1, 0 or 1.
fn end(call: &Context<'_>) -> Answer {
    let ended = opened(call).ok().zip(word_at(call, 0).ok());
    let job = ended.and_then(|(opened, number)| opened.jobs.end(&opened.isolate, number));
    Answer::Number(job.map_or(0.0, |job| f64::from(job.order() as i8)))
}

/// A thread's work at a job.
pub struct Work(Option<Arc<Job<'static>>>);

impl Task for Work {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<()> {
        let job = self.0.take(); // here, so that whoever waits for this thread need not wait for its promise
        // A panic must not reach libuv; what is left of the job nobody does, and its caller sees the bytes that are missing.
        let _ = catch_unwind(AssertUnwindSafe(|| job.inspect(|job| job.run())));
        Ok(())
    }

    fn resolve(&mut self, _env: Env, (): ()) -> napi::Result<()> {
        Ok(())
    }
}

/// Has a thread of libuv's pool work at a job of an isolate of this thread. Resolves when it has nothing left to do.
#[napi(catch_unwind)]
#[must_use]
pub fn job_run(isolate: u32, job: u32) -> AsyncTask<Work> {
    AsyncTask::new(Work(of_number(isolate).and_then(|opened| opened.jobs.get(job))))
}
