//! The alarm is tested: a buddy that gives a range to two owners, which the fuzzer must find.

use crate::Random;
use crate::strategies;
use offheap_core::alloc::buddy::Buddy;
use offheap_core::alloc::strategy::{Grant, Strategy, Usage, Verdict};
use offheap_core::base::error::Result;
use std::sync::Mutex;

/// It forgets its newest grant, if that is large, when it is asked for a size of which the next is a multiple of 64.
#[derive(Debug)]
struct Forgetful {
    buddy: Buddy,
    newest: Mutex<Option<Grant>>,
}

impl Strategy for Forgetful {
    fn allocate(&self, size: u64) -> Result<Grant> {
        let mut newest = self.newest.lock().unwrap();
        if size % 64 == 63
            && let Some(grant) = newest.take()
        {
            return Ok(grant);
        }
        let grant = self.buddy.allocate(size)?;
        *newest = (grant.size >= 4096).then_some(grant);
        Ok(grant)
    }

    fn free(&self, offset: u64) -> Result<u64> {
        *self.newest.lock().unwrap() = None;
        self.buddy.free(offset)
    }

    fn granted(&self, offset: u64) -> Option<u64> {
        self.buddy.granted(offset)
    }

    fn usage(&self) -> Usage {
        self.buddy.usage()
    }

    fn trim(&self, decommit: &dyn Fn(u64, u64) -> u64) -> u64 {
        self.buddy.trim(decommit)
    }

    fn check(&self) -> Verdict {
        self.buddy.check()
    }
}

fn make(total: u64, alignment: u64) -> Result<Box<dyn Strategy>> {
    Ok(Box::new(Forgetful { buddy: Buddy::new(total, alignment)?, newest: Mutex::default() }))
}

pub fn play(random: Random) {
    strategies::play(("forgetful", make), random);
}
