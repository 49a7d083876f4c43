//! Who may come in, what they may do, and what they can find out.

use crate::client::{Reply, Server};
use crate::images::{IMAGE, alias_rule, digest, image, push, push_blob};
use server::Anonymous;

fn as_bearer(server: &Server, method: &str, target: &str, token: &str) -> Reply {
    server.ask(method, target).bearer(token).send()
}

fn put_as(server: &Server, token: &str, target: &str, manifest: &str) -> Reply {
    let asking = server.ask("PUT", target).header("Content-Type", IMAGE);
    asking.bearer(token).body(manifest).send()
}

#[test]
fn the_door_closes_with_the_first_token_and_stays_closed() {
    let server = Server::start();
    push(&server, "a", "1", "x");
    let token = server.token("ci", &["pull"], "**");
    for target in ["/v2/", "/v2/a/manifests/1", "/api/v1/tag-history?repository=a&tag=1"] {
        let refused = server.get(target);
        assert_eq!(refused.status, 401, "{target}");
        assert!(refused.header("www-authenticate").unwrap().starts_with("Basic "), "{target}");
        assert_eq!(as_bearer(&server, "GET", target, &token).status, 200, "{target}");
    }
    assert_eq!(server.get("/v2/").code(), "UNAUTHORIZED");
    let admin = server.admin_token();
    let revoked = as_bearer(&server, "DELETE", "/api/v1/tokens/ci", &admin);
    assert_eq!(revoked.status, 200, "{}", revoked.text());
    assert_eq!(as_bearer(&server, "GET", "/v2/", &token).status, 401, "at once");
    assert_eq!(server.get("/v2/").status, 401, "revoking the last token opens nothing");
    let folder = server.stop();
    let server = Server::start_on(folder, |_| {});
    assert_eq!(server.get("/v2/").status, 401, "nor does a restart");
    assert_eq!(server.admin_token(), admin, "made once");
    for open in ["/healthz", "/readyz", "/metrics", "/"] {
        assert_eq!(server.get(open).status, 200, "{open}");
    }
}

#[test]
fn docker_login_sends_the_token_as_a_password() {
    use base64::Engine as _;
    let server = Server::start();
    let token = server.token("ci", &["pull"], "**");
    let basic = |password: &str| {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("anybody:{password}"));
        server.ask("GET", "/v2/").header("Authorization", format!("Basic {pair}")).send()
    };
    assert_eq!(basic(&token).status, 200);
    assert_eq!(basic(&server.admin_token()).status, 200);
    assert_eq!(basic("ind_wrong").status, 401);
    assert_eq!(basic("").status, 401);
    let odd = server.ask("GET", "/v2/").header("Authorization", "Negotiate x").send();
    assert_eq!(odd.status, 401);
}

#[test]
fn a_wrong_token_is_refused_also_where_none_is_needed() {
    let server = Server::start();
    assert_eq!(server.get("/v2/").status, 200);
    assert_eq!(as_bearer(&server, "GET", "/v2/", "ind_wrong").status, 401);
}

#[test]
fn rights_are_asked_for_one_by_one() {
    let server = Server::start();
    alias_rule(&server, "uat");
    let one = image(&server, "shop/api", "one");
    let two = image(&server, "shop/api", "two");
    let puller = server.token("puller", &["pull"], "shop/*");
    let pusher = server.token("pusher", &["push-new-tags"], "shop/*");
    let mover = server.token("mover", &["move-alias"], "shop/*");
    let deleter = server.token("deleter", &["delete"], "shop/*");

    let uat = "/v2/shop/api/manifests/uat";
    let denied = put_as(&server, &puller, uat, &one);
    assert_eq!((denied.status, denied.code().as_str()), (403, "DENIED"));
    assert!(denied.message().contains("push-new-tags"), "{}", denied.message());
    assert_eq!(put_as(&server, &pusher, uat, &one).status, 201);
    let denied = put_as(&server, &pusher, uat, &two);
    assert_eq!((denied.status, denied.code().as_str()), (403, "DENIED"));
    assert!(denied.message().contains("move-alias"), "{}", denied.message());
    // A robot that only moves aliases brings no bytes of its own.
    assert_eq!(put_as(&server, &mover, uat, &two).status, 403);
    let by_digest = format!("/v2/shop/api/manifests/{}", digest(&two));
    assert_eq!(put_as(&server, &pusher, &by_digest, &two).status, 201);
    assert_eq!(put_as(&server, &mover, uat, &two).status, 201);
    assert_eq!(put_as(&server, &mover, "/v2/shop/api/manifests/new", &two).status, 403);
    assert_eq!(as_bearer(&server, "DELETE", uat, &pusher).status, 403);
    assert_eq!(as_bearer(&server, "DELETE", uat, &deleter).status, 202);
    assert_eq!(as_bearer(&server, "GET", "/api/v1/tokens", &pusher).status, 403);
    let unlock = r#"{"repository":"shop/api","tag":"1","reason":"r","minutes":1}"#;
    let asked = server.post_api("/api/v1/unlock", unlock).bearer(&deleter).send();
    assert_eq!(asked.status, 403);
    let rule = r#"{"repositories":"**","tags":"x","class":"alias"}"#;
    assert_eq!(server.post_api("/api/v1/rules", rule).bearer(&mover).send().status, 403);
}

#[test]
fn the_history_names_the_token_and_how_it_was_proven() {
    let server = Server::start();
    let one = image(&server, "a", "one");
    let token = server.token("ci-shop", &["push-new-tags"], "**");
    assert_eq!(put_as(&server, &token, "/v2/a/manifests/1", &one).status, 201);
    let target = "/api/v1/tag-history?repository=a&tag=1";
    let item = as_bearer(&server, "GET", target, &token).json()["items"][0].clone();
    assert_eq!(item["actor"]["name"], "ci-shop");
    assert_eq!(item["actor"]["proof"], "token");
}

#[test]
fn what_may_not_be_read_is_the_same_whether_it_exists_or_not() {
    let server = Server::start();
    let secret = push(&server, "bank/api", "1", "secret");
    let layer = digest("secret");
    let token = server.token("ci", &["pull", "push-new-tags"], "shop/*");
    for method in ["GET", "HEAD"] {
        for (there, nowhere) in [
            ("/v2/bank/api/manifests/1".to_owned(), "/v2/bank/none/manifests/1".to_owned()),
            (
                format!("/v2/bank/api/manifests/{secret}"),
                format!("/v2/bank/none/manifests/{secret}"),
            ),
            (format!("/v2/bank/api/blobs/{layer}"), format!("/v2/bank/none/blobs/{layer}")),
            (
                format!("/v2/bank/api/referrers/{secret}"),
                format!("/v2/bank/none/referrers/{secret}"),
            ),
            ("/v2/bank/api/tags/list".to_owned(), "/v2/bank/none/tags/list".to_owned()),
        ] {
            let (one, other) = (
                as_bearer(&server, method, &there, &token),
                as_bearer(&server, method, &nowhere, &token),
            );
            assert_eq!((one.status, other.status), (403, 403), "{there}");
            let (one, other) =
                (one.text().replace("bank/api", "X"), other.text().replace("bank/none", "X"));
            assert_eq!(one, other);
        }
    }
    let history = "/api/v1/tag-history?repository=bank/api&tag=1";
    assert_eq!(as_bearer(&server, "GET", history, &token).status, 403);
    let catalog = as_bearer(&server, "GET", "/v2/_catalog", &token).json();
    assert_eq!(catalog["repositories"].as_array().unwrap().len(), 0);
    for query in [format!("mount={layer}&from=bank/api"), format!("mount={layer}")] {
        let target = format!("/v2/shop/api/blobs/uploads/?{query}");
        assert_eq!(as_bearer(&server, "POST", &target, &token).status, 202, "{query}");
    }
    assert_eq!(
        as_bearer(&server, "HEAD", &format!("/v2/shop/api/blobs/{layer}"), &token).status,
        404
    );
}

#[test]
fn the_catalogue_shows_what_may_be_read() {
    let server = Server::start();
    for repository in ["bank/a", "bank/b", "shop/a", "shop/b", "zoo/a"] {
        push_blob(&server, repository, b"x");
        push(&server, repository, "1", "x");
    }
    let token = server.token("ci", &["pull"], "shop/*");
    let first = as_bearer(&server, "GET", "/v2/_catalog?n=1", &token);
    assert_eq!(first.json()["repositories"], serde_json::json!(["shop/a"]));
    let link = first.header("link").unwrap();
    let target = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
    let second = as_bearer(&server, "GET", &target, &token);
    assert_eq!(second.json()["repositories"], serde_json::json!(["shop/b"]));
}

#[test]
fn a_page_in_a_browser_cannot_reach_a_server_on_this_machine() {
    let server =
        Server::start_with(|options| options.public_hosts = vec!["registry.test".to_owned()]);
    let port = server.address.port();
    for host in ["attacker.example", &format!("attacker.example:{port}"), ""] {
        for target in ["/v2/", "/api/v1/rules", "/metrics"] {
            let refused = server.ask("GET", target).host(Some(host)).send();
            assert_eq!(refused.status, 403, "{host} {target}");
        }
    }
    assert!(matches!(server.ask("GET", "/v2/").host(None).send().status, 400 | 403));
    for host in ["localhost", "registry.test:80", "[::1]:5000"] {
        assert_eq!(server.ask("GET", "/v2/").host(Some(host)).send().status, 200, "{host}");
    }
    let page = server.ask("GET", "/v2/").header("Origin", "https://attacker.example").send();
    assert_eq!((page.status, page.code().as_str()), (403, "DENIED"));
    let rule = r#"{"repositories":"**","tags":"**","class":"alias"}"#;
    let forged = server.ask("POST", "/api/v1/rules").body(rule).send();
    assert_eq!(forged.status, 403);
    assert_eq!(forged.json()["error"]["code"], "DENIED");
    assert_eq!(server.get("/api/v1/rules").json()["rules"].as_array().unwrap().len(), 0);
}

#[test]
fn tokens_can_be_asked_for_from_the_start() {
    let server = Server::start_with(|options| options.anonymous = Anonymous::Nowhere);
    assert_eq!(server.get("/v2/").status, 401);
    assert_eq!(as_bearer(&server, "GET", "/v2/", &server.admin_token()).status, 200);
    // With a token asked for, a foreign host gives a page nothing: it has no token.
    assert_eq!(server.ask("GET", "/v2/").host(Some("registry")).send().status, 401);
}

#[test]
fn the_administrator_s_token_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start();
    let file = server.folder.path().join("admin.token");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}
