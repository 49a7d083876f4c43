//! When a watcher says that it lives: by itself before it is due, and with whatever it records.

use super::{Luck, Watcher, World, around, at};
use crate::record_local::LocalRecord;
use crate::watch::stretches;
use domain::{Actor, Proof, Timestamp};
use release::observed::Report;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

#[tokio::test]
async fn a_change_brings_a_sign_of_life_with_it_and_silence_only_one_that_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(AtomicI64::new(0));
    let around = around(&clock);
    let actor = Actor::new("watcher", Proof::Token).unwrap();
    let path = folder.path().join("record.db");
    let record = LocalRecord::at(path, "local", actor, around.surroundings.clone());
    let mut world = World { clock, luck: Luck(7), truth: Vec::new(), pods: Vec::new(), version: 0 };
    let mut watcher = Watcher::start(&around, &record).await;
    watcher.sees(&world.list());
    watcher.keeps().await;
    assert_eq!(last(&record).await, at(0), "the list was complete");
    for (second, is_change, told) in [
        // The first is 5 s after the list, the next only 4 s after that.
        (5, true, 5),
        (9, true, 5),
        (10, true, 10),
        // Nothing happens: a minute before two are over.
        (69, false, 10),
        (70, false, 70),
    ] {
        world.clock.store(second, Ordering::Relaxed);
        let report = if is_change { world.thing() } else { Report::Alive };
        watcher.sees(&[report]);
        watcher.keeps().await;
        assert_eq!(last(&record).await, at(told), "second {second}");
    }
}

async fn last(record: &LocalRecord) -> Timestamp {
    stretches(record, None).await.unwrap()[0].last
}
