//! Laws 1, 2, 3 and 11, as a client meets them.

use crate::client::Server;
use crate::images::{IMAGE, alias_rule, digest, image, push, put};
use std::sync::Barrier;

#[test]
fn other_bytes_on_an_immutable_tag_are_refused_with_who_and_when() {
    let server = Server::start();
    let first = push(&server, "shop/api", "1.4", "one");
    let other = image(&server, "shop/api", "two");
    let refused = put(&server, "shop/api", "1.4", &other);
    assert_eq!((refused.status, refused.code().as_str()), (409, "DENIED"));
    let message = refused.message();
    for part in [
        "cannot be overwritten because the tag is immutable",
        &first,
        "anonymous (loopback)",
        "`1.4`",
        "shop/api",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let detail = &refused.json()["errors"][0]["detail"];
    assert_eq!(detail["reason"], "taken");
    assert_eq!(detail["existing"], first);
    assert_eq!(detail["incoming"], digest(&other));
    assert_eq!(detail["by"], "anonymous (loopback)");
    assert!(detail["at"].as_str().unwrap().ends_with('Z'));
    let there = server.get("/v2/shop/api/manifests/1.4");
    assert_eq!(there.header("docker-content-digest"), Some(first.as_str()));
}

#[test]
fn the_same_digest_again_succeeds_and_is_no_event() {
    let server = Server::start();
    let manifest = image(&server, "a", "x");
    assert_eq!(put(&server, "a", "1", &manifest).status, 201);
    assert_eq!(put(&server, "a", "1", &manifest).status, 201);
    let again = server
        .ask("PUT", "/v2/a/manifests/1")
        .header("Content-Type", IMAGE)
        .header("If-None-Match", "*")
        .body(&manifest)
        .send();
    assert_eq!(again.status, 201, "a re-run finds its own work");
    let history = server.get("/api/v1/tag-history?repository=a&tag=1").json();
    assert_eq!(history["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_deleted_immutable_name_stays_burnt_for_other_bytes() {
    let server = Server::start();
    let first = push(&server, "a", "1", "one");
    assert_eq!(server.delete("/v2/a/manifests/1").status, 202);
    assert_eq!(server.get("/v2/a/manifests/1").status, 404);
    let refused = put(&server, "a", "1", &image(&server, "a", "two"));
    assert_eq!((refused.status, refused.code().as_str()), (409, "DENIED"));
    assert!(refused.message().contains("cannot be overwritten because the tag is immutable"));
    assert_eq!(refused.json()["errors"][0]["detail"]["reason"], "burnt");
    assert_eq!(refused.json()["errors"][0]["detail"]["existing"], first);
    push(&server, "a", "1", "one");
    let history = server.get("/api/v1/tag-history?repository=a&tag=1").json();
    let changes = history["items"].as_array().unwrap().iter().map(|item| item["change"].clone());
    assert_eq!(changes.collect::<Vec<_>>(), ["restored", "deleted", "created"]);
}

#[test]
fn an_alias_moves_and_its_history_says_who_from_where_and_why() {
    let server = Server::start();
    alias_rule(&server, "uat");
    let one = push(&server, "a", "uat", "one");
    let two = image(&server, "a", "two");
    let moved = server
        .ask("PUT", "/v2/a/manifests/uat")
        .header("Content-Type", IMAGE)
        .header("Indelible-Reason", "release%20%C3%A9t%C3%A9")
        .body(&two)
        .send();
    assert_eq!(moved.status, 201);
    assert!(moved.headers("warning")[0].contains(&one));
    let pulled = server.get("/v2/a/manifests/uat");
    let pin = format!("a@{}", digest(&two));
    assert!(pulled.headers("warning")[0].contains(&pin));
    let items = server.get("/api/v1/tag-history?repository=a&tag=uat").json()["items"].clone();
    assert_eq!(items[0]["change"], "moved");
    assert_eq!(items[0]["from"], one);
    assert_eq!(items[0]["digest"], digest(&two));
    assert_eq!(items[0]["reason"], "release été");
    assert_eq!(items[0]["actor"]["name"], "anonymous (loopback)");
    assert_eq!(items[0]["actor"]["proof"], "none");
}

#[test]
fn a_rule_that_comes_later_does_not_make_an_immutable_tag_an_alias() {
    let server = Server::start();
    push(&server, "a", "uat", "one");
    alias_rule(&server, "uat");
    assert_eq!(put(&server, "a", "uat", &image(&server, "a", "two")).status, 409);
    let explained = server.get("/api/v1/rules?repository=a&tag=uat").json();
    assert_eq!((&explained["class"], &explained["fixed"]), (&"immutable".into(), &true.into()));
}

#[test]
fn conditions_are_kept_or_answered_412() {
    let server = Server::start();
    alias_rule(&server, "uat");
    let one = push(&server, "a", "uat", "one");
    let write = |header: &str, value: &str, layer: &str| {
        let manifest = image(&server, "a", layer);
        let asking = server.ask("PUT", "/v2/a/manifests/uat").header("Content-Type", IMAGE);
        asking.header(header, value).body(manifest).send()
    };
    let stale = write("If-None-Match", "*", "two");
    assert_eq!((stale.status, stale.code().as_str()), (412, "DENIED"));
    assert_eq!(stale.json()["errors"][0]["detail"]["existing"], one);
    assert_eq!(write("If-Match", &format!("\"{}\"", digest("x")), "two").status, 412);
    assert_eq!(write("If-Match", &format!("\"{one}\""), "two").status, 201);
    assert_eq!(write("If-Match", &format!("\"{one}\""), "three").status, 412);
    assert_eq!(write("If-Match", "\"v1\"", "three").status, 400);
    assert_eq!(write("If-None-Match", &format!("\"{one}\""), "three").status, 400);
}

#[test]
fn several_tags_are_written_together_or_not_at_all() {
    let server = Server::start();
    let one = image(&server, "a", "one");
    let target =
        |manifest: &str, tags: &str| format!("/v2/a/manifests/{}?{tags}", digest(manifest));
    let write = |manifest: &str, tags: &str| {
        let asking = server.ask("PUT", &target(manifest, tags));
        asking.header("Content-Type", IMAGE).body(manifest).send()
    };
    let written = write(&one, "tag=1.0&tag=1&tag=1.0");
    assert_eq!(written.status, 201);
    assert_eq!(written.headers("oci-tag"), ["1.0", "1"]);
    let two = image(&server, "a", "two");
    assert_eq!(write(&two, "tag=2.0&tag=1").status, 409);
    assert_eq!(server.get("/v2/a/manifests/2.0").status, 404);
    assert_eq!(server.get(&format!("/v2/a/manifests/{}", digest(&two))).status, 404);
    assert!(write(&two, "").headers("oci-tag").is_empty());
}

#[test]
fn an_append_tag_only_grows() {
    let server = Server::start();
    let config = crate::images::push_blob(&server, "a", b"{}");
    let layers = ["one", "two"].map(|text| crate::images::push_blob(&server, "a", text.as_bytes()));
    let tag = format!("sha256-{}.sig", "a".repeat(64));
    let short = crate::images::manifest(&config, &layers[0], 3);
    let layer = |at: usize| {
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{}","size":3}}"#,
            layers[at]
        )
    };
    let long = short.replace("}]}", &format!("}},{}]}}", layer(1)));
    assert_eq!(put(&server, "a", &tag, &short).status, 201);
    assert_eq!(put(&server, "a", &tag, &long).status, 201);
    let refused = put(&server, "a", &tag, &short);
    assert_eq!((refused.status, refused.code().as_str()), (409, "DENIED"));
    assert_eq!(refused.json()["errors"][0]["detail"]["reason"], "drops");
}

#[test]
fn an_unlock_opens_one_tag_and_the_history_keeps_both_digests() {
    let server = Server::start();
    let one = push(&server, "a", "1", "one");
    push(&server, "a", "2", "one");
    let unlock = |body: &str| server.post_api("/api/v1/unlock", body).send();
    let body = |minutes: i64, reason: &str| {
        format!(r#"{{"repository":"a","tag":"1","reason":"{reason}","minutes":{minutes}}}"#)
    };
    assert_eq!(unlock(&body(61, "broken build")).status, 400);
    assert_eq!(unlock(&body(0, "broken build")).status, 400);
    assert_eq!(unlock(&body(60, " ")).status, 400);
    assert_eq!(put(&server, "a", "1", &image(&server, "a", "two")).status, 409);
    assert_eq!(unlock(&body(60, "broken build")).status, 201);
    let two = push(&server, "a", "1", "two");
    assert_eq!(put(&server, "a", "2", &image(&server, "a", "two")).status, 409);
    let items = server.get("/api/v1/tag-history?repository=a&tag=1").json()["items"].clone();
    assert_eq!((&items[0]["from"], &items[0]["digest"]), (&one.into(), &two.into()));
    assert_eq!(unlock(&body(5, "x").replace("\"1\"", "\"9\"")).status, 404);
}

#[test]
fn sixty_four_writers_race_for_one_tag_and_one_wins() {
    const WRITERS: usize = 64;
    let server = Server::start();
    let manifests: Vec<String> =
        (0..WRITERS).map(|at| image(&server, "a", &format!("layer {at}"))).collect();
    for round in 0..50 {
        let tag = format!("r{round}");
        let barrier = Barrier::new(WRITERS);
        let statuses: Vec<(u16, String)> = std::thread::scope(|scope| {
            let writers: Vec<_> = manifests
                .iter()
                .map(|manifest| {
                    let (server, tag, barrier) = (&server, &tag, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        (put(server, "a", tag, manifest).status, digest(manifest))
                    })
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        let won: Vec<&(u16, String)> =
            statuses.iter().filter(|(status, _)| *status == 201).collect();
        assert_eq!(won.len(), 1, "round {round}");
        assert_eq!(statuses.iter().filter(|(status, _)| *status == 409).count(), WRITERS - 1);
        let named = server.head(&format!("/v2/a/manifests/{tag}"));
        assert_eq!(named.header("docker-content-digest"), Some(won[0].1.as_str()));
        let target = format!("/api/v1/tag-history?repository=a&tag={tag}");
        assert_eq!(server.get(&target).json()["items"].as_array().unwrap().len(), 1);
    }
}
