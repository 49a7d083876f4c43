//! What ran, for a token that may read some repositories only: the rows of others are not shown, and not counted.

use crate::client::Server;
use serde_json::{Value, json};

const SHOP: &str = "sha256:9999999999999999999999999999999999999999999999999999999999999999";
const BANK: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const CLUSTER: &str = "6b0f5a3e-0000-4000-8000-000000000001";

fn build(key: &str, repository: &str, digest: &str) -> Value {
    json!({"kind": "build", "claim": {
        "key": key, "digest": digest, "repository": format!("registry.example.com/{repository}"),
        "image": null, "tags": ["v1"], "aliases": [], "environment": "prod", "source": null,
        "run": null, "published_by": "publish",
    }})
}

/// The run of this number, of a container that began when its number says.
fn run(number: u8, digest: Option<&str>, began: Value) -> Value {
    let mut change = json!({
        "change": "began", "pod": format!("api-{number}"), "pod_uid": format!("u{number}"),
        "workload": "deployment/api", "container": "api", "role": "main",
        "container_id": format!("containerd://{number}"), "node": "node-a", "reference": "shop/api:v1",
        "image_id": digest.unwrap_or_default(), "created": null, "restarts": 0, "missed": 0,
        "changed_in_place": false,
    });
    change["began"] = began;
    json!({"kind": "container-run", "claim": {
        "key": format!("run/{number}"), "run": id(number), "cluster": CLUSTER, "namespace": "shop",
        "digest": digest, "seen": "2026-03-17T14:40:00.000Z", "change": change,
    }})
}

fn id(number: u8) -> String {
    format!("{number:032x}")
}

fn exact(second: u8) -> Value {
    json!({"precision": "exact", "at": format!("2026-03-17T14:39:{second:0>2}.000Z")})
}

/// A server that knows of three runs of the shop, two of the bank, and one of nobody knows what.
fn server() -> Server {
    let server = Server::start();
    let unclear =
        json!({"precision": "bounded", "after": null, "until": "2026-03-17T14:39:59.000Z"});
    let claims = [
        build("b1", "shop/api", SHOP),
        build("b2", "bank/api", BANK),
        run(1, Some(SHOP), exact(1)),
        run(2, Some(BANK), exact(2)),
        run(3, Some(SHOP), exact(3)),
        run(4, Some(BANK), unclear),
        run(5, Some(SHOP), exact(5)),
        run(6, None, exact(6)),
    ];
    let body = json!({ "claims": claims }).to_string();
    let made = server.post_api("/api/v1/claims", &body).send();
    assert_eq!(made.status, 201, "{}", made.text());
    server
}

fn read(server: &Server, token: &str, query: &str) -> Value {
    let answer = server.ask("GET", &format!("/api/v1/runs{query}")).bearer(token).send();
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    answer.json()
}

fn ids(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|run| run["id"].as_str().unwrap()).collect()
}

#[test]
fn the_runs_of_repositories_that_a_token_may_not_read_are_left_out_and_that_is_said() {
    let server = server();
    let all = read(&server, &server.admin_token(), "");
    assert_eq!(all["items"].as_array().unwrap().len(), 6, "{all:#}");
    assert_eq!(all["precision"], "bounded");
    assert_eq!(all["gaps"], json!([]));
    let shop = server.token("shop", &["pull"], "shop/**");
    let own = read(&server, &shop, "");
    let mut found = ids(&own);
    found.sort_unstable();
    assert_eq!(found, [id(1), id(3), id(5)]);
    assert_eq!(
        own["precision"], "exact",
        "the bank's run says nothing, not even how sharply it is known"
    );
    let says = "rows about repositories that this token may not read are left out";
    assert_eq!(own["gaps"][0]["why"], says);
    for secret in ["bank", BANK, "api-2", "api-4", "api-6"] {
        assert!(!own.to_string().contains(secret), "{secret}: {own:#}");
    }
}

#[test]
fn a_run_that_a_token_may_not_read_is_as_one_that_is_not_there() {
    let server = server();
    let shop = server.token("shop", &["pull"], "shop/**");
    let nothing = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
    let asked = |query: &str| read(&server, &shop, query);
    assert_eq!(asked(&format!("?digest={BANK}")), asked(&format!("?digest={nothing}")));
    assert_eq!(asked(&format!("?run={}", id(2))), asked(&format!("?run={}", id(99))));
    let after = |number: u8| {
        let target = format!("/api/v1/runs?after={}", id(number));
        let answer = server.ask("GET", &target).bearer(&shop).send();
        (answer.status, answer.message().replace(&id(number), "RUN"))
    };
    assert_eq!(after(2), after(99), "a cursor that is the bank's");
    assert_eq!(after(2).0, 400);
}

#[test]
fn pages_are_full_of_what_a_token_may_read_and_their_cursors_name_nothing_else() {
    let server = server();
    let shop = server.token("shop", &["pull"], "shop/**");
    let (mut found, mut query) = (Vec::new(), "?limit=1".to_owned());
    loop {
        let page = read(&server, &shop, &query);
        found.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(ids(&page), [next], "a full page ends with its cursor");
        query = format!("?limit=1&after={next}");
    }
    found.sort();
    assert_eq!(found, [id(1), id(3), id(5)]);
    let none = read(&server, &shop, "?limit=0");
    assert_eq!((ids(&none).len(), &none["next"]), (0, &Value::Null));
}

#[test]
fn a_token_of_no_repository_that_ran_reads_nothing() {
    let server = server();
    let other = server.token("other", &["pull"], "other/**");
    assert_eq!(ids(&read(&server, &other, "")), [""; 0]);
}
