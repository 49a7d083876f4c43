//! Container runs by question: what the rows answer is what the events, folded, give.

use crate::shop::by;
use domain::{Digest, Timestamp};
use record::claim::{
    ClaimKey, ClusterId, ContainerRunClaim, Moment, NodeInfo, Reported, RunBegan, RunChange, RunId,
    RunRole,
};
use record::{Claim, Event, Run, RunQuestion, RunState, Runs, Sequenced, Span};
use store::{Database, Ledger, Problem, Query};

/// Numbers that look random and are the same each time. Source: Knuth's MMIX constants.
struct Luck(u64);

impl Luck {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn cluster(number: u64) -> ClusterId {
    format!("cluster-{number}").parse().unwrap()
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_773_758_400_000 + ms)
}

fn says(of: &ContainerRunClaim, seen: Timestamp, change: RunChange, salt: usize) -> Claim {
    let key = ContainerRunClaim::key_of(of.run, seen, &change).to_string();
    let key = ClaimKey::try_from(format!("{key}/{salt}")).unwrap();
    Claim::ContainerRun(ContainerRunClaim { key, seen, change, ..of.clone() })
}

fn begins(luck: &mut Luck, number: usize) -> ContainerRunClaim {
    let cluster = cluster(luck.below(2));
    let container_id = format!("containerd://{}", Digest::sha256(&number.to_be_bytes()).hex());
    let run = RunId::of(&cluster, "pod", "api", &container_id);
    let began = at(i64::try_from(luck.below(40 * 86_400_000)).unwrap());
    let moment = match luck.below(3) {
        0 => Moment::Exact { at: began },
        1 => Moment::Bounded { after: Some(began.plus_millis(-9_000)), until: began },
        _ => Moment::Unconfirmed { after: None, until: began },
    };
    let content = [u8::try_from(luck.below(4)).unwrap()];
    let change = RunChange::Began(Box::new(RunBegan {
        pod: Reported::of(&format!("api-{number}")),
        pod_uid: Reported::of("0f4a3c1e-0b2d-4c5e-8f90-a1b2c3d4e5f6"),
        workload: Reported::of(&format!("deployment/{}", luck.below(3))),
        container: Reported::of("api"),
        role: [RunRole::Main, RunRole::Init, RunRole::Ephemeral][number % 3],
        container_id: Reported::of(&container_id),
        node: number.is_multiple_of(2).then(|| Reported::of("node-a")),
        reference: Reported::of("r.example/shop/api:uat"),
        image_id: Reported::of("r.example/shop/api@x"),
        began: moment,
        created: (!number.is_multiple_of(5)).then_some(began),
        restarts: u32::try_from(number % 7).unwrap(),
        missed: u32::try_from(number % 2).unwrap(),
        changed_in_place: number.is_multiple_of(11),
        node_info: number.is_multiple_of(4).then(|| NodeInfo {
            platform: "linux/arm64".parse().unwrap(),
            runtime: Reported::of("containerd://1.6.20"),
        }),
    }));
    ContainerRunClaim {
        key: ContainerRunClaim::key_of(run, began, &change),
        run,
        cluster,
        namespace: Reported::of(["shop", "shop-uat"][number % 2]),
        digest: (luck.below(9) > 0).then(|| Digest::sha256(&content)),
        seen: began,
        change,
    }
}

/// Runs of every length, doubted and confirmed, ended twice, with claims about runs that nobody began.
fn told() -> Vec<Claim> {
    let mut luck = Luck(7);
    let mut claims = Vec::new();
    for number in 0..400 {
        let began = begins(&mut luck, number);
        let stranger = RunId::of(&began.cluster, "pod", "stranger", &number.to_string());
        let from = began.seen;
        let length = 1i64 << luck.below(36);
        let ended = from.plus_millis(length);
        let end = match luck.below(4) {
            0 => None,
            1 => Some(Moment::Bounded { after: Some(from), until: ended }),
            2 => Some(Moment::Unconfirmed { after: None, until: ended }),
            _ => Some(Moment::Exact { at: ended }),
        };
        claims.push(Claim::ContainerRun(began.clone()));
        claims.push(says(&began, from.plus_millis(5), began.change.clone(), 1));
        if luck.below(3) == 0 {
            claims.push(says(&began, from, RunChange::Doubted { since: from }, 2));
            claims.push(says(&began, from, RunChange::Doubted { since: ended }, 3));
            claims.push(says(&began, ended, RunChange::Confirmed, 4));
        }
        for (salt, end) in
            end.into_iter().flat_map(|end| [(5, end), (6, Moment::Exact { at: from })])
        {
            let deleted = (number % 3 == 0).then_some(ended);
            let change = RunChange::Ended { ended: end, exit_code: Some(137), deleted };
            claims.push(says(&began, ended, change, salt));
            let unknown = ContainerRunClaim { run: stranger, ..began.clone() };
            claims.push(says(&unknown, ended, RunChange::Confirmed, salt));
        }
    }
    claims
}

async fn ledger_of(claims: Vec<Claim>) -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(Database::open(&folder.path().join("a.db")).unwrap());
    for some in claims.chunks(200) {
        ledger.append(some.to_vec(), by("watcher")).await.unwrap();
    }
    (folder, ledger)
}

async fn all(ledger: &Ledger, question: &RunQuestion) -> Vec<Run> {
    let (mut runs, mut after) = (Vec::new(), None);
    loop {
        let page = ledger.runs(question.clone(), after).await.unwrap();
        assert!(page.runs.len() <= question.limit);
        runs.extend(page.runs);
        after = page.next;
        if after.is_none() {
            return runs;
        }
    }
}

fn folded() -> Vec<Run> {
    let mut runs = Runs::default();
    for (claim, seq) in told().into_iter().zip(1..) {
        let stamp = by("watcher").stamp(seq);
        runs.add(&Sequenced { seq: seq.into(), event: Event { stamp, claim } });
    }
    runs.finish()
}

fn questions() -> Vec<RunQuestion> {
    let day = 86_400_000;
    let spans = [
        Span::ALL,
        Span::moment(at(20 * day)),
        Span::moment(at(day / 2)),
        Span::between(Some(at(10 * day)), Some(at(11 * day))).unwrap(),
        Span::between(None, Some(at(3 * day))).unwrap(),
        Span::between(Some(at(39 * day)), None).unwrap(),
    ];
    let digests = [vec![], vec![0u8], vec![1, 3, 9]];
    let mut all = Vec::new();
    for when in spans {
        for state in [RunState::Any, RunState::Open] {
            for digests in &digests {
                for (cluster, namespace, workload) in [
                    (None, None, None),
                    (Some(1), None, None),
                    (Some(0), Some("shop"), None),
                    (None, Some("shop-uat"), Some("deployment/1")),
                    (Some(1), None, Some("deployment/2")),
                ] {
                    all.push(RunQuestion {
                        cluster: cluster.map(self::cluster),
                        namespace: namespace.map(Reported::of),
                        workload: workload.map(Reported::of),
                        digests: digests.iter().map(|one| Digest::sha256(&[*one])).collect(),
                        when,
                        state,
                        limit: 7,
                        ..RunQuestion::default()
                    });
                }
            }
        }
    }
    all
}

#[tokio::test]
async fn every_question_is_answered_as_the_folded_events_answer_it() {
    let (_folder, ledger) = ledger_of(told()).await;
    let folded = folded();
    assert_eq!(folded.len(), 400);
    let mut found = 0;
    for question in questions() {
        let answered = all(&ledger, &question).await;
        assert!(answered.is_sorted_by_key(Run::earliest), "{question:?}");
        let sorted = |mut runs: Vec<Run>| {
            runs.sort_by_key(|run| run.id);
            runs
        };
        let expected = folded.iter().filter(|run| question.holds(run)).cloned().collect();
        found += answered.len();
        assert_eq!(sorted(answered), sorted(expected), "{question:?}");
    }
    assert!(found > 2_000, "the questions found {found} runs");
    let ids = folded.iter().take(3).map(|run| run.id).collect();
    let named = RunQuestion { ids, limit: 2, ..RunQuestion::default() };
    assert_eq!(all(&ledger, &named).await.len(), 3);
}

#[tokio::test]
async fn rows_that_were_changed_are_found_and_made_again() {
    let (folder, ledger) = ledger_of(told()).await;
    assert_eq!(ledger.verify().await.unwrap().problems, []);
    let file = rusqlite::Connection::open(folder.path().join("a.db")).unwrap();
    file.execute("UPDATE container_run SET hi = hi + 1 WHERE seq = 1 OR hi IS NOT NULL", [])
        .unwrap();
    file.execute("DELETE FROM run_workload WHERE id = 1", []).unwrap();
    let problems = ledger.verify().await.unwrap().problems;
    let tables: Vec<_> = problems
        .iter()
        .map(|problem| {
            let Problem::Observed { table, .. } = problem else { panic!("{problem}") };
            *table
        })
        .collect();
    assert_eq!(tables, ["container_run", "run_workload"]);
    ledger.rebuild().await.unwrap();
    assert_eq!(ledger.verify().await.unwrap().problems, []);
    assert_eq!(all(&ledger, &RunQuestion::default()).await.len(), 400);
    assert!(!ledger.events(Query::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_page_behind_a_run_that_there_is_not_is_no_page() {
    let (_folder, ledger) = ledger_of(Vec::new()).await;
    let stranger = RunId::of(&cluster(0), "pod", "api", "none");
    assert!(ledger.runs(RunQuestion::default(), Some(stranger)).await.is_err());
    let empty = ledger.runs(RunQuestion::default(), None).await.unwrap();
    assert_eq!((empty.runs.len(), empty.watched.len(), empty.next), (0, 0, None));
}
