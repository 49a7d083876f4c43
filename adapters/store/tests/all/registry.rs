//! The registry's tables beside tags: listings, membership, referrers, rules, tokens.

use crate::shop::{Shop, by, config, digest_of, manifest, put_of, repository, tag};
use bytes::Bytes;
use domain::{Digest, RepositoryPath, Rule, TagClass};
use oci::{Descriptor, ImageFormat, Manifest, ManifestRef};
use record::Kind;
use record::claim::Right;
use store::{DeleteError, MANIFEST_IN_ROW_BYTES_MAX, NewToken, TokenError, TokenHash};

#[tokio::test]
async fn tags_are_listed_in_byte_order_by_pages() {
    let shop = Shop::open();
    assert_eq!(shop.catalog.tags(&repository(), None, 10).await.unwrap(), None);
    shop.push("a", &["b", "B", "a.1", "a-1", "_"]).await.unwrap();
    shop.catalog.delete_tag(repository(), tag("_"), None, by("ada")).await.unwrap();
    let page = async |after: Option<&str>, limit| {
        let tags = shop.catalog.tags(&repository(), after, limit).await.unwrap().unwrap();
        tags.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 10).await, ["B", "a-1", "a.1", "b"]);
    assert_eq!(page(None, 2).await, ["B", "a-1"]);
    assert_eq!(page(Some("a-1"), 2).await, ["a.1", "b"]);
    assert_eq!(page(Some("a-"), 1).await, ["a-1"]);
    assert!(page(Some("b"), 2).await.is_empty());
    assert!(page(None, 0).await.is_empty());
}

#[tokio::test]
async fn a_blob_is_shown_only_where_it_was_put() {
    let shop = Shop::open();
    let (api, web): (RepositoryPath, RepositoryPath) = (repository(), "web".parse().unwrap());
    let blob = config("a").digest;
    shop.catalog.link_blob(api.clone(), blob, 7).await.unwrap();
    shop.catalog.link_blob(api.clone(), blob, 7).await.unwrap();
    assert_eq!(shop.catalog.blob(&api, &blob).await.unwrap(), Some(7));
    assert_eq!(shop.catalog.blob(&web, &blob).await.unwrap(), None);
    let absent = Digest::sha256(b"absent");
    let mount = |digest| shop.catalog.mount_blob(repository(), "web".parse().unwrap(), digest);
    assert_eq!(mount(absent).await.unwrap(), None);
    assert_eq!(mount(blob).await.unwrap(), Some(7));
    assert_eq!(shop.catalog.blob(&web, &blob).await.unwrap(), Some(7));
    assert_eq!(
        shop.catalog.repositories_with(&blob, 10).await.unwrap(),
        [api.clone(), web.clone()]
    );
    shop.catalog.delete_blob(api.clone(), blob).await.unwrap();
    assert_eq!(shop.catalog.blob(&api, &blob).await.unwrap(), None);
    assert_eq!(shop.catalog.blob(&web, &blob).await.unwrap(), Some(7));
    let again = shop.catalog.delete_blob(api.clone(), blob).await.unwrap_err();
    assert!(matches!(again, DeleteError::Unknown { .. }));
    assert_eq!(shop.catalog.repositories(Some("shop/api"), 10).await.unwrap(), [web]);
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted() {
    let shop = Shop::open();
    shop.push("a", &[]).await.unwrap();
    let error = shop.catalog.delete_blob(repository(), config("a").digest).await.unwrap_err();
    assert!(matches!(error, DeleteError::InUse { by, .. } if by == digest_of("a")));
    let child = Descriptor::of(manifest("a").media_type.as_str(), &manifest("a").write());
    let index = put_of(Manifest::index(ImageFormat::Oci, vec![child]), &["v1"]);
    let top = index.digest;
    shop.catalog.put_manifest(index).await.unwrap();
    let delete = |digest| shop.catalog.delete_manifest(repository(), digest, None, by("ada"));
    let error = delete(digest_of("a")).await.unwrap_err();
    assert!(matches!(error, DeleteError::InUse { by, .. } if by == top));
    delete(top).await.unwrap();
    delete(digest_of("a")).await.unwrap();
    shop.catalog.delete_blob(repository(), config("a").digest).await.unwrap();
    assert!(matches!(delete(top).await, Err(DeleteError::Unknown { .. })));
}

#[tokio::test]
async fn referrers_are_listed_with_their_type_and_annotations() {
    let shop = Shop::open();
    shop.push("a", &["v1"]).await.unwrap();
    let subject = Descriptor::of(manifest("a").media_type.as_str(), &manifest("a").write());
    let mut attached = Vec::new();
    for kind in ["application/spdx+json", "application/vnd.example.sig"] {
        let mut referrer = manifest("a");
        referrer.subject = Some(subject.clone());
        referrer.artifact_type = Some(kind.to_owned());
        referrer.annotations.insert("by".to_owned(), kind.to_owned());
        let put = put_of(referrer, &[]);
        attached.push((put.digest, kind));
        shop.catalog.put_manifest(put).await.unwrap();
    }
    attached.sort();
    let list = async |kind: Option<&str>, after: Option<&Digest>| {
        let subject = digest_of("a");
        shop.catalog.referrers(&repository(), &subject, kind, after, 10).await.unwrap()
    };
    let all = list(None, None).await;
    assert_eq!(all.len(), 2);
    for (descriptor, (digest, kind)) in all.iter().zip(&attached) {
        assert_eq!(
            (&descriptor.digest, descriptor.artifact_type.as_deref()),
            (digest, Some(*kind))
        );
        assert_eq!(descriptor.annotations["by"], *kind);
    }
    assert_eq!(list(Some(attached[1].1), None).await, all[1..]);
    assert_eq!(list(None, Some(&attached[0].0)).await, all[1..]);
    // An entry goes away with its manifest; an unknown subject has none.
    let delete = shop.catalog.delete_manifest(repository(), attached[0].0, None, by("ada"));
    delete.await.unwrap();
    assert_eq!(list(None, None).await, all[1..]);
    let other = shop.catalog.referrers(&repository(), &digest_of("z"), None, None, 10).await;
    assert_eq!(other.unwrap(), []);
}

#[tokio::test]
async fn a_manifest_is_given_back_byte_for_byte_also_one_that_is_a_file() {
    let shop = Shop::open();
    shop.catalog.link_blob(repository(), config("a").digest, 1).await.unwrap();
    for padding in [0, MANIFEST_IN_ROW_BYTES_MAX] {
        let mut manifest = manifest("a");
        manifest.annotations.insert("padding".to_owned(), "x".repeat(padding));
        let put = put_of(manifest, &[]);
        let (digest, bytes) = (put.digest, put.bytes.clone());
        shop.catalog.put_manifest(put).await.unwrap();
        let reference = ManifestRef::Digest(digest);
        let found = shop.catalog.manifest(&repository(), &reference).await.unwrap().unwrap();
        assert_eq!((found.bytes, found.class), (bytes.clone(), None));
        assert_eq!(found.media_type, "application/vnd.oci.image.manifest.v1+json");
        let is_file = shop.folder.blobs().read(&digest, 1 << 20).await.unwrap();
        assert_eq!(is_file, (padding > 0).then_some(bytes));
    }
}

#[tokio::test]
async fn a_manifest_of_64_kib_is_in_its_row_and_one_byte_more_is_a_file() {
    let shop = Shop::open();
    shop.catalog.link_blob(repository(), config("a").digest, 1).await.unwrap();
    for (size, is_file) in [(64 * 1024, false), (64 * 1024 + 1, true)] {
        let mut manifest = manifest("a");
        manifest.annotations.insert("p".to_owned(), String::new());
        let padding = size - manifest.write().len();
        manifest.annotations.insert("p".to_owned(), "x".repeat(padding));
        let put = put_of(manifest, &[]);
        let digest = put.digest;
        assert_eq!(put.bytes.len(), size);
        shop.catalog.put_manifest(put).await.unwrap();
        assert_eq!(shop.folder.blobs().open(&digest).await.unwrap().is_some(), is_file);
    }
}

#[tokio::test]
async fn damaged_bytes_of_a_manifest_are_never_given_out() {
    let shop = Shop::open();
    shop.push("a", &["v1"]).await.unwrap();
    let file = rusqlite::Connection::open(shop.folder.database().path()).unwrap();
    file.execute_batch("UPDATE manifest SET body = CAST(body || ' ' AS BLOB)").unwrap();
    let found = shop.catalog.manifest(&repository(), &ManifestRef::Tag(tag("v1"))).await;
    let error = found.unwrap_err().to_string();
    assert!(error.contains("the store is damaged") && error.contains("expected"), "{error}");
}

#[tokio::test]
async fn the_newest_rule_is_asked_first_and_the_same_again_is_no_event() {
    let shop = Shop::open();
    let rule = |class| Rule {
        repositories: "shop/*".parse().unwrap(),
        tags: "uat".parse().unwrap(),
        class,
    };
    let set = |rule| shop.catalog.set_rule(rule, by("ada"));
    set(rule(TagClass::Alias)).await.unwrap();
    set(rule(TagClass::Alias)).await.unwrap();
    assert_eq!(shop.ledger.count(vec![Kind::Rule]).await.unwrap(), 1);
    shop.push("a", &["uat"]).await.unwrap();
    let class_of = async |name: &str| {
        let found = shop.catalog.manifest(&repository(), &ManifestRef::Tag(tag(name))).await;
        found.unwrap().unwrap().class
    };
    assert_eq!(class_of("uat").await, Some(TagClass::Alias));
    // A new tag is written by the newest rule, at once.
    let all = Rule { tags: "*".parse().unwrap(), ..rule(TagClass::Alias) };
    set(all.clone()).await.unwrap();
    shop.push("a", &["v1"]).await.unwrap();
    assert_eq!(class_of("v1").await, Some(TagClass::Alias));
    set(rule(TagClass::Immutable)).await.unwrap();
    assert_eq!(shop.catalog.rules().await.unwrap().rules(), [rule(TagClass::Immutable), all]);
}

#[tokio::test]
async fn a_token_is_found_by_its_hash_until_it_is_revoked() {
    let shop = Shop::open();
    let hash = TokenHash([7; 32]);
    let token = |name: &str, hash| NewToken {
        name: name.to_owned(),
        hash,
        rights: vec![Right::PushNewTags, Right::MoveAlias],
        repositories: "shop/**".parse().unwrap(),
    };
    shop.catalog.create_token(token("ci", hash), by("ada")).await.unwrap();
    let found = shop.catalog.token(hash).await.unwrap().unwrap();
    assert_eq!(found.rights, [Right::PushNewTags, Right::MoveAlias]);
    assert_eq!(found.repositories.as_str(), "shop/**");
    assert_eq!(shop.catalog.token(TokenHash([8; 32])).await.unwrap(), None);
    let again = shop.catalog.create_token(token("ci", TokenHash([9; 32])), by("ada")).await;
    assert!(matches!(again, Err(TokenError::Taken { .. })));
    shop.catalog.revoke_token("ci", by("ada")).await.unwrap();
    shop.catalog.revoke_token("ci", by("ada")).await.unwrap();
    assert_eq!(shop.catalog.token(hash).await.unwrap(), None);
    assert!(shop.catalog.tokens().await.unwrap()[0].revoked.is_some());
    assert_eq!(shop.ledger.count(vec![Kind::Token]).await.unwrap(), 2);
    let error = shop.catalog.revoke_token("x", by("ada")).await.unwrap_err();
    assert!(matches!(error, TokenError::Unknown { .. }));
    // Neither the secret nor its hash is in the record.
    let file = rusqlite::Connection::open(shop.folder.database().path()).unwrap();
    let bodies: i64 = file
        .query_row("SELECT count(*) FROM event WHERE instr(body, x'0707070707') > 0", [], |r| {
            r.get(0)
        })
        .unwrap();
    assert_eq!(bodies, 0);
}

#[tokio::test]
async fn a_token_s_name_has_100_characters_and_not_101() {
    let shop = Shop::open();
    for (length, fits) in [(100, true), (101, false), (0, false)] {
        let token = NewToken {
            name: "n".repeat(length),
            hash: TokenHash([u8::try_from(length).unwrap(); 32]),
            rights: vec![],
            repositories: "**".parse().unwrap(),
        };
        let made = shop.catalog.create_token(token, by("ada")).await;
        assert_eq!(made.is_ok(), fits, "{length}");
    }
}

#[tokio::test]
async fn bytes_of_a_stranger_are_kept_verbatim() {
    let shop = Shop::open();
    shop.catalog.link_blob(repository(), config("a").digest, 1).await.unwrap();
    let mut text = String::from_utf8(manifest("a").write()).unwrap();
    text = text.replacen('{', "{ \"x-unknown\" : [1 ,2], ", 1);
    let mut put = put_of(manifest("a"), &["v1"]);
    put.bytes = Bytes::from(text.clone());
    put.digest = Digest::sha256(text.as_bytes());
    shop.catalog.put_manifest(put).await.unwrap();
    let found = shop.catalog.manifest(&repository(), &ManifestRef::Tag(tag("v1"))).await;
    assert_eq!(found.unwrap().unwrap().bytes, text);
}

/// Runs SQL beside the store: a full table is made in one transaction, not in thousands.
fn run_sql(shop: &Shop, sql: &str) {
    let file = rusqlite::Connection::open(shop.folder.database().path()).unwrap();
    file.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_registry_keeps_10000_tokens_and_not_one_more() {
    let shop = Shop::open();
    assert_eq!(store::TOKENS_MAX, 10_000);
    run_sql(
        &shop,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) \
         INSERT INTO token SELECT 't' || i, CAST('hash ' || i AS BLOB), 'pull', '**', 1, NULL FROM n;",
    );
    for (name, fits) in [("at", true), ("above", false)] {
        let hash = TokenHash(*Digest::sha256(name.as_bytes()).as_bytes().first_chunk().unwrap());
        let repositories = "**".parse().unwrap();
        let token = NewToken { name: name.to_owned(), hash, rights: vec![], repositories };
        let made = shop.catalog.create_token(token, by("ada")).await;
        assert_eq!(made.is_ok(), fits, "{name}");
        let is_refused = matches!(made, Err(TokenError::TooMany));
        assert_eq!(is_refused, !fits, "{name}");
    }
    assert_eq!(shop.catalog.tokens().await.unwrap().len(), 10_000);
}

#[tokio::test]
async fn a_registry_keeps_1000_rules_and_not_one_more() {
    let shop = Shop::open();
    assert_eq!(domain::rule::RULES_MAX, 1_000);
    run_sql(
        &shop,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) \
         INSERT INTO rule SELECT 'team/r' || i, '*', 'alias', i FROM n;",
    );
    let set = |tags: &str| {
        let rule = Rule {
            repositories: "**".parse().unwrap(),
            tags: tags.parse().unwrap(),
            class: TagClass::Alias,
        };
        shop.catalog.set_rule(rule, by("ada"))
    };
    set("at").await.unwrap();
    let refused = set("above").await.unwrap_err();
    assert!(matches!(refused, store::RuleError::TooMany), "{refused}");
    // One that is there already is no further one.
    set("at").await.unwrap();
}
