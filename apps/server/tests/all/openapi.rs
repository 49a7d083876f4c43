//! `docs/openapi.yaml` and the server say the same: every path and method, and the shape of what is answered.

use crate::client::{Reply, Server};
use crate::images::{alias_rule, push};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

fn description() -> Value {
    serde_saphyr::from_str(include_str!("../../../../docs/openapi.yaml")).unwrap()
}

#[test]
fn every_path_and_method_is_described_and_every_described_one_is_there() {
    let described = description();
    let paths = described["paths"].as_object().unwrap();
    let named: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
    assert_eq!(named, server::api_paths().into_iter().collect());
    let server = Server::start();
    for (path, operations) in paths {
        let target = path.replace("{name}", "nobody");
        for method in METHODS {
            let answer = server.ask(method, &target).header("X-Indelible", "1").send();
            let is_described = operations.get(method.to_ascii_lowercase()).is_some();
            assert_eq!(answer.status != 405, is_described, "{method} {path}: {}", answer.status);
        }
    }
}

#[test]
fn what_is_answered_has_the_shape_that_is_described() {
    let described = description();
    let server = Server::start();
    alias_rule(&server, "uat");
    let digest = push(&server, "shop/api", "v1", "x");
    let fits = |method: &str, path: &str, reply: &Reply| {
        let shape = shape(&described, method, path, reply.status);
        if let Err(why) = check(&described, shape, &reply.json(), "answer") {
            panic!("{method} {path} {}: {why}\n{}", reply.status, reply.text());
        }
    };
    let hold = json!({"claims": [{"kind": "hold", "claim": {
        "key": "h", "environment": "prod", "image": null, "state": "held", "reason": null,
    }}]});
    let mut other = hold.clone();
    other["claims"][0]["claim"]["environment"] = "uat".into();
    let reservation = |key: &str, release: &str| {
        json!({"claims": [{"kind": "reservation", "claim": {
            "key": key, "repository": "r.example/shop/api", "tag": "t", "release": release,
        }}]})
    };
    for (body, status) in [
        (&hold, 201),
        (&hold, 200),
        (&other, 409),
        (&reservation("r1", "a"), 201),
        (&reservation("r2", "b"), 409),
        (&json!({"claims": {}}), 400),
    ] {
        let reply = server.post_api("/api/v1/claims", &body.to_string()).send();
        assert_eq!(reply.status, status, "{}", reply.text());
        fits("post", "/api/v1/claims", &reply);
    }
    let page = server.get("/api/v1/log?limit=2");
    assert!(page.json()["next"].is_string());
    fits("get", "/api/v1/log", &page);
    for path in ["/api/v1/log", "/api/v1/log/verify", "/api/v1/builds", "/api/v1/deploys"] {
        fits("get", path, &server.get(path));
    }
    fits("get", "/api/v1/builds", &server.get(&format!("/api/v1/builds?digest={digest}")));
    fits("get", "/api/v1/log", &server.get("/api/v1/log?limit=0"));
    for path in ["/api/v1/runs", "/api/v1/rules", "/api/v1/tokens", "/api/v1/whoami"] {
        fits("get", path, &server.get(path));
    }
    for tag in ["v1", "uat", "latest"] {
        let target = format!("/api/v1/rules?repository=shop/api&tag={tag}");
        fits("get", "/api/v1/rules", &server.get(&target));
    }
    let unlock = r#"{"repository":"shop/api","tag":"v1","reason":"x","minutes":1}"#;
    fits("post", "/api/v1/unlock", &server.post_api("/api/v1/unlock", unlock).send());
    let history = server.get("/api/v1/tag-history?repository=shop/api");
    assert_eq!(history.json()["items"].as_array().unwrap().len(), 2);
    fits("get", "/api/v1/tag-history", &history);
    let rule = r#"{"repositories":"a","tags":"b","class":"append"}"#;
    fits("post", "/api/v1/rules", &server.post_api("/api/v1/rules", rule).send());
    tokens(&server, fits);
}

fn tokens(server: &Server, fits: impl Fn(&str, &str, &Reply)) {
    let admin = server.admin_token();
    let wanted = r#"{"name":"ci","rights":["claims","runs"],"repositories":"shop/**"}"#;
    let made = server.post_api("/api/v1/tokens", wanted).send();
    fits("post", "/api/v1/tokens", &made);
    fits("get", "/api/v1/whoami", &server.get("/api/v1/whoami"));
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let as_ci = |target: &str| server.ask("GET", target).bearer(&token).send();
    for path in ["/api/v1/whoami", "/api/v1/log", "/api/v1/log/verify", "/api/v1/tokens"] {
        fits("get", path, &as_ci(path));
    }
    let revoked = server.ask("DELETE", "/api/v1/tokens/ci").bearer(&admin).send();
    fits("delete", "/api/v1/tokens/{name}", &revoked);
    let listed = server.ask("GET", "/api/v1/tokens").bearer(&admin).send();
    assert!(listed.json()["tokens"][0]["revoked"].is_string());
    fits("get", "/api/v1/tokens", &listed);
    let unknown = server.ask("DELETE", "/api/v1/tokens/none").bearer(&admin).send();
    fits("delete", "/api/v1/tokens/{name}", &unknown);
}

#[test]
fn the_words_of_the_description_are_those_of_the_program() {
    let described = description();
    let words = |name: &str| -> BTreeSet<String> {
        let all = described["components"]["schemas"][name]["enum"].as_array().unwrap().iter();
        all.map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let rights = record::claim::Right::ALL.iter().map(|right| right.name().to_owned());
    assert_eq!(words("Right"), rights.collect());
    // The reader of a wrong word lists every right one.
    let wrong = serde_json::from_value::<record::Kind>("moon".into()).unwrap_err().to_string();
    let kinds = wrong.split('`').skip(1).step_by(2).filter(|word| *word != "moon");
    assert_eq!(words("Kind"), kinds.map(str::to_owned).collect());
}

/// The schema of an answer.
fn shape<'a>(described: &'a Value, method: &str, path: &str, status: u16) -> &'a Value {
    let answer = &described["paths"][path][method]["responses"][status.to_string()];
    assert!(!answer.is_null(), "{method} {path} does not tell of {status}");
    let answer = resolve(described, answer);
    &answer["content"]["application/json"]["schema"]
}

fn resolve<'a>(described: &'a Value, shape: &'a Value) -> &'a Value {
    match shape["$ref"].as_str() {
        Some(name) => described.pointer(name.strip_prefix('#').unwrap()).expect(name),
        None => shape,
    }
}

/// As much of JSON Schema as the description uses.
fn check(described: &Value, shape: &Value, found: &Value, at: &str) -> Result<(), String> {
    let shape = resolve(described, shape);
    if let Some(any) = shape["oneOf"].as_array() {
        let fitting = any.iter().filter(|one| check(described, one, found, at).is_ok()).count();
        return if fitting == 1 { Ok(()) } else { Err(format!("{at}: {fitting} shapes fit")) };
    }
    let wrong = |what: &str| Err(format!("{at}: {found} is not {what}"));
    let is = |kind: &str| match kind {
        "object" => found.is_object(),
        "array" => found.is_array(),
        "string" => found.is_string(),
        "boolean" => found.is_boolean(),
        "integer" => found.is_u64(),
        "null" => found.is_null(),
        other => panic!("{at}: this check does not know the type {other}"),
    };
    let fits = match &shape["type"] {
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().any(|kind| is(kind.as_str().unwrap())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    };
    if !fits {
        return wrong(&shape["type"].to_string());
    }
    if shape["enum"].as_array().is_some_and(|words| !words.contains(found)) {
        return wrong("one of its words");
    }
    if shape.get("const").is_some_and(|only| only != found) {
        return wrong(&shape["const"].to_string());
    }
    for (nth, item) in found.as_array().into_iter().flatten().enumerate() {
        check(described, &shape["items"], item, &format!("{at}[{nth}]"))?;
    }
    let Some(members) = found.as_object() else { return Ok(()) };
    for name in shape["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            return wrong(&format!("whole: it lacks {name}"));
        }
    }
    for (name, value) in members {
        match shape["properties"].get(name) {
            Some(shape) => check(described, shape, value, &format!("{at}.{name}"))?,
            None if shape["additionalProperties"] == false => {
                return wrong(&format!("described: {name}"));
            }
            None => {}
        }
    }
    Ok(())
}
