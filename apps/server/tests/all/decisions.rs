//! Whoever builds says nothing of other teams' digests, and decides nothing.

use crate::client::{Reply, Server};
use serde_json::{Value, json};

const OURS: &str = "sha256:9999999999999999999999999999999999999999999999999999999999999999";
const THEIRS: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const UNKNOWN: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

fn build(key: &str, repository: &str, digest: &str) -> Value {
    json!({"kind": "build", "claim": {
        "key": key, "digest": digest, "repository": format!("registry.example.com/{repository}"),
        "image": null, "tags": ["v1"], "aliases": [], "environment": "prod", "source": null,
        "run": null, "published_by": "publish",
    }})
}

fn image(digest: &str, platform: &str) -> Value {
    json!({"kind": "image", "claim": {
        "key": format!("image/{digest}"), "digest": digest, "size": 7,
        "platforms": [{"platform": null, "manifest": platform, "config": null}],
        "media_type": "application/vnd.oci.image.index.v1+json",
    }})
}

fn allow(key: &str, digest: &str) -> Value {
    json!({"kind": "allow", "claim": {
        "key": key, "digest": digest, "environment": "prod", "reason": "it is urgent",
    }})
}

fn block(key: &str, digest: &str) -> Value {
    json!({"kind": "block", "claim": {
        "key": key, "digest": digest, "blocked": true, "reason": "leaks a key",
    }})
}

fn say(server: &Server, token: &str, claims: &[Value]) -> Reply {
    let body = json!({ "claims": claims }).to_string();
    server.post_api("/api/v1/claims", &body).bearer(token).send()
}

fn message(refused: &Reply) -> String {
    assert_eq!(refused.status, 403, "{}", refused.text());
    refused.json()["error"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn people_decide_about_digests_of_their_own_repositories_and_pipelines_do_not() {
    let server = Server::start();
    let pipeline = server.token("ci-shop", &["push-new-tags", "claims"], "shop/**");
    let bank = server.token("ci-bank", &["push-new-tags", "claims"], "bank/**");
    let person = server.token("ada", &["decisions"], "shop/**");
    assert_eq!(say(&server, &pipeline, &[build("b1", "shop/api", OURS)]).status, 201);
    assert_eq!(say(&server, &bank, &[build("b2", "bank/api", THEIRS)]).status, 201);
    for claim in [allow("a1", OURS), block("k1", OURS)] {
        let refused = message(&say(&server, &pipeline, std::slice::from_ref(&claim)));
        assert!(refused.contains("lacks the right `decisions`"), "{refused}");
        assert_eq!(say(&server, &person, &[claim]).status, 201);
    }
    // Of another team's digest as of one that nobody knows: the answer tells nothing of which it is.
    for claim in [allow, block] {
        let (theirs, unknown) = (
            message(&say(&server, &person, &[claim("x1", THEIRS)])),
            message(&say(&server, &person, &[claim("x2", UNKNOWN)])),
        );
        assert!(theirs.contains("into a repository of this token"), "{theirs}");
        assert_eq!(theirs, unknown);
    }
    // Who decides everywhere may block what nobody has built yet.
    let operator = server.token("operator", &["decisions"], "**");
    assert_eq!(say(&server, &operator, &[block("k2", UNKNOWN)]).status, 201);
}

#[test]
fn a_pipeline_says_what_an_image_is_only_where_it_built_or_deployed_it() {
    let server = Server::start();
    let pipeline = server.token("ci-shop", &["claims"], "shop/**");
    let bank = server.token("ci-bank", &["claims"], "bank/**");
    assert_eq!(say(&server, &bank, &[build("b2", "bank/api", THEIRS)]).status, 201);
    let forged = message(&say(&server, &pipeline, &[image(THEIRS, UNKNOWN)]));
    assert!(forged.contains("into a repository of this token"), "{forged}");
    assert_eq!(message(&say(&server, &pipeline, &[image(OURS, UNKNOWN)])), forged);
    // With its own build beside it, or behind it.
    let both = [image(OURS, UNKNOWN), build("b1", "shop/api", OURS)];
    assert_eq!(say(&server, &pipeline, &both).status, 201);
    assert_eq!(say(&server, &pipeline, &both[..1]).status, 200, "again");
}
