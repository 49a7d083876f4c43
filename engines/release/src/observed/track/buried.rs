//! Pods that are gone, and that a late report must not bring back; only a list does.

use std::collections::{HashSet, VecDeque};

/// Pods whose deletion was seen and that a late report must not bring back; older ones are forgotten.
const BURIED_MAX: usize = 4_096;

/// The newest of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Buried {
    order: VecDeque<Box<str>>,
    uids: HashSet<Box<str>>,
}

impl Buried {
    pub(super) fn holds(&self, uid: &str) -> bool {
        self.uids.contains(uid)
    }

    /// It is there again.
    pub(super) fn dig_up(&mut self, uid: &str) {
        if self.uids.remove(uid) {
            self.order.retain(|one| **one != *uid);
        }
    }

    /// Its deletion was seen.
    pub(super) fn bury(&mut self, uid: &str) {
        if self.uids.insert(uid.into()) {
            self.order.push_back(uid.into());
        }
        while self.order.len() > BURIED_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.uids.remove(&oldest);
            }
        }
    }
}
