//! Tags that must not move, aliases that may, on registries that help and on those that do not.

use std::collections::BTreeMap;
use std::sync::Mutex;

use domain::{Digest, Tag};
use remote::{AliasMove, RemoteError, TagAt, TagWrite};

use crate::images::{IMAGE, Image, image};
use crate::script::{Reply, Script, Seen};

/// What a registry does with a PUT of a tag.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// As distribution: takes everything, ignores conditions and `?tag=`.
    Overwrites,
    /// As zot: writes each `?tag=` and echoes it.
    Echoes,
    /// Answers this for a tag that exists, as ECR 400, Hub 403, ACR 405, ours 409, Harbor 412.
    Immutable(u16),
    /// Answers 403 for every tag.
    Forbids,
    /// Says 201, and keeps nothing.
    Forgets,
}

/// A registry whose tags are these.
async fn registry(kind: Kind, tags: &[(&str, Digest)]) -> Script {
    let tags: BTreeMap<String, Digest> =
        tags.iter().map(|(tag, digest)| ((*tag).to_owned(), *digest)).collect();
    let tags = Mutex::new(tags);
    Script::start(move |seen, _| {
        let mut tags = tags.lock().unwrap();
        let name = seen.target.trim_start_matches("/v2/shop/api/manifests/");
        match seen.method.as_str() {
            "PUT" => put(kind, &mut tags, name, seen),
            _ => match name.parse::<Digest>().ok().or(tags.get(name).copied()) {
                Some(digest) => Reply::status(200)
                    .with("Docker-Content-Digest", digest)
                    .with("Content-Type", IMAGE),
                None => Reply::error(404, "MANIFEST_UNKNOWN"),
            },
        }
    })
    .await
}

fn put(kind: Kind, tags: &mut BTreeMap<String, Digest>, name: &str, seen: &Seen) -> Reply {
    let digest = Digest::sha256(&seen.body);
    if let Some((_, query)) = name.split_once('?') {
        let mut reply = Reply::status(201);
        if kind == Kind::Echoes {
            for tag in query.split('&').map(|pair| pair.trim_start_matches("tag=")) {
                tags.insert(tag.to_owned(), digest);
                reply = reply.with("OCI-Tag", tag);
            }
        }
        return reply;
    }
    if name.starts_with("sha256:") {
        return Reply::status(201);
    }
    match kind {
        Kind::Immutable(status) if tags.contains_key(name) => {
            return Reply::error(status, "DENIED");
        }
        Kind::Forbids => return Reply::error(403, "DENIED"),
        Kind::Forgets => return Reply::status(201),
        Kind::Overwrites | Kind::Echoes | Kind::Immutable(_) => {}
    }
    tags.insert(name.to_owned(), digest);
    Reply::status(201)
}

fn names(texts: &[&str]) -> Vec<Tag> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

fn other() -> Digest {
    Digest::sha256(b"other")
}

fn ours() -> Image {
    image(b"layer")
}

#[tokio::test]
async fn tags_are_created_and_a_second_time_the_same() {
    for kind in [Kind::Overwrites, Kind::Echoes, Kind::Immutable(409)] {
        let script = registry(kind, &[]).await;
        let repository = script.repository();
        let manifest = ours().manifest;
        let first =
            repository.put_manifest_tagged(&manifest, &names(&["1.4.2", "1.4"])).await.unwrap();
        assert_eq!(first, [TagWrite::Created, TagWrite::Created]);
        let again =
            repository.put_manifest_tagged(&manifest, &names(&["1.4.2", "1.4"])).await.unwrap();
        assert_eq!(again, [TagWrite::Same, TagWrite::Same]);
        assert_eq!(repository.tag(&manifest, &tag("1.4")).await.unwrap(), TagWrite::Same);
        assert_eq!(repository.tag(&manifest, &tag("new")).await.unwrap(), TagWrite::Created);
    }
}

#[tokio::test]
async fn several_tags_are_one_request_only_where_they_are_echoed() {
    for (kind, puts) in [(Kind::Echoes, 2), (Kind::Overwrites, 4)] {
        let script = registry(kind, &[]).await;
        script
            .repository()
            .put_manifest_tagged(&ours().manifest, &names(&["a", "b"]))
            .await
            .unwrap();
        assert_eq!(script.count("PUT"), puts);
        let alone = script
            .seen()
            .into_iter()
            .filter(|seen| seen.method == "PUT" && seen.target.ends_with("/a"));
        for put in alone {
            assert_eq!(put.header("if-none-match"), Some("*"));
        }
    }
}

#[tokio::test]
async fn a_taken_tag_stops_all_of_them_before_any_is_written() {
    for kind in [Kind::Overwrites, Kind::Echoes, Kind::Immutable(412)] {
        let script = registry(kind, &[("taken", other())]).await;
        let repository = script.repository();
        let fates = repository
            .put_manifest_tagged(&ours().manifest, &names(&["a", "taken", "b"]))
            .await
            .unwrap();
        assert_eq!(
            fates,
            [TagWrite::Skipped, TagWrite::Taken { there: other() }, TagWrite::Skipped]
        );
        assert_eq!(repository.tag_at(&tag("a")).await.unwrap(), TagAt::Absent);
        assert_eq!(repository.tag_at(&tag("taken")).await.unwrap(), TagAt::Digest(other()));
    }
}

/// A registry on which another writer is quicker: the tag is absent when asked, and taken when put.
async fn raced(status: u16, there: Digest) -> Script {
    let was_put = Mutex::new(false);
    Script::start(move |seen, _| {
        let mut was_put = was_put.lock().unwrap();
        match (seen.method.as_str(), *was_put) {
            ("PUT", _) if seen.target.contains("sha256:") => Reply::status(201),
            ("PUT", _) => {
                *was_put = true;
                Reply::error(status, "TAG_INVALID")
            }
            (_, false) => Reply::error(404, "MANIFEST_UNKNOWN"),
            (_, true) => {
                Reply::status(200).with("Docker-Content-Digest", there).with("Content-Type", IMAGE)
            }
        }
    })
    .await
}

#[tokio::test]
async fn each_answer_of_an_immutable_tag_is_settled_by_its_digest() {
    let manifest = ours().manifest;
    for status in [400, 403, 405, 409, 412] {
        let script = raced(status, other()).await;
        let fate = script.repository().tag(&manifest, &tag("1")).await.unwrap();
        assert_eq!(fate, TagWrite::Taken { there: other() }, "{status}");
        let script = raced(status, manifest.digest).await;
        let fate = script.repository().tag(&manifest, &tag("1")).await.unwrap();
        assert_eq!(fate, TagWrite::Same, "{status}");
    }
}

#[tokio::test]
async fn a_refusal_without_a_tag_is_denied_and_forgetting_is_an_error() {
    let script = registry(Kind::Forbids, &[]).await;
    let fate = script.repository().tag(&ours().manifest, &tag("1")).await.unwrap();
    let TagWrite::Denied { answered } = fate else {
        panic!("{fate:?}");
    };
    assert_eq!(answered.to_string(), format!("registry {} answered 403 (DENIED)", script.host));
    let script = registry(Kind::Forgets, &[]).await;
    let fate = script.repository().tag(&ours().manifest, &tag("1")).await;
    assert!(matches!(fate, Err(RemoteError::Protocol { .. })));
}

#[tokio::test]
async fn an_alias_moves_only_from_where_it_was_expected() {
    let manifest = ours().manifest;
    let script = registry(Kind::Overwrites, &[("uat", other())]).await;
    let repository = script.repository();
    let elsewhere = repository.move_alias(&manifest, &tag("uat"), TagAt::Absent).await.unwrap();
    assert_eq!(elsewhere, AliasMove::Elsewhere { there: TagAt::Digest(other()) });
    assert_eq!(script.count("PUT"), 0);
    let from = TagAt::Digest(other());
    let moved = repository.move_alias(&manifest, &tag("uat"), from).await.unwrap();
    assert_eq!(moved, AliasMove::Moved { from });
    let put = script.seen().into_iter().find(|seen| seen.method == "PUT").unwrap();
    assert_eq!(put.header("if-match"), Some(format!("\"{}\"", other()).as_str()));
    assert_eq!(repository.move_alias(&manifest, &tag("uat"), from).await.unwrap(), AliasMove::Same);
    let new = repository.move_alias(&manifest, &tag("prod"), TagAt::Absent).await.unwrap();
    assert_eq!(new, AliasMove::Moved { from: TagAt::Absent });
}

#[tokio::test]
async fn an_alias_that_the_registry_holds_fast_is_denied() {
    let script = registry(Kind::Immutable(409), &[("uat", other())]).await;
    let fate = script
        .repository()
        .move_alias(&ours().manifest, &tag("uat"), TagAt::Digest(other()))
        .await
        .unwrap();
    assert!(matches!(fate, AliasMove::Denied { .. }), "{fate:?}");
}

#[tokio::test]
async fn an_alias_that_another_writer_moved_is_elsewhere() {
    let third = Digest::sha256(b"third");
    let asked = Mutex::new(0);
    let script = Script::start(move |seen, _| {
        let mut asked = asked.lock().unwrap();
        if seen.method == "PUT" {
            return Reply::status(201);
        }
        *asked += 1;
        let there = if *asked == 1 { other() } else { third };
        Reply::status(200).with("Docker-Content-Digest", there).with("Content-Type", IMAGE)
    })
    .await;
    let fate = script
        .repository()
        .move_alias(&ours().manifest, &tag("uat"), TagAt::Digest(other()))
        .await
        .unwrap();
    assert_eq!(fate, AliasMove::Elsewhere { there: TagAt::Digest(third) });
}

#[tokio::test]
async fn could_not_find_out_is_no_fate() {
    let script = Script::start(|seen, _| match seen.method.as_str() {
        "PUT" => Reply::status(201),
        _ => Reply::error(403, "DENIED"),
    })
    .await;
    let fate = script.repository().tag(&ours().manifest, &tag("1")).await;
    assert!(matches!(fate, Err(RemoteError::Denied { .. })));
    assert_eq!(script.count("PUT"), 0, "nothing is written on a guess");
}
