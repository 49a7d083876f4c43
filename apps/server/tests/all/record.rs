//! The team's record: claims in, events out, and who may say and read what.

use crate::client::{Reply, Server};
use crate::images::{alias_rule, push};
use serde_json::{Value, json};

const DIGEST: &str = "sha256:9999999999999999999999999999999999999999999999999999999999999999";
const OTHER: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn hold(key: &str, environment: &str) -> Value {
    json!({"kind": "hold", "claim": {
        "key": key, "environment": environment, "image": null, "state": "held", "reason": null,
    }})
}

fn build(key: &str, repository: &str, digest: &str) -> Value {
    json!({"kind": "build", "claim": {
        "key": key, "digest": digest, "repository": format!("registry.example.com/{repository}"),
        "image": null, "tags": ["v1"], "aliases": [], "environment": "prod", "source": null,
        "run": null, "published_by": "publish",
    }})
}

fn image(digest: &str) -> Value {
    json!({"kind": "image", "claim": {
        "key": format!("image/{digest}"), "digest": digest, "size": 7, "platforms": [],
        "media_type": "application/vnd.oci.image.manifest.v1+json",
    }})
}

fn block(key: &str, digest: &str) -> Value {
    json!({"kind": "block", "claim": {
        "key": key, "digest": digest, "blocked": true, "reason": "leaks a key",
    }})
}

fn reservation(key: &str, release: &str) -> Value {
    json!({"kind": "reservation", "claim": {
        "key": key, "repository": "registry.example.com/shop/api", "tag": "v1", "release": release,
    }})
}

fn watched(key: &str) -> Value {
    json!({"kind": "watched", "claim": {
        "key": key, "watch": "01KKYCKDHG0000000000000001",
        "cluster": "6b0f5a3e-0000-4000-8000-000000000001", "namespace": null,
        "at": "2026-03-17T14:39:58.000Z", "change": {"change": "alive"},
    }})
}

/// A finding of a watcher about these digests.
fn finding(key: &str, digests: &[&str]) -> Value {
    json!({"kind": "finding", "claim": {
        "key": key, "finding": "0123456789abcdef0123456789abcdef", "opening": 1, "what": "unpinned",
        "cluster": "6b0f5a3e-0000-4000-8000-000000000001", "environment": "prod", "namespace": "shop",
        "workload": "deployment/api", "container": "api", "digests": digests,
        "at": "2026-03-17T14:39:58.000Z", "change": {"change": "closed", "why": "it is pinned"},
    }})
}

fn say(server: &Server, token: Option<&str>, claims: &[Value]) -> Reply {
    let body = json!({ "claims": claims }).to_string();
    let asking = server.post_api("/api/v1/claims", &body);
    token.into_iter().fold(asking, |asking, token| asking.bearer(token)).send()
}

fn read(server: &Server, token: &str, target: &str) -> Value {
    let answer = server.ask("GET", target).bearer(token).send();
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.json()
}

/// The keys of the events of an answer.
fn keys(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|event| event["claim"]["key"].as_str().unwrap_or("?").to_owned()).collect()
}

#[test]
fn the_server_stamps_who_when_and_the_id() {
    let server = Server::start();
    let token = server.token("ci-shop", &["decisions"], "**");
    let made = say(&server, Some(&token), &[hold("h1", "prod")]);
    assert_eq!(made.status, 201, "{}", made.text());
    let item = &made.json()["items"][0];
    assert_eq!(item["new"], true);
    assert_eq!(item["event"]["actor"], json!({"name": "ci-shop", "proof": "token"}));
    assert_eq!(item["event"]["claim"], hold("h1", "prod")["claim"]);
    assert!(item["event"]["id"].as_str().unwrap().len() == 26 && item["event"]["v"] == 1);
    // What a caller says about itself is not passed over: it is refused.
    for member in ["actor", "at", "id", "cause", "v"] {
        let mut forged = hold("h2", "prod");
        forged[member] = item["event"][member].clone();
        let refused = say(&server, Some(&token), &[forged]);
        assert_eq!(refused.status, 400, "{member}");
        assert!(refused.text().contains(member), "{}", refused.text());
    }
    let whoami = read(&server, &token, "/api/v1/whoami");
    let expected = json!({
        "actor": {"name": "ci-shop", "proof": "token"}, "rights": ["decisions"], "repositories": "**",
    });
    assert_eq!(whoami, expected);
    let mine = read(&server, &token, "/api/v1/log");
    assert_eq!(keys(&mine), ["h1"], "tokens are for administrators to see");
    let all = read(&server, &server.admin_token(), "/api/v1/log");
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
}

#[test]
fn a_retry_finds_its_event_and_another_claim_finds_what_is_there() {
    let server = Server::start();
    let first = say(&server, None, &[hold("h", "prod")]).json();
    let again = say(&server, None, &[hold("h", "prod")]);
    assert_eq!(again.status, 200);
    assert_eq!(again.json()["items"][0]["new"], false);
    assert_eq!(again.json()["items"][0]["event"], first["items"][0]["event"]);
    // All or none: the first claim of the two is not recorded either.
    let other = say(&server, None, &[hold("n", "uat"), hold("h", "uat")]);
    assert_eq!(other.status, 409);
    let error = &other.json()["error"];
    assert_eq!(error["code"], "DENIED");
    assert_eq!(error["detail"]["conflict"], "key");
    assert_eq!(error["detail"]["event"], first["items"][0]["event"]);
    assert_eq!(error["detail"]["id"], first["items"][0]["event"]["id"]);
    assert_eq!(server.get("/api/v1/log").json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(say(&server, None, &[reservation("r1", "run/1")]).status, 201);
    assert_eq!(say(&server, None, &[reservation("r2", "run/1")]).status, 200, "its own");
    let taken = say(&server, None, &[reservation("r3", "run/2")]);
    assert_eq!(taken.status, 409);
    let detail = &taken.json()["error"]["detail"];
    assert_eq!((&detail["conflict"], &detail["release"]), (&"reserved".into(), &"run/1".into()));
}

#[test]
fn each_kind_of_fact_needs_its_right() {
    let server = Server::start();
    let publisher = server.token("publisher", &["push-new-tags", "claims"], "shop/**");
    let watcher = server.token("watcher", &["runs"], "**");
    let reader = server.token("reader", &["pull"], "**");
    let refused = |token: &str, claim: Value, right: &str| {
        let answer = say(&server, Some(token), &[claim]);
        assert_eq!(answer.status, 403, "{}", answer.text());
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(&format!("lacks the right `{right}`")), "{message}");
    };
    assert_eq!(say(&server, Some(&publisher), &[build("b1", "shop/api", DIGEST)]).status, 201);
    refused(&publisher, build("b2", "bank/api", DIGEST), "claims");
    refused(&publisher, watched("w1"), "runs");
    refused(&publisher, finding("f1", &[]), "runs");
    refused(&watcher, build("b3", "shop/api", DIGEST), "claims");
    refused(&watcher, hold("h1", "prod"), "decisions");
    refused(&publisher, hold("h1", "prod"), "decisions");
    refused(&publisher, block("a1", DIGEST), "decisions");
    // What an image is, a watcher may say: it reads the bytes of what nobody published.
    assert_eq!(say(&server, Some(&watcher), &[image(OTHER)]).status, 201);
    refused(&reader, image(OTHER), "claims");
    refused(&reader, hold("h2", "prod"), "decisions");
    refused(&reader, watched("w2"), "runs");
    // One claim that may not be said stops those that may.
    refused(&publisher, watched("w3"), "runs");
    let both = say(&server, Some(&publisher), &[hold("h3", "prod"), watched("w4")]);
    assert_eq!(both.status, 403);
    assert_eq!(keys(&read(&server, &publisher, "/api/v1/log")), ["b1"]);
    let pusher = server.token("pusher", &["unlock"], "**");
    assert_eq!(server.ask("GET", "/api/v1/log").bearer(&pusher).send().status, 403);
    assert_eq!(server.get("/api/v1/log").status, 401, "nobody reads without a token now");
    assert_eq!(say(&server, None, &[hold("h4", "prod")]).status, 401);
}

#[test]
fn a_finding_is_read_by_who_may_read_all_that_it_names() {
    let server = Server::start();
    let watcher = server.token("watcher", &["runs"], "**");
    let admin = server.admin_token();
    let builds = [build("b1", "shop/api", DIGEST), build("b2", "bank/api", OTHER)];
    assert_eq!(say(&server, Some(&admin), &builds).status, 201);
    let said = [finding("both", &[DIGEST, OTHER]), finding("own", &[DIGEST]), finding("none", &[])];
    assert_eq!(say(&server, Some(&watcher), &said).status, 201);
    let asked = |token: &str| keys(&read(&server, token, "/api/v1/findings"));
    assert_eq!(asked(&admin), ["both", "own", "none"]);
    assert_eq!(asked(&server.token("shop", &["pull"], "shop/**")), ["own"]);
}

#[test]
fn what_the_registry_says_nobody_else_says() {
    let server = Server::start();
    let change = |registry: Value, witness: &str| {
        json!({"kind": "tag-change", "claim": {
            "key": format!("t/{witness}/{registry}").replace('"', ""), "registry": registry,
            "repository": "shop/api", "tag": "v1", "change": {"change": "created", "digest": DIGEST},
            "class": null, "witness": witness, "reason": null,
        }})
    };
    let rule = json!({"kind": "rule", "claim": {"key": "r", "rule": {
        "repositories": "**", "tags": "**", "class": "alias",
    }}});
    let unlock = json!({"kind": "unlock", "claim": {
        "key": "u", "repository": "shop/api", "tag": "v1", "reason": "x",
        "until": "2026-03-17T15:00:00.000Z",
    }});
    let token = json!({"kind": "token", "claim": {
        "key": "t", "name": "x", "rights": ["admin"], "repositories": "**", "state": "created",
    }});
    for (claim, word) in [
        (change(Value::Null, "observer"), "records its own tags"),
        (change("ghcr.io".into(), "registry"), "records its own tags"),
        (rule, "/api/v1/rules"),
        (unlock, "/api/v1/unlock"),
        (token, "/api/v1/tokens"),
    ] {
        let refused = say(&server, None, &[claim]);
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains(word), "{}", refused.text());
    }
    assert_eq!(say(&server, None, &[change("ghcr.io".into(), "observer")]).status, 201);
    // Observed elsewhere is not the history of the tag here.
    let here = server.get("/api/v1/tag-history?repository=shop/api&tag=v1").json();
    assert_eq!(here["items"].as_array().unwrap().len(), 0);
}

#[test]
fn claims_are_read_strictly() {
    let server = Server::start();
    let mut unknown = hold("h", "prod");
    unknown["claim"]["until"] = "tomorrow".into();
    for (body, word) in [
        (json!({"claims": [unknown]}), "until"),
        (json!({"claims": [{"kind": "moon", "claim": {}}]}), "moon"),
        (json!({"claims": [{"kind": "hold"}]}), "claim"),
        (json!({"claim": []}), "claim"),
        (json!({"claims": [hold("h", "prod")], "actor": "eve"}), "actor"),
        (json!([]), "body"),
    ] {
        let refused = server.post_api("/api/v1/claims", &body.to_string()).send();
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.text().contains(word), "{body}: {}", refused.text());
    }
    let twice = r#"{"claims":[{"kind":"hold","claim":{"key":"a","key":"b","environment":"prod","image":null,"state":"held","reason":null}}]}"#;
    assert_eq!(server.post_api("/api/v1/claims", twice).send().status, 400);
    // A page in a browser sends neither a bearer nor the header.
    let page = server.ask("POST", "/api/v1/claims").body(json!({"claims": []}).to_string()).send();
    assert_eq!(page.status, 403);
    assert_eq!(server.get("/api/v1/claims").status, 405);
    assert_eq!(server.get("/api/v1/log").json()["items"].as_array().unwrap().len(), 0);
}

#[test]
fn as_many_claims_as_fit_are_taken_and_one_more_is_not() {
    let server = Server::start();
    let claims = |count: usize| (0..count).map(|n| hold(&format!("h{n}"), "prod")).collect();
    let many: Vec<Value> = claims(257);
    let refused = say(&server, None, &many);
    assert_eq!(refused.status, 413, "{}", refused.text());
    assert!(refused.text().contains("at most 256 claims at once, found 257"));
    let taken = say(&server, None, &many[..256]);
    assert_eq!(taken.status, 201);
    assert_eq!(taken.json()["items"].as_array().unwrap().len(), 256);
}

/// A deploy whose canonical form, `{"claim":…,"kind":"deploy"}`, has so many bytes.
fn long_deploy(key: &str, bytes: usize) -> Value {
    let deploy = |place: String| {
        json!({"kind": "deploy", "claim": {
            "key": key, "environment": "prod", "image": "api",
            "repository": "registry.example.com/shop/api", "from": null, "to": DIGEST,
            "tag": null, "how": {"kind": "deploy"}, "named_by": "name", "mode": "files",
            "grade": "applied", "outcome": {"result": "done"}, "commit": null, "places": [place],
            "reason": null, "ticket": null,
        }})
    };
    let rest = deploy(String::new()).to_string().len();
    deploy("x".repeat(bytes - rest))
}

#[test]
fn a_claim_of_the_largest_size_is_taken_and_one_byte_more_is_not() {
    let server = Server::start();
    // Source: DESIGN §12, limits: 60 KiB.
    let refused = say(&server, None, &[long_deploy("d1", 61_441)]);
    assert_eq!(refused.status, 413, "{}", refused.text());
    assert!(refused.text().contains("61441 bytes"), "{}", refused.text());
    assert_eq!(say(&server, None, &[long_deploy("d1", 61_440)]).status, 201);
    // As many as fit at once, each as long as it may be: and all of it can be read again.
    let claims: Vec<Value> = (0..256).map(|n| long_deploy(&format!("m{n:0>3}"), 61_440)).collect();
    let taken = say(&server, None, &claims);
    assert_eq!(taken.status, 201, "{}", taken.text().chars().take(300).collect::<String>());
    let (mut found, mut after) = (0, String::new());
    let mut pages = 0;
    loop {
        let page = server.get(&format!("/api/v1/log?limit=1000{after}"));
        assert!(page.body.len() < server::LOG_PAGE_BYTES_MAX + 1_000, "{}", page.body.len());
        let page = page.json();
        found += page["items"].as_array().unwrap().len();
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(found, 257);
    assert!(pages > 1, "16 MiB are more than a page");
}

#[test]
fn a_body_above_the_limit_is_refused() {
    let server = Server::start();
    let body = format!(r#"{{"claims":[]{}}}"#, " ".repeat(server::CLAIMS_BODY_BYTES_MAX - 13));
    assert_eq!(body.len(), server::CLAIMS_BODY_BYTES_MAX);
    assert_eq!(server.post_api("/api/v1/claims", &body).send().status, 200);
    assert_eq!(server.post_api("/api/v1/claims", &format!("{body} ")).send().status, 413);
}

#[test]
fn the_log_is_asked_by_kind_and_value_page_by_page() {
    let server = Server::start();
    let claims = [
        hold("h1", "prod"),
        build("b1", "shop/api", DIGEST),
        hold("h2", "uat"),
        block("x1", OTHER),
        build("b2", "shop/web", OTHER),
    ];
    assert_eq!(say(&server, None, &claims).status, 201);
    let asked = |query: &str| keys(&server.get(&format!("/api/v1/{query}")).json());
    assert_eq!(asked("log"), ["h1", "b1", "h2", "x1", "b2"]);
    assert_eq!(asked("log?kind=hold"), ["h1", "h2"]);
    assert_eq!(asked("log?kind=hold&kind=block"), ["h1", "h2", "x1"]);
    assert_eq!(asked("log?environment=prod"), ["h1", "b1", "b2"]);
    assert_eq!(asked("log?environment=prod&repository=shop%2Fweb"), ["b2"]);
    assert_eq!(asked("log?kind=hold&environment=prod&or-kind=block"), ["h1", "x1"]);
    assert_eq!(asked("builds"), ["b1", "b2"]);
    assert_eq!(asked(&format!("builds?digest={OTHER}")), ["b2"]);
    assert_eq!(asked("deploys"), [""; 0]);
    assert_eq!(asked("runs"), [""; 0]);
    let first = server.get("/api/v1/log?kind=hold&or-kind=block&limit=2").json();
    assert_eq!(keys(&first), ["h1", "h2"]);
    let next = first["next"].as_str().unwrap();
    assert_eq!(next, first["items"][1]["id"], "a cursor tells nothing but the event");
    let rest = server.get(&format!("/api/v1/log?kind=hold&or-kind=block&limit=2&after={next}"));
    assert_eq!(keys(&rest.json()), ["x1"]);
    assert!(rest.json()["next"].is_null());
    assert_eq!(first["basis"], "intended");
    let verified = server.get("/api/v1/log/verify").json();
    assert_eq!(verified, json!({"events": 5, "problems": []}));
}

#[test]
fn bad_questions_to_the_log_are_answered_with_what_is_wrong() {
    let server = Server::start();
    for (target, word) in [
        ("log?limit=0", "limit"),
        ("log?limit=1001", "limit"),
        ("log?kind=moon", "moon"),
        ("log?after=x", "after"),
        ("log?after=01KKYCKDHG0000000000000001", "after"),
        ("log?enviroment=prod", "enviroment"),
        ("builds?kind=hold", "kind"),
        ("log?tag=a&tag=b&tag=c&tag=d&tag=e&tag=f&tag=g&tag=h&tag=i", "at most 8"),
    ] {
        let refused = server.get(&format!("/api/v1/{target}"));
        assert_eq!(refused.status, 400, "{target}");
        assert!(refused.text().contains(word), "{target}: {}", refused.text());
    }
    assert_eq!(server.get("/api/v1/log?limit=1000").status, 200);
    let eight = "tag=a&tag=b&tag=c&tag=d&tag=e&tag=f&tag=g&tag=h";
    assert_eq!(server.get(&format!("/api/v1/log?{eight}")).status, 200);
}

#[test]
fn rows_of_other_teams_are_left_out_and_nothing_tells_how_many() {
    let server = Server::start();
    alias_rule(&server, "uat");
    push(&server, "bank/api", "v1", "a secret layer");
    let ours = push(&server, "shop/api", "v1", "ours");
    let token = server.token("shop", &["pull", "claims"], "shop/**");
    let bank = server.token("bank", &["pull", "claims", "decisions"], "bank/**");
    for n in 0..30 {
        let claims = [
            build(&format!("bank{n}"), "bank/api", OTHER),
            image(OTHER),
            block(&format!("blocked{n}"), OTHER),
        ];
        let claims = if n == 0 { &claims[..] } else { &claims[..1] };
        assert_eq!(say(&server, Some(&bank), claims).status, 201);
        let own = [build(&format!("shop{n:0>2}"), "shop/api", &ours)];
        assert_eq!(say(&server, Some(&token), &own).status, 201);
    }
    let (mut seen, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = read(&server, &token, &format!("/api/v1/log?limit=10{after}"));
        let text = page.to_string();
        assert!(!text.contains("bank") && !text.contains(OTHER), "{text}");
        assert!(!text.contains("seq"), "places in the sequence tell what is between them");
        seen.extend(page["items"].as_array().unwrap().clone());
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    // Its image, its tag, and 30 builds: full pages, whatever lies between.
    assert_eq!((seen.len(), pages), (32, 4));
    // A cursor that is another team's event is as unknown as none.
    let theirs = read(&server, &bank, "/api/v1/log?kind=build&limit=1");
    let theirs = theirs["items"][0]["id"].as_str().unwrap();
    let refused = |id: &str| {
        let target = format!("/api/v1/log?after={id}");
        let answer = server.ask("GET", &target).bearer(&token).send();
        (answer.status, answer.json()["error"]["message"].to_string().replace(id, "ID"))
    };
    assert_eq!(refused(theirs).0, 400);
    assert_eq!(refused(theirs), refused("01KKYCKDHG0000000000000001"));
    // Facets do not open what is closed, and what a digest is told of depends on who has it.
    assert_eq!(keys(&read(&server, &token, &format!("/api/v1/log?digest={OTHER}"))), [""; 0]);
    let known = read(&server, &bank, &format!("/api/v1/log?digest={OTHER}&or-kind=block"));
    assert_eq!(known["items"].as_array().unwrap().len(), 32);
    assert_eq!(server.ask("GET", "/api/v1/log/verify").bearer(&token).send().status, 403);
    // Under a key of another team nothing of its event is told but the name.
    let mut squat = build("bank1", "shop/api", &ours);
    squat["claim"]["environment"] = Value::Null;
    let taken = say(&server, Some(&token), &[squat]);
    assert_eq!(taken.status, 409);
    assert!(taken.json()["error"]["detail"]["event"].is_null(), "{}", taken.text());
    assert!(!taken.text().contains("bank/api"), "{}", taken.text());
}
