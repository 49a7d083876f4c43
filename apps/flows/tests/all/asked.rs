//! What ran at a moment, for histories that nobody thought up: the answer is that of a minute-by-minute model.

use crate::opened::surroundings;
use domain::{EnvironmentName, Timestamp};
use flows::App;
use flows::app::Options;
use flows::ask::{Ran, ran_at, ran_digest};
use record::claim::{Claim, Moment, Reported, RunChange, WatchChange};
use record::fuzz::story::Story;
use record::{Gap, Precision};
use std::collections::BTreeSet;
use std::sync::Arc;

const SETTINGS: &str = "version: 1
record: file:record.db
images: {api: {repository: registry.example.com/shop/api}}
environments: {prod: {branches: [prod], clusters: [prod-eu], namespace: shop}}
";
const MINUTES: u64 = 60;
const HISTORIES: u64 = 24;

fn minute(minute: u64) -> Timestamp {
    let begin: Timestamp = "2026-03-17T14:00:00Z".parse().unwrap();
    begin.plus_millis(i64::try_from(minute * 60_000).unwrap())
}

/// Numbers that look like chance, the same for the same seed. Source: Knuth's MMIX.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// One container run as the model knows it: minutes, and whether its end is sharp.
struct Lived {
    container: String,
    from: u64,
    /// The last minute at which it surely ran is before this one.
    surely_until: u64,
    until: u64,
}

impl Lived {
    fn at(&self, minute: u64) -> Option<Precision> {
        if minute < self.from || minute >= self.until {
            None
        } else if minute < self.surely_until {
            Some(Precision::Exact)
        } else {
            Some(Precision::Bounded)
        }
    }
}

/// Runs in three containers one after another, and stretches in which somebody watched.
fn history(seed: u64) -> (Story, Vec<Lived>, Vec<(u64, u64)>) {
    let (mut chance, mut story, mut lived) = (Chance(seed), Story::new(), Vec::new());
    let mut watched = Vec::new();
    let mut at = chance.below(10);
    while at < MINUTES {
        let until = (at + 1 + chance.below(20)).min(MINUTES);
        let watch = story.watch_began(minute(at));
        story.watch_says(watch, minute(until), WatchChange::Ended { why: Reported::of("stopped") });
        watched.push((at, until));
        at = until + 1 + chance.below(15);
    }
    for container in ["a", "b", "c"] {
        let mut at = chance.below(15);
        while at < MINUTES {
            let run = story.run_began(container, minute(at));
            let until = at + 1 + chance.below(20);
            let is_sharp = chance.below(2) == 0;
            let bounded_from = at + chance.below(until - at);
            // Sure until `after` itself, which is the last minute at which it was seen.
            let surely_until = if is_sharp { until } else { bounded_from + 1 };
            let (after, ended) = (Some(minute(bounded_from)), minute(until));
            let ended = match is_sharp {
                true => Moment::Exact { at: ended },
                false => Moment::Bounded { after, until: ended },
            };
            story.run_says(
                run,
                RunChange::Ended { ended, exit_code: None, deleted: None },
                minute(until),
            );
            lived.push(Lived { container: container.to_owned(), from: at, surely_until, until });
            at = until + chance.below(10);
        }
    }
    (story, lived, watched)
}

/// An app over a record of the story, long after it.
async fn app(folder: &std::path::Path, story: &Story) -> App {
    std::fs::write(folder.join("indelible.yaml"), SETTINGS).unwrap();
    let app = opened(folder, day_later());
    let claims: Vec<Claim> = story.events().iter().map(|event| event.event.claim.clone()).collect();
    for part in claims.chunks(256) {
        app.record().await.unwrap().append(part.to_vec()).await.unwrap();
    }
    app
}

fn day_later() -> Timestamp {
    "2026-03-18T14:00:00Z".parse().unwrap()
}

/// The same record, at another time.
fn opened(folder: &std::path::Path, now: Timestamp) -> App {
    let mut around = surroundings(folder);
    around.clock = Arc::new(move || now);
    let options =
        Options { config: None, record: None, plain_http: Vec::new(), own_hosts: Vec::new() };
    App::open(options, around).unwrap()
}

fn seen(ran: &Ran) -> BTreeSet<(String, Timestamp, Precision)> {
    let row = |row: &flows::ask::ContainerRow| {
        (row.run.began.container.to_string(), row.run.from(), row.precision)
    };
    ran.containers.iter().map(row).collect()
}

#[tokio::test]
async fn what_ran_at_a_moment_is_what_a_model_says_and_unknown_where_nobody_watched() {
    let prod: EnvironmentName = "prod".parse().unwrap();
    let (mut watched_minutes, mut others) = (0, 0);
    for seed in 0..HISTORIES {
        let folder = tempfile::tempdir().unwrap();
        let (story, lived, watched) = history(seed);
        let app = app(folder.path(), &story).await;
        for at in (0..MINUTES + 20).step_by(3) {
            let ran = ran_at(&app, &prod, minute(at)).await.unwrap();
            let is_watched = watched.iter().any(|(from, until)| (*from..=*until).contains(&at));
            assert_eq!(ran.is_known, is_watched, "seed {seed}, minute {at}");
            let model = lived
                .iter()
                .filter_map(|one| Some((one.container.clone(), minute(one.from), one.at(at)?)));
            assert_eq!(seen(&ran), model.collect(), "seed {seed}, minute {at}");
            let holds = |gap: &Gap| {
                gap.from.is_none_or(|from| from <= minute(at))
                    && gap.until.is_none_or(|until| minute(at) < until)
                    && gap.why == "prod-eu was not watched"
            };
            assert_eq!(ran.answer.gaps.iter().any(holds), !is_watched, "seed {seed}, minute {at}");
            if is_watched { watched_minutes += 1 } else { others += 1 }
        }
    }
    assert!(watched_minutes > 100 && others > 100, "{watched_minutes} and {others}");
}

/// A watcher that began at minute 0 and gave its last sign at minute 10, and a container that nobody saw the end of.
fn fell_silent() -> Story {
    let mut story = Story::new();
    story.run_began("a", minute(1));
    let watch = story.watch_began(minute(0));
    story.watch_says(watch, minute(10), WatchChange::Alive);
    story
}

#[tokio::test]
async fn after_the_last_sign_of_life_nothing_is_exact_and_the_answer_is_as_of_that_sign() {
    let prod: EnvironmentName = "prod".parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path(), &fell_silent()).await;
    let ran = |app: App, at: u64| {
        let prod = prod.clone();
        // On the heap: four of these futures in one are more than a test's stack holds.
        Box::pin(async move { ran_at(&app, &prod, minute(at)).await.unwrap() })
    };
    // A day later nobody knows what came of it: exact up to the sign, unconfirmed behind it, exit 2.
    let sure = ran(app, 10).await;
    assert!(sure.is_known && sure.answer.gaps.is_empty(), "{:?}", sure.answer.gaps);
    assert_eq!(sure.containers[0].precision, Precision::Exact);
    let late = ran(opened(folder.path(), day_later()), 11).await;
    assert!(!late.is_known);
    assert_eq!(late.containers[0].precision, Precision::Unconfirmed);
    assert!(late.answer.gaps.iter().any(|gap| gap.why == "prod-eu was not watched"));
    // Two minutes later its next sign is due, and not late: as of the last one.
    let soon = ran(opened(folder.path(), minute(12)), 12).await;
    assert!(soon.is_known, "{:?}", soon.answer.gaps);
    let gap = &soon.answer.gaps[0];
    assert_eq!((gap.from, gap.until), (Some(minute(10)), None));
    let why = "as of 2026-03-17T14:10:00.000Z, the last sign of life of who watches prod-eu, 2m 0s before: what happened since may not be recorded yet";
    assert_eq!(gap.why, why);
    let missed = ran(opened(folder.path(), minute(12).plus_millis(1)), 12).await;
    assert!(!missed.is_known && missed.containers[0].precision == Precision::Unconfirmed);
}

#[tokio::test]
async fn where_a_digest_ran_is_unknown_since_nobody_watches_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let digest = domain::Digest::sha256(b"a");
    drop(app(folder.path(), &fell_silent()).await);
    for (now, is_known, precision) in
        [(minute(12), true, Precision::Exact), (day_later(), false, Precision::Unconfirmed)]
    {
        let app = opened(folder.path(), now);
        let ran = Box::pin(ran_digest(&app, &digest)).await.unwrap();
        assert_eq!(ran.is_known, is_known, "{now}");
        assert_eq!(ran.containers[0].precision, precision, "{now}");
        assert_eq!(ran.answer.gaps.last().unwrap().from, Some(minute(10)), "{now}");
    }
}
