//! Who sees a region through ArrayBuffers. A closed region is used again when the last isolate has said
//! that its views are dead, and never when one of them may be with somebody else.

use super::ground::Ground;
use super::{AllocatorId, Isolate, Manager, Open};
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{Arc, Ordering, lock};

/// Of one region.
#[derive(Debug, Default)]
pub(super) struct Sight {
    isolates: Vec<u32>,
    lost: bool,                  // a buffer is, or may be, with somebody who cannot be asked
    closed: Option<Arc<Ground>>, // when it waits for its isolates
}

impl Sight {
    fn look_away(&mut self, isolate: u32, lost: bool) {
        self.isolates.retain(|other| *other != isolate);
        self.lost |= lost;
    }

    /// The ground of a closed region that waits.
    pub(super) fn waiting(&self) -> Option<&Arc<Ground>> {
        self.closed.as_ref()
    }
}

impl Isolate {
    /// Notes that users of this isolate see the region; call it before they do.
    ///
    /// # Errors
    /// [`Code::Closed`].
    pub fn see_region(&self, id: AllocatorId) -> Result<()> {
        let mut open = lock(&self.manager.allocators.state);
        if !open.is_open(id) {
            return Err(Error::from(Code::Closed));
        }
        open.note_seen(id);
        let sight = open.sights.entry(id).or_default();
        if !sight.isolates.contains(&self.number) {
            sight.isolates.push(self.number);
        }
        Ok(())
    }

    /// Notes that no user of this isolate sees the region any more, or with `lost` that one may for good.
    pub fn leave_region(&self, id: AllocatorId, lost: bool) {
        let mut open = lock(&self.manager.allocators.state);
        if let Some(sight) = open.sights.get_mut(&id) {
            sight.look_away(self.number, lost);
            self.manager.settle_region(&mut open, id);
        }
    }

    /// The isolate ends. What it has not left, its users may have sent away.
    pub(super) fn leave_regions(&self) {
        let mut open = lock(&self.manager.allocators.state);
        let seen = open.sights.iter().filter(|(_, sight)| sight.isolates.contains(&self.number));
        for id in seen.map(|(id, _)| *id).collect::<Vec<_>>() {
            if let Some(sight) = open.sights.get_mut(&id) {
                sight.look_away(self.number, true);
            }
            self.manager.settle_region(&mut open, id);
        }
    }
}

impl Manager {
    /// The region was closed.
    pub(super) fn retire_region(&self, open: &mut Open, id: AllocatorId, ground: Arc<Ground>) {
        open.sights.entry(id).or_default().closed = Some(ground);
        self.settle_region(open, id);
    }

    /// Decides what becomes of a closed region, as soon as that is known.
    fn settle_region(&self, open: &mut Open, id: AllocatorId) {
        let Some(Sight { isolates, lost, closed: Some(ground) }) = open.sights.get(&id) else { return };
        if *lost {
            self.escaped_bytes.fetch_add(ground.measures.total, Ordering::Relaxed);
        } else if isolates.is_empty() {
            self.allocators.committed_bytes.fetch_sub(ground.clear(), Ordering::Relaxed);
            open.idle_grounds.push(Arc::clone(ground));
        } else {
            return;
        }
        open.sights.remove(&id);
    }
}
