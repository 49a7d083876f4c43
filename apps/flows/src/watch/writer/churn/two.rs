//! Two watchers of one busy cluster, each with a clock of its own, one of them always there.

use super::{
    Around, Luck, Watcher, World, around, around_ahead, at, runs_wanted, what_is_recorded_was_so,
};
use crate::record_local::LocalRecord;
use crate::seam::each_run;
use crate::watch::writer::SIGN_EVERY_MS;
use ::record::claim::Moment;
use ::record::{Run, RunQuestion, Span, Watched, gaps_of};
use domain::{Actor, Proof};
use release::observed::Report;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

/// Whose clock is ahead, and by how much: of two watchers one is always there.
const APART: i64 = 3;

/// Both see the cluster, each loses its watch or dies at times, never both, and who is first in the record is luck.
async fn live_twice(world: &mut World, two: &[Around; 2], record: &LocalRecord, runs: usize) {
    let mut watchers =
        [Watcher::start(&two[0], record).await, Watcher::start(&two[1], record).await];
    for watcher in &mut watchers {
        watcher.sees(&world.list());
        watcher.keeps().await;
    }
    while world.truth.len() < runs {
        for _ in 0..=world.luck.below(80) {
            let reports = world.second();
            let first = world.luck.below(2);
            for which in [first, 1 - first] {
                watchers[which].sees(&reports);
                if world.luck.below(6) == 0 {
                    watchers[which].sees(&[Report::Alive]);
                    watchers[which].keeps().await;
                }
            }
        }
        // One of them sees nothing for a while; the other one goes on.
        let away = world.luck.below(2);
        let is_dead = world.luck.below(2) == 0;
        for _ in 0..world.luck.below(30) {
            let reports = world.second();
            watchers[1 - away].sees(&reports);
            if world.luck.below(6) == 0 {
                watchers[1 - away].keeps().await;
            }
        }
        if is_dead {
            let again = Watcher::start(&two[away], record).await;
            let dead = std::mem::replace(&mut watchers[away], again);
            dead.dies(&mut world.luck).await;
        }
        watchers[away].sees(&world.list());
        watchers[away].keeps().await;
    }
    for watcher in &mut watchers {
        watcher.sees(&[Report::Alive]);
        watcher.writer.finish(&watcher.tracker).await.unwrap();
    }
}

#[tokio::test]
async fn two_watchers_with_clocks_of_their_own_record_everything_once_and_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(AtomicI64::new(0));
    let two = [around(&clock), around_ahead(&clock, APART)];
    let actor = Actor::new("watcher", Proof::Token).unwrap();
    let path = folder.path().join("record.db");
    let record = LocalRecord::at(path, "local", actor, two[0].surroundings.clone());
    let mut world = World { clock, luck: Luck(5), truth: Vec::new(), pods: Vec::new(), version: 0 };
    live_twice(&mut world, &two, &record, runs_wanted()).await;
    let mut runs = HashMap::new();
    let watched = each_run(&record, &RunQuestion::default(), |run: Run| {
        let id = run.began.container_id.to_string();
        assert!(runs.insert(id, run).is_none(), "a run stands twice");
    })
    .await
    .unwrap();
    // Somebody was always there: nothing is missing, and nothing runs that has ended.
    for one in &world.truth {
        let run = runs.get(&one.id).unwrap_or_else(|| panic!("{one:?} is not in the record"));
        assert_eq!(run.began.began, Moment::Exact { at: at(one.began) }, "{one:?}");
    }
    assert_eq!(runs.len(), world.truth.len());
    what_is_recorded_was_so(&world.truth, &runs, APART);
    let stretches: Vec<&Watched> = watched.iter().collect();
    let span = Span::between(Some(at(APART)), Some(at(world.now()))).unwrap();
    // Who dies takes the time since its last sign with it, where the other had looked away then.
    for (from, until) in gaps_of(&stretches, &span, at(world.now() + 3_600)) {
        let (from, until) = (from.unwrap(), until.unwrap());
        assert!(until.as_millis() - from.as_millis() <= SIGN_EVERY_MS, "{from} to {until}");
    }
    assert!(stretches.len() > 10, "nobody ever looked away");
}
