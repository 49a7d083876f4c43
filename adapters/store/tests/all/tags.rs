//! Laws 1 to 3, on a real database.

use crate::shop::{Shop, by, config, digest_of, manifest, put, put_of, repository, rights, tag};
use domain::{Expect, Rule, TagClass};
use oci::{Descriptor, ImageFormat, Manifest};
use record::claim::{Right, Text};
use record::{Claim, Kind};
use store::{Kept, PutError, Query, TagOutcome, UnlockError, UnlockTag};

fn alias(tags: &str) -> Rule {
    Rule {
        repositories: "**".parse().unwrap(),
        tags: tags.parse().unwrap(),
        class: TagClass::Alias,
    }
}

#[tokio::test]
async fn an_immutable_tag_names_its_first_digest_for_ever() {
    let shop = Shop::open();
    let done = shop.push("a", &["v1"]).await.unwrap();
    assert_eq!((done.manifest, done.tags), (Kept::New, vec![(tag("v1"), TagOutcome::Created)]));
    let error = shop.push("b", &["v1"]).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("cannot be overwritten because the tag is immutable"), "{text}");
    assert!(text.contains(&digest_of("a").to_string()) && text.contains("put by ci"), "{text}");
    assert!(matches!(error, PutError::Taken { there, .. } if there.digest == digest_of("a")));
    assert_eq!(shop.names("v1").await, Some(digest_of("a")));
    // A rule that comes later changes nothing about it.
    shop.catalog.set_rule(alias("v1"), by("ada")).await.unwrap();
    assert!(matches!(shop.push("b", &["v1"]).await, Err(PutError::Taken { .. })));
}

#[tokio::test]
async fn the_same_digest_again_succeeds_and_is_no_event() {
    let shop = Shop::open();
    shop.push("a", &["v1"]).await.unwrap();
    let events = shop.ledger.count(vec![]).await.unwrap();
    let again = shop.push("a", &["v1"]).await.unwrap();
    assert_eq!((again.manifest, again.tags), (Kept::Already, vec![(tag("v1"), TagOutcome::Same)]));
    // Also under a condition that its own first write broke.
    shop.push_as("a", &["v1"], |put| put.expect = Expect::Absent).await.unwrap();
    assert_eq!(shop.ledger.count(vec![]).await.unwrap(), events);
}

#[tokio::test]
async fn several_tags_are_all_written_or_none() {
    let shop = Shop::open();
    shop.push("a", &["v1"]).await.unwrap();
    let events = shop.ledger.count(vec![]).await.unwrap();
    let error = shop.push("b", &["v2", "v1", "latest"]).await.unwrap_err();
    assert!(matches!(error, PutError::Taken { tag: at, .. } if at == tag("v1")));
    assert_eq!((shop.names("v2").await, shop.names("latest").await), (None, None));
    assert_eq!(shop.ledger.count(vec![]).await.unwrap(), events);
    let reference = oci::ManifestRef::Digest(digest_of("b"));
    assert_eq!(shop.catalog.manifest(&repository(), &reference).await.unwrap(), None);
}

#[tokio::test]
async fn every_alias_move_is_an_event_with_from_to_who_and_why() {
    let shop = Shop::open();
    shop.catalog.set_rule(alias("uat"), by("ada")).await.unwrap();
    shop.push("a", &["uat"]).await.unwrap();
    let why = Text::try_from("hotfix".to_owned()).unwrap();
    let done = shop.push_as("b", &["uat"], |put| put.reason = Some(why.clone())).await.unwrap();
    assert_eq!(done.tags, [(tag("uat"), TagOutcome::Moved { from: digest_of("a") })]);
    let history = shop.catalog.tag_history(&repository(), &tag("uat"), None, 10).await.unwrap();
    let Claim::TagChange(newest) = &history[0].event.claim else {
        panic!("another kind of event");
    };
    assert_eq!(newest.change.named(), Some(&digest_of("a")));
    assert_eq!(newest.change.names(), Some(&digest_of("b")));
    assert_eq!((newest.class, newest.reason.as_ref()), (Some(TagClass::Alias), Some(&why)));
    assert_eq!(history[0].event.stamp.actor.name(), "ci");
    assert_eq!(history.len(), 2);
    let row = shop.catalog.tag(&repository(), &tag("uat")).await.unwrap().unwrap();
    assert_eq!((row.revision, row.state.digest), (2, digest_of("b")));
    // Pages go on below a sequence number.
    let (path, uat) = (repository(), tag("uat"));
    let older = shop.catalog.tag_history(&path, &uat, Some(history[0].seq), 10);
    assert_eq!(older.await.unwrap(), history[1..]);
}

#[tokio::test]
async fn a_deleted_immutable_name_stays_burnt_but_takes_its_own_digest_back() {
    let shop = Shop::open();
    shop.push("a", &["v1"]).await.unwrap();
    shop.catalog.delete_tag(repository(), tag("v1"), None, by("ada")).await.unwrap();
    assert_eq!(shop.names("v1").await, None);
    let error = shop.push("b", &["v1"]).await.unwrap_err();
    assert!(matches!(&error, PutError::Burnt { there, .. } if there.actor.name() == "ada"));
    let back = shop.push("a", &["v1"]).await.unwrap();
    assert_eq!(back.tags, [(tag("v1"), TagOutcome::Restored { last: digest_of("a") })]);
    assert_eq!(shop.changes("v1").await, 3);
}

#[tokio::test]
async fn deleting_a_manifest_deletes_its_tags_and_burns_them() {
    let shop = Shop::open();
    shop.push("a", &["v1", "latest"]).await.unwrap();
    let delete = shop.catalog.delete_manifest(repository(), digest_of("a"), None, by("ada"));
    assert_eq!(delete.await.unwrap(), [tag("latest"), tag("v1")]);
    assert_eq!(shop.catalog.tags(&repository(), None, 10).await.unwrap(), Some(vec![]));
    assert!(matches!(shop.push("b", &["v1"]).await, Err(PutError::Burnt { .. })));
    shop.push("b", &["latest"]).await.unwrap();
    shop.push("a", &["v1"]).await.unwrap();
    assert_eq!(shop.names("v1").await, Some(digest_of("a")));
}

#[tokio::test]
async fn a_condition_that_does_not_hold_says_what_is_there() {
    let shop = Shop::open();
    shop.push("a", &["latest"]).await.unwrap();
    let (a, c) = (digest_of("a"), digest_of("c"));
    for expect in [Expect::Absent, Expect::Digest(c)] {
        let error = shop.push_as("b", &["latest"], |put| put.expect = expect).await.unwrap_err();
        assert!(matches!(error, PutError::Stale { found: Some(found), .. } if found == a));
    }
    let moved = shop.push_as("b", &["latest"], |put| put.expect = Expect::Digest(a)).await;
    assert_eq!(moved.unwrap().tags[0].1, TagOutcome::Moved { from: a });
}

#[tokio::test]
async fn rights_are_asked_for_what_a_write_turns_out_to_be() {
    let shop = Shop::open();
    shop.push("a", &["latest"]).await.unwrap();
    let new_only = || rights(&[Right::PushNewTags]);
    let denied = shop.push_as("b", &["latest"], |put| put.rights = new_only()).await.unwrap_err();
    assert!(matches!(denied, PutError::Denied { tag: Some(_), right: Right::MoveAlias }));
    shop.push_as("b", &["v2"], |put| put.rights = new_only()).await.unwrap();
    let move_only = || rights(&[Right::MoveAlias]);
    shop.push_as("b", &["latest"], |put| put.rights = move_only()).await.unwrap();
    let denied = shop.push_as("b", &["v3"], |put| put.rights = move_only()).await.unwrap_err();
    assert!(matches!(denied, PutError::Denied { tag: Some(_), right: Right::PushNewTags }));
    let denied = shop.push_as("c", &["latest"], |put| put.rights = move_only()).await.unwrap_err();
    assert!(matches!(denied, PutError::Denied { tag: None, right: Right::PushNewTags }));
    assert_eq!(denied.to_string(), "`push-new-tags` is needed");
}

#[tokio::test]
async fn an_unlocked_tag_moves_until_its_time_is_over() {
    let shop = Shop::open();
    shop.push("a", &["v1"]).await.unwrap();
    let who = by("root");
    let unlock = |until| UnlockTag {
        repository: repository(),
        tag: tag("v1"),
        reason: Text::try_from("wrong build".to_owned()).unwrap(),
        until,
    };
    let hour = 3_600_000;
    for until in [who.now, who.now.plus_millis(hour + 1)] {
        let error = shop.catalog.unlock(unlock(until), who.clone()).await.unwrap_err();
        assert!(matches!(error, UnlockError::Span), "{error}");
    }
    let until = who.now.plus_millis(hour);
    shop.catalog.unlock(unlock(until), who.clone()).await.unwrap();
    shop.push_as("b", &["v1"], |put| put.by.now = until.plus_millis(-1)).await.unwrap();
    let late = shop.push_as("c", &["v1"], |put| put.by.now = until).await.unwrap_err();
    assert!(matches!(late, PutError::Taken { there, .. } if there.digest == digest_of("b")));
    assert_eq!(shop.changes("v1").await, 3, "created, unlocked, moved");
    assert_eq!(shop.ledger.count(vec![Kind::Unlock]).await.unwrap(), 1);
}

#[tokio::test]
async fn only_what_is_written_and_immutable_is_unlocked() {
    let shop = Shop::open();
    shop.push("a", &["latest"]).await.unwrap();
    let who = by("root");
    let unlock = |name: &str| UnlockTag {
        repository: repository(),
        tag: tag(name),
        reason: Text::try_from("x".to_owned()).unwrap(),
        until: who.now.plus_millis(1),
    };
    let error = shop.catalog.unlock(unlock("latest"), who.clone()).await.unwrap_err();
    assert!(matches!(error, UnlockError::NotImmutable { .. }), "{error}");
    let error = shop.catalog.unlock(unlock("v9"), who.clone()).await.unwrap_err();
    assert!(matches!(error, UnlockError::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn an_append_tag_only_grows() {
    let shop = Shop::open();
    let name = format!("sha256-{}.sig", "a".repeat(64));
    let layers = |words: &[&str]| {
        let layers: Vec<_> = words
            .iter()
            .map(|word| {
                Descriptor::of("application/vnd.dev.cosign.simplesigning.v1+json", word.as_bytes())
            })
            .collect();
        Manifest::image(ImageFormat::Oci, config("a"), layers)
    };
    for word in ["a", "one", "two"] {
        let digest = config(word).digest;
        shop.catalog.link_blob(repository(), digest, 1).await.unwrap();
    }
    let push = |words: &[&str]| shop.catalog.put_manifest(put_of(layers(words), &[&name]));
    push(&["one"]).await.unwrap();
    push(&["one", "two"]).await.unwrap();
    let error = push(&["two"]).await.unwrap_err();
    assert!(matches!(error, PutError::Drops { .. }), "{error}");
}

#[tokio::test]
async fn what_a_manifest_names_must_be_there_first() {
    let shop = Shop::open();
    let lone = shop.catalog.put_manifest(put("a", &["v1"])).await.unwrap_err();
    assert!(matches!(lone, PutError::Missing { missing } if missing == [config("a").digest]));
    let child = Descriptor::of(manifest("a").media_type.as_str(), &manifest("a").write());
    let index = Manifest::index(ImageFormat::Oci, vec![child]);
    let error = shop.catalog.put_manifest(put_of(index.clone(), &[])).await.unwrap_err();
    assert!(matches!(error, PutError::Missing { missing } if missing == [digest_of("a")]));
    // Nothing of a refused write stays, not even its repository.
    assert_eq!(shop.catalog.repositories(None, 10).await.unwrap(), []);
    shop.push("a", &[]).await.unwrap();
    shop.catalog.put_manifest(put_of(index, &["v1"])).await.unwrap();
}

#[tokio::test]
async fn bytes_that_are_not_their_digest_are_refused() {
    let shop = Shop::open();
    let wrong = shop.push_as("a", &["v1"], |put| put.digest = digest_of("b")).await;
    assert!(matches!(wrong, Err(PutError::Digest(_))));
}

#[tokio::test]
async fn an_image_is_said_once_and_a_tag_change_per_tag() {
    let shop = Shop::open();
    shop.push("a", &["v1", "latest"]).await.unwrap();
    shop.push_as("a", &["v1"], |put| put.repository = "shop/web".parse().unwrap())
        .await
        .unwrap_err();
    let web: domain::RepositoryPath = "shop/web".parse().unwrap();
    shop.catalog.mount_blob(repository(), web.clone(), config("a").digest).await.unwrap();
    shop.push_as("a", &["v1"], |put| put.repository = web).await.unwrap();
    assert_eq!(shop.ledger.count(vec![Kind::Image]).await.unwrap(), 1);
    assert_eq!(shop.ledger.count(vec![Kind::TagChange]).await.unwrap(), 3);
    let all = shop.ledger.events(Query::default()).await.unwrap();
    assert_eq!(all.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_read_after_an_answered_write_sees_it() {
    let shop = Shop::open();
    for round in 0..20 {
        let word = format!("w{round}");
        shop.push(&word, &["latest"]).await.unwrap();
        // Twice: the second read is from memory.
        for _ in 0..2 {
            assert_eq!(shop.names("latest").await, Some(digest_of(&word)));
        }
    }
    let gone = digest_of("w19");
    shop.catalog.delete_manifest(repository(), gone, None, by("ada")).await.unwrap();
    assert_eq!(shop.names("latest").await, None);
    let by_digest = oci::ManifestRef::Digest(gone);
    assert_eq!(shop.catalog.manifest(&repository(), &by_digest).await.unwrap(), None);
    shop.push("w1", &["latest"]).await.unwrap();
    assert_eq!(shop.names("latest").await, Some(digest_of("w1")));
    shop.catalog.delete_tag(repository(), tag("latest"), None, by("ada")).await.unwrap();
    assert_eq!(shop.names("latest").await, None);
}

#[tokio::test]
async fn an_unlock_is_a_line_of_its_tag_s_history() {
    let shop = Shop::open();
    shop.push("a", &["v1", "v2"]).await.unwrap();
    let who = by("root");
    let until = who.now.plus_millis(60_000);
    let reason = Text::try_from("wrong build".to_owned()).unwrap();
    let unlock = UnlockTag { repository: repository(), tag: tag("v1"), reason, until };
    shop.catalog.unlock(unlock, who).await.unwrap();
    let kinds = |found: Vec<record::Sequenced>| -> Vec<Kind> {
        found.iter().map(|one| one.event.claim.kind()).collect()
    };
    let own = shop.catalog.tag_history(&repository(), &tag("v1"), None, 10).await.unwrap();
    assert_eq!(kinds(own), [Kind::Unlock, Kind::TagChange]);
    let other = shop.catalog.tag_history(&repository(), &tag("v2"), None, 10).await.unwrap();
    assert_eq!(kinds(other), [Kind::TagChange]);
}

#[tokio::test]
async fn the_history_of_a_repository_holds_tags_that_are_gone_and_goes_on_above_a_page() {
    let shop = Shop::open();
    // 1 001 tags, in requests of at most 46.
    let names: Vec<String> = (0..1_001).map(|at| format!("v{at}")).collect();
    for some in names.chunks(46) {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        shop.push("a", &some).await.unwrap();
    }
    shop.catalog.delete_tag(repository(), tag("v0"), None, by("ada")).await.unwrap();
    let path = repository();
    let first = shop.catalog.repository_history(&path, None, 1_001).await.unwrap();
    assert_eq!(first.len(), 1_001, "one above a page tells that there is more");
    let newest = first[0].event.claim.as_tag_change().unwrap();
    assert!(matches!(newest.change, record::claim::TagChange::Deleted { .. }));
    let rest = shop.catalog.repository_history(&path, Some(first[1_000].seq), 1_001).await.unwrap();
    assert_eq!(rest.len(), 1);
}
