//! `/api/v1`: history page by page, rules and their reasons, errors with an id.

use crate::client::Server;
use crate::images::{alias_rule, push};

#[test]
fn a_history_is_read_page_by_page_newest_first() {
    let server = Server::start();
    alias_rule(&server, "uat");
    let digests: Vec<String> = ["one", "two", "three"]
        .iter()
        .map(|layer| push(&server, "shop/api", "uat", layer))
        .collect();
    let first = server.get("/api/v1/tag-history?repository=shop/api&tag=uat&limit=2").json();
    assert_eq!((&first["basis"], &first["precision"]), (&"observed".into(), &"exact".into()));
    assert_eq!(first["gaps"].as_array().unwrap().len(), 0);
    let items = first["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(
        (&items[0]["digest"], &items[0]["from"]),
        (&digests[2].clone().into(), &digests[1].clone().into())
    );
    let next = first["next"].as_str().unwrap();
    let target = format!("/api/v1/tag-history?repository=shop%2Fapi&tag=uat&limit=2&after={next}");
    let second = server.get(&target).json();
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert_eq!(second["items"][0]["change"], "created");
    assert!(second["next"].is_null());

    let own = server.get("/v2/shop/api/_indelible/tags/uat/history?n=1");
    assert_eq!(own.json()["history"][0]["digest"], digests[2].clone());
    assert!(own.header("link").unwrap().contains("&last="));
    let nothing = server.get("/api/v1/tag-history?repository=shop/api&tag=never").json();
    assert_eq!(nothing["items"].as_array().unwrap().len(), 0);
}

#[test]
fn a_history_outlives_its_tag() {
    let server = Server::start();
    push(&server, "a", "1", "x");
    server.delete("/v2/a/manifests/1");
    let items = server.get("/api/v1/tag-history?repository=a&tag=1").json()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 2);
    assert_eq!(items[0]["change"], "deleted");
}

#[test]
fn the_history_of_a_repository_has_every_tag_that_there_ever_was() {
    let server = Server::start();
    push(&server, "a", "1", "x");
    push(&server, "a", "2", "y");
    push(&server, "b", "3", "z");
    server.delete("/v2/a/manifests/1");
    let unlock = r#"{"repository":"a","tag":"2","reason":"wrong build","minutes":5}"#;
    assert_eq!(server.post_api("/api/v1/unlock", unlock).send().status, 201);
    let first = server.get("/api/v1/tag-history?repository=a&limit=3").json();
    let lines = |page: &serde_json::Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| {
                format!("{} {}", item["tag"].as_str().unwrap(), item["change"].as_str().unwrap())
            })
            .collect()
    };
    assert_eq!(lines(&first), ["2 unlocked", "1 deleted", "2 created"]);
    assert_eq!(first["items"][0]["reason"], "wrong build");
    assert!(first["items"][0]["until"].is_string() && first["items"][0]["digest"].is_null());
    let next = first["next"].as_str().unwrap();
    let second = server.get(&format!("/api/v1/tag-history?repository=a&after={next}")).json();
    assert_eq!(lines(&second), ["1 created"]);
    assert!(second["next"].is_null());
    // The registry's own path tells it of the one tag.
    let own = server.get("/v2/a/_indelible/tags/2/history").json();
    assert_eq!(own["history"][0]["change"], "unlocked");
}

#[test]
fn a_page_of_the_largest_size_says_that_there_is_more() {
    let server = Server::start();
    let digest = push(&server, "a", "first", "x");
    let image = server.get(&format!("/v2/a/manifests/{digest}"));
    for start in (0..1_000).step_by(40) {
        let tags: String = (start..start + 40).map(|at| format!("&tag=t{at}")).collect();
        let target = format!("/v2/a/manifests/{digest}?{}", &tags[1..]);
        let put = server.ask("PUT", &target).header("Content-Type", crate::images::IMAGE);
        assert_eq!(put.body(&image.body).send().status, 201);
    }
    let page = server.get("/api/v1/tag-history?repository=a&limit=1000").json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1_000);
    let next = page["next"].as_str().expect("1 001 changes are more than a page");
    let rest = server.get(&format!("/api/v1/tag-history?repository=a&after={next}")).json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
}

#[test]
fn bad_questions_are_answered_with_what_is_wrong() {
    let server = Server::start();
    for (target, word) in [
        ("/api/v1/tag-history", "repository"),
        ("/api/v1/tag-history?repository=a&tag=", "tag"),
        ("/api/v1/tag-history?repository=A&tag=1", "repository"),
        ("/api/v1/tag-history?repository=a&tag=1&limit=0", "limit"),
        ("/api/v1/tag-history?repository=a&tag=1&limit=1001", "limit"),
        ("/api/v1/tag-history?repository=a&tag=1&after=x", "after"),
        ("/api/v1/tag-history?repository=a&repository=b&tag=1", "repository"),
        ("/api/v1/rules?tag=1", "repository"),
    ] {
        let refused = server.get(target);
        assert_eq!(refused.status, 400, "{target}");
        let error = refused.json()["error"].clone();
        assert!(error["message"].as_str().unwrap().contains(word), "{target}: {error}");
        assert_eq!(error["request_id"], refused.header("x-request-id").unwrap());
    }
    assert_eq!(server.get("/api/v1/tag-history?repository=a&tag=1&limit=1000").status, 200);
    assert_eq!(server.get("/api/v1/nothing").status, 404);
    assert_eq!(server.get("/api/v1/unlock").status, 405);
    for body in [
        "",
        "{",
        "{}",
        r#"{"repositories":"**","tags":"[a]","class":"alias"}"#,
        r#"{"repositories":"**","tags":"a","class":"alias","x":1}"#,
    ] {
        assert_eq!(server.post_api("/api/v1/rules", body).send().status, 400, "{body}");
    }
}

#[test]
fn a_rule_is_explained_before_anything_is_pushed() {
    let server = Server::start();
    alias_rule(&server, "{uat,prod}");
    let class = |tag: &str| {
        let found = server.get(&format!("/api/v1/rules?repository=shop/api&tag={tag}")).json();
        (
            found["class"].as_str().unwrap().to_owned(),
            found["explained"]["by"].as_str().unwrap().to_owned(),
        )
    };
    let says = |class: &str, by: &str| (class.to_owned(), by.to_owned());
    assert_eq!(class("uat"), says("alias", "rule"));
    assert_eq!(class("latest"), says("alias", "built-in"));
    assert_eq!(class("1.4"), says("immutable", "default"));
    let rules = server.get("/api/v1/rules").json();
    assert_eq!(rules["rules"][0]["tags"], "{uat,prod}");
    let folder = server.stop();
    let server = Server::start_on(folder, |_| {});
    assert_eq!(server.get("/api/v1/rules").json()["rules"][0]["class"], "alias");
}

#[test]
fn tokens_are_listed_without_their_secrets() {
    let server = Server::start();
    let secret = server.token("ci", &["pull", "push-new-tags"], "shop/*");
    let admin = server.admin_token();
    let listed = server.ask("GET", "/api/v1/tokens").bearer(&admin).send();
    assert!(!listed.text().contains(&secret));
    let token = &listed.json()["tokens"][0];
    assert_eq!((&token["name"], &token["repositories"]), (&"ci".into(), &"shop/*".into()));
    assert_eq!(token["rights"], serde_json::json!(["pull", "push-new-tags"]));
    assert!(token["revoked"].is_null());
    let again = server.post_api("/api/v1/tokens", r#"{"name":"ci","rights":["pull"]}"#);
    assert_eq!(again.bearer(&admin).send().status, 409);
    for bad in [
        r#"{"name":"x","rights":[]}"#,
        r#"{"name":"x","rights":["root"]}"#,
        r#"{"name":"","rights":["pull"]}"#,
    ] {
        assert_eq!(
            server.post_api("/api/v1/tokens", bad).bearer(&admin).send().status,
            400,
            "{bad}"
        );
    }
    assert_eq!(server.ask("DELETE", "/api/v1/tokens/none").bearer(&admin).send().status, 404);
    let database = std::fs::read(server.folder.path().join("indelible.db")).unwrap();
    let has = |needle: &str| database.windows(needle.len()).any(|w| w == needle.as_bytes());
    assert!(!has(&secret) && !has(&admin));
}
