//! Law 1 under load: 64 writers ask for one tag at the same moment, each with other bytes.
//!
//! The wire that this proves is the one from a socket to the row that decides; the decision itself
//! is tested where it stands.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use e2e::{Http, Server, push_blob, put_manifest, sha256};

const WRITERS: usize = 64;
const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &[u8] = b"{}";

/// A manifest of its own for each writer of each round.
fn manifest(round: usize, writer: usize) -> Vec<u8> {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MEDIA_TYPE}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{}","size":2}},"layers":[],"annotations":{{"writer":"{round}-{writer}"}}}}"#,
        sha256(CONFIG)
    )
    .into_bytes()
}

/// What each writer of one round was answered: its status, its manifest's digest.
fn one_round(
    connections: &mut [Http],
    tag: &str,
    bytes: impl Fn(usize) -> Vec<u8> + Sync,
) -> Vec<(u16, String)> {
    let start = Barrier::new(connections.len());
    thread::scope(|scope| {
        let writers: Vec<_> = connections
            .iter_mut()
            .enumerate()
            .map(|(writer, http)| {
                let (start, bytes) = (&start, &bytes);
                scope.spawn(move || {
                    let manifest = bytes(writer);
                    start.wait();
                    let answer = put_manifest(http, "shop/api", tag, MEDIA_TYPE, &manifest);
                    (answer.unwrap().status, sha256(&manifest))
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    })
}

fn history(http: &mut Http, tag: &str) -> Vec<serde_json::Value> {
    let target = format!("/v2/shop/api/_indelible/tags/{tag}/history");
    let answer = http.get(&target).unwrap().expect(200).unwrap();
    let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    page["history"].as_array().unwrap().clone()
}

fn count(answers: &[(u16, String)]) -> BTreeMap<u16, usize> {
    answers.iter().fold(BTreeMap::new(), |mut count, (status, _)| {
        *count.entry(*status).or_default() += 1;
        count
    })
}

fn resolved(http: &mut Http, tag: &str) -> String {
    let target = format!("/v2/shop/api/manifests/{tag}");
    let answer = http.get(&target).unwrap().expect(200).unwrap();
    let digest = answer.header("docker-content-digest").unwrap().to_owned();
    assert_eq!(digest, sha256(&answer.body), "law 11");
    digest
}

#[test]
fn of_64_writers_with_other_bytes_one_wins_and_the_tag_has_one_event() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data")).unwrap();
    let mut reader = server.connect().unwrap();
    push_blob(&mut reader, "shop/api", CONFIG).unwrap();
    let mut writers: Vec<Http> = (0..WRITERS).map(|_| server.connect().unwrap()).collect();
    let rounds = if testbed::long() { 1_000 } else { 50 };
    for round in 0..rounds {
        let tag = format!("1.{round}");
        let answers = one_round(&mut writers, &tag, |writer| manifest(round, writer));
        assert_eq!(
            count(&answers),
            BTreeMap::from([(201, 1), (409, WRITERS - 1)]),
            "round {round}"
        );
        let (_, winner) = answers.iter().find(|(status, _)| *status == 201).unwrap();
        assert_eq!(&resolved(&mut reader, &tag), winner, "round {round}");
        let events = history(&mut reader, &tag);
        assert_eq!(events.len(), 1, "round {round}: {events:?}");
        assert!(events[0].to_string().contains(winner.as_str()), "round {round}: {events:?}");
    }
    println!("{rounds} rounds of {WRITERS} writers");
}

#[test]
fn of_64_writers_with_the_same_bytes_all_succeed_and_the_tag_has_one_event() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data")).unwrap();
    let mut reader = server.connect().unwrap();
    push_blob(&mut reader, "shop/api", CONFIG).unwrap();
    let mut writers: Vec<Http> = (0..WRITERS).map(|_| server.connect().unwrap()).collect();
    for round in 0..10 {
        let tag = format!("2.{round}");
        let answers = one_round(&mut writers, &tag, |_| manifest(round, 0));
        assert_eq!(count(&answers), BTreeMap::from([(201, WRITERS)]), "round {round}");
        assert_eq!(history(&mut reader, &tag).len(), 1, "round {round}");
    }
}
