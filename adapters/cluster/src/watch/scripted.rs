//! A watch against an API server that follows a script: what it asks, and what it reports.

use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::owner::Looked;
use crate::remark::{Remark, Weight};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use kube::client::Body;
use release::observed::{Owner, Report};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// One answer of the server.
pub(crate) enum Answer {
    /// Status and body.
    Whole(u16, String),
    /// Lines, then the end.
    Ends(Vec<String>),
    /// Lines, then nothing more, for ever: half dead.
    Hangs(Vec<String>),
    /// Not even a status.
    Never,
}

pub(crate) fn pod(name: &str, version: u32) -> String {
    format!(
        r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "{name}", "namespace": "shop", "uid": "{name}", "resourceVersion": "{version}"}}, "spec": {{"containers": []}}}}"#
    )
}

fn list(pods: &[&str], version: u32, more: &str) -> Answer {
    let items: Vec<_> = pods.iter().map(|name| pod(name, version)).collect();
    let text = format!(
        r#"{{"apiVersion": "v1", "kind": "PodList", "metadata": {{"resourceVersion": "{version}", "continue": "{more}"}}, "items": [{}]}}"#,
        items.join(",")
    );
    Answer::Whole(200, text)
}

pub(crate) fn event(kind: &str, object: &str) -> String {
    format!("{}\n", format_args!(r#"{{"type": "{kind}", "object": {object}}}"#))
}

fn bookmark(version: u32) -> String {
    let object = format!(
        r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"resourceVersion": "{version}"}}}}"#
    );
    event("BOOKMARK", &object)
}

pub(crate) fn status(code: u16, reason: &str) -> String {
    format!(
        r#"{{"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": {code}, "reason": "{reason}", "message": "scripted"}}"#
    )
}

pub(crate) type Asked = Arc<Mutex<Vec<String>>>;

/// A cluster whose API server gives these answers, one after the other; then it hangs.
pub(crate) fn cluster(answers: Vec<Answer>) -> (Cluster, Asked) {
    let asked = Asked::default();
    let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
    let log = asked.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let target = request.uri().path_and_query().unwrap().to_string();
        log.lock().unwrap().push(target);
        let answer = answers.lock().unwrap().pop_front();
        let answer = answer.unwrap_or(Answer::Hangs(Vec::new()));
        async move {
            if matches!(answer, Answer::Never) {
                std::future::pending::<()>().await;
            }
            Ok::<_, Infallible>(response(answer))
        }
    });
    let client = kube::Client::new(service, "default");
    let (context, namespace) = ("scripted".to_owned(), "default".to_owned());
    let server = "http://scripted".to_owned();
    (Cluster { client, context, namespace, server }, asked)
}

fn response(answer: Answer) -> Response<BoxBody<Bytes, Infallible>> {
    let frames = |lines: Vec<String>| {
        stream::iter(lines.into_iter().map(|line| Ok(Frame::data(Bytes::from(line)))))
    };
    let (code, body) = match answer {
        Answer::Whole(code, text) => (code, BodyExt::boxed(StreamBody::new(frames(vec![text])))),
        Answer::Never => (200, BodyExt::boxed(StreamBody::new(frames(Vec::new())))),
        Answer::Ends(lines) => (200, BodyExt::boxed(StreamBody::new(frames(lines)))),
        Answer::Hangs(lines) => {
            let lines = StreamExt::chain(frames(lines), stream::pending());
            (200, BodyExt::boxed(StreamBody::new(lines)))
        }
    };
    Response::builder().status(code).body(body).unwrap()
}

/// Runs a watch of pods until it has reported so much; what it reported, and what it asked.
async fn watched(answers: Vec<Answer>, count: usize) -> (Vec<String>, Vec<String>) {
    let (cluster, asked) = cluster(answers);
    let (out, mut reports) = mpsc::channel(16);
    let watching = cluster.watch_pods(None, 7, &out);
    let mut seen = Vec::new();
    tokio::select! {
        ended = watching => panic!("the watch ended: {ended:?}"),
        () = async {
            while seen.len() < count {
                seen.push(word(&reports.recv().await.unwrap()));
            }
            // Once more, for what it asks next.
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        } => {}
    }
    let asked = asked.lock().unwrap().iter().map(|target| short(target)).collect();
    (seen, asked)
}

fn word(report: &Report) -> String {
    match report {
        Report::ListBegins => "list".to_owned(),
        Report::Pod(pod) => format!("pod {}", pod.name),
        Report::ListEnds => "listed".to_owned(),
        Report::Gone(pod) => format!("gone {}", pod.name),
        Report::Alive => "alive".to_owned(),
        Report::Nodes(_) | Report::Node(..) | Report::NodeGone(_) => panic!("{report:?}"),
    }
}

/// `list`, `list more` or `watch 12`.
fn short(target: &str) -> String {
    let value = |name: &str| {
        let after = target.split_once(&format!("{name}="))?.1;
        Some(after.split('&').next().unwrap_or_default().to_owned())
    };
    match (value("watch"), value("continue")) {
        (Some(_), _) => format!("watch {}", value("resourceVersion").unwrap_or_default()),
        (None, Some(token)) => format!("list {token}"),
        (None, None) => "list".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_several_pages_is_followed_by_a_watch_from_its_version() {
    let answers = vec![
        list(&["a", "b"], 10, "more"),
        list(&["c"], 10, ""),
        Answer::Hangs(vec![
            event("ADDED", &pod("d", 11)),
            event("MODIFIED", &pod("d", 12)),
            event("DELETED", &pod("a", 13)),
            bookmark(20),
        ]),
    ];
    let (seen, asked) = watched(answers, 9).await;
    let expected =
        ["list", "pod a", "pod b", "pod c", "listed", "pod d", "pod d", "gone a", "alive"];
    assert_eq!(seen, expected);
    assert_eq!(asked, ["list", "list more", "watch 10"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_or_says_nothing_goes_on_from_the_last_version() {
    let answers = vec![
        list(&["a"], 10, ""),
        Answer::Ends(vec![event("MODIFIED", &pod("a", 11)), bookmark(15)]),
        Answer::Hangs(vec![event("MODIFIED", &pod("a", 16))]),
        Answer::Hangs(vec![event("DELETED", &pod("a", 17))]),
    ];
    let (seen, asked) = watched(answers, 7).await;
    assert_eq!(seen, ["list", "pod a", "listed", "pod a", "alive", "pod a", "gone a"]);
    assert_eq!(asked, ["list", "watch 10", "watch 15", "watch 16"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_too_old_begins_the_list_again() {
    for gone in [
        Answer::Whole(410, status(410, "Expired")),
        Answer::Ends(vec![event("ERROR", &status(410, "Expired"))]),
    ] {
        let answers = vec![
            list(&["a", "b"], 10, ""),
            gone,
            list(&["b"], 90, ""),
            Answer::Hangs(vec![bookmark(95)]),
        ];
        let (seen, asked) = watched(answers, 8).await;
        let expected = ["list", "pod a", "pod b", "listed", "list", "pod b", "listed", "alive"];
        assert_eq!(seen, expected);
        assert_eq!(asked, ["list", "watch 10", "list", "watch 90"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_snapshot_is_gone_begins_again_and_is_never_taken_for_complete() {
    let answers = vec![
        list(&["a", "b"], 10, "more"),
        Answer::Whole(410, status(410, "Expired")),
        list(&["a", "c"], 30, ""),
        Answer::Hangs(Vec::new()),
    ];
    let (seen, asked) = watched(answers, 7).await;
    assert_eq!(seen, ["list", "pod a", "pod b", "list", "pod a", "pod c", "listed"]);
    assert_eq!(asked, ["list", "list more", "list", "watch 30"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_for_a_while_is_asked_again() {
    let answers = vec![
        list(&["a"], 10, ""),
        Answer::Whole(500, status(500, "InternalError")),
        Answer::Whole(403, status(403, "Forbidden")),
        Answer::Hangs(vec![event("DELETED", &pod("a", 11))]),
    ];
    let (seen, asked) = watched(answers, 4).await;
    assert_eq!(seen, ["list", "pod a", "listed", "gone a"]);
    assert_eq!(asked, ["list", "watch 10", "watch 10", "watch 10"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_no_event_leads_to_a_new_list() {
    let answers = vec![
        list(&["a"], 10, ""),
        Answer::Hangs(vec!["{\"type\": \"ADDED\", \"object\": 7}\n".to_owned()]),
        list(&["a"], 20, ""),
        Answer::Hangs(vec![bookmark(21)]),
    ];
    let (seen, asked) = watched(answers, 7).await;
    assert_eq!(seen, ["list", "pod a", "listed", "list", "pod a", "listed", "alive"]);
    assert_eq!(asked, ["list", "watch 10", "list", "watch 20"]);
}

#[tokio::test(start_paused = true)]
async fn a_first_list_that_is_refused_is_told() {
    let (cluster, _) = cluster(vec![Answer::Whole(403, status(403, "Forbidden"))]);
    let (out, _reports) = mpsc::channel(16);
    let refused = cluster.watch_pods(Some("shop"), 7, &out).await.unwrap_err();
    let expected = "scripted does not let this user list pods in namespace shop";
    assert_eq!(refused.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_when_nobody_listens() {
    let (cluster, _) = cluster(vec![list(&["a"], 10, "")]);
    let (out, reports) = mpsc::channel(16);
    drop(reports);
    assert!(cluster.watch_pods(None, 7, &out).await.is_ok());
}

fn remark() -> Remark {
    Remark {
        name: "indelible-01kkyckdhg-0".to_owned(),
        reason: "TwoBuilds".to_owned(),
        note: "2 builds run in deployment/api".to_owned(),
        weight: Weight::Warning,
        at: "2026-03-17T15:02:00Z".parse().unwrap(),
    }
}

async fn remarked(answer: Answer) -> (Result<(), ClusterError>, Vec<String>) {
    let (cluster, asked) = cluster(vec![answer]);
    let owner = Owner { kind: "deployment".to_owned(), name: "api".to_owned() };
    let looked = Looked {
        api_version: "apps/v1".to_owned(),
        kind: "Deployment".to_owned(),
        uid: "u1".to_owned(),
        managers: Vec::new(),
        made_by: None,
    };
    let done = cluster.remark("shop", &owner, &looked, &remark()).await;
    let asked = asked.lock().unwrap().clone();
    (done, asked)
}

#[tokio::test]
async fn an_event_that_is_there_already_is_done_and_one_that_may_not_be_made_is_denied() {
    let (done, asked) = remarked(Answer::Whole(409, status(409, "AlreadyExists"))).await;
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(asked, ["/apis/events.k8s.io/v1/namespaces/shop/events?"]);
    let (denied, _) = remarked(Answer::Whole(403, status(403, "Forbidden"))).await;
    let Err(ClusterError::Denied { verb, what, .. }) = denied else { panic!("{denied:?}") };
    assert_eq!((verb, what.as_str()), ("create", "events in namespace shop"));
}

#[tokio::test]
async fn a_workload_is_looked_at_once_for_its_metadata_and_one_that_is_gone_is_none() {
    let owner = Owner { kind: "deployment".to_owned(), name: "api".to_owned() };
    let (there, asked) = cluster(vec![Answer::Whole(
        200,
        r#"{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"name": "api", "uid": "u1"}}"#
            .to_owned(),
    )]);
    let looked = there.look_at("shop", &owner).await.unwrap().unwrap();
    assert_eq!((looked.uid.as_str(), looked.kind.as_str()), ("u1", "Deployment"));
    assert_eq!(asked.lock().unwrap().len(), 1);
    let (gone, _) = cluster(vec![Answer::Whole(404, status(404, "NotFound"))]);
    assert_eq!(gone.look_at("shop", &owner).await.unwrap(), None);
    // What we do not know of is not asked for.
    let (never, asked) = cluster(Vec::new());
    let widget = Owner { kind: "widget".to_owned(), name: "api".to_owned() };
    assert_eq!(never.look_at("shop", &widget).await.unwrap(), None);
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_job_leads_to_its_cron_job_also_when_it_is_gone_and_one_of_nobody_stays() {
    let meta = |name: &str, owner: &str| {
        let text = format!(
            r#"{{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {{"name": "{name}", "uid": "{name}"{owner}}}}}"#
        );
        Answer::Whole(200, text)
    };
    let made = r#", "ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "backup", "uid": "1", "controller": true}]"#;
    let gone = || Answer::Whole(404, status(404, "NotFound"));
    for (job, answers, expected) in [
        ("by-hand", vec![meta("by-hand", made), meta("backup", "")], "cronjob/backup"),
        ("backup-29012345", vec![gone(), meta("backup", "")], "cronjob/backup"),
        ("migrate", vec![meta("migrate", "")], "job/migrate"),
        // Its CronJob is gone as well: the Job is all there is.
        ("by-hand", vec![meta("by-hand", made), gone()], "job/by-hand"),
    ] {
        let (cluster, _) = cluster(answers);
        let owner = Owner { kind: "job".to_owned(), name: job.to_owned() };
        let (maker, looked) = cluster.look_at_maker("shop", &owner).await.unwrap().unwrap();
        assert_eq!(maker.to_string(), expected);
        assert_eq!(looked.uid, maker.name);
    }
}
