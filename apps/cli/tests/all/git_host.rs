//! A git host's API on loopback, which answers only what the published description of that API allows.
//!
//! ```text
//! POST /repos/shop/config/pulls {"title","head","base","body"}  ->  201 {"number": 7, "html_url": …}
//! ```
//! Each operation stands in a table with what its description asks for. A request with another field, another type or a
//! query that the description does not have is a 599, which no host sends.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Which host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// Source: github/rest-api-description, `descriptions/api.github.com/api.github.com.2022-11-28.json`: `pulls/list`,
    /// `pulls/create` (required: head, base), `pulls/update`; answers `pull-request-simple` and `pull-request`, in
    /// which `number` (integer) and `html_url` (uri) are required. A request that does not name its program is a 403:
    /// docs.github.com/rest, "Getting started with the REST API", "User agent".
    GitHub,
    /// Source: docs.gitlab.com/api/merge_requests and GitLab's `doc/api/openapi/openapi_v2.yaml`:
    /// `postApiV4ProjectsIdMergeRequests` (required: title, source_branch, target_branch),
    /// `putApiV4ProjectsIdMergeRequestsMergeRequestIid`; answer `API_Entities_MergeRequest` with `iid` and `web_url`.
    GitLab,
    /// Source: MicrosoftDocs/vsts-rest-api-specs, `specification/git/7.1/git.json`: `Pull Requests_Get Pull Requests`,
    /// `Pull Requests_Create`, `Pull Requests_Update`; the answers as in `httpExamples/pullRequests`, 201 and 200. A token
    /// that it does not know is a 203 with a page to log in: issues 97 and 574 of the same repository.
    Azure,
}

/// One operation of a description.
struct Operation {
    method: &'static str,
    path: &'static str,
    query: &'static [&'static str],
    required: &'static [&'static str],
    optional: &'static [&'static str],
    status: u16,
}

fn github() -> [Operation; 3] {
    [
        Operation {
            method: "GET",
            path: "/repos/shop/config/pulls",
            query: &["state", "head", "base", "sort", "direction", "per_page", "page"],
            required: &[],
            optional: &[],
            status: 200,
        },
        Operation {
            method: "POST",
            path: "/repos/shop/config/pulls",
            query: &[],
            required: &["head", "base"],
            optional: &["title", "body", "draft", "issue", "head_repo", "maintainer_can_modify"],
            status: 201,
        },
        Operation {
            method: "PATCH",
            path: "/repos/shop/config/pulls/7",
            query: &[],
            required: &[],
            optional: &["title", "body", "state", "base", "maintainer_can_modify"],
            status: 200,
        },
    ]
}

fn gitlab() -> [Operation; 3] {
    [
        Operation {
            method: "GET",
            path: "/api/v4/projects/shop%2Fconfig/merge_requests",
            query: &["state", "source_branch", "target_branch", "page", "per_page"],
            required: &[],
            optional: &[],
            status: 200,
        },
        Operation {
            method: "POST",
            path: "/api/v4/projects/shop%2Fconfig/merge_requests",
            query: &[],
            required: &["title", "source_branch", "target_branch"],
            optional: &["description", "remove_source_branch", "squash", "labels"],
            status: 201,
        },
        Operation {
            method: "PUT",
            path: "/api/v4/projects/shop%2Fconfig/merge_requests/7",
            query: &[],
            required: &[],
            optional: &["title", "description", "target_branch", "state_event"],
            status: 200,
        },
    ]
}

fn azure() -> [Operation; 3] {
    [
        Operation {
            method: "GET",
            path: "/shop/ops/_apis/git/repositories/config/pullrequests",
            query: &[
                "searchCriteria.status",
                "searchCriteria.sourceRefName",
                "searchCriteria.targetRefName",
                "api-version",
            ],
            required: &[],
            optional: &[],
            status: 200,
        },
        Operation {
            method: "POST",
            path: "/shop/ops/_apis/git/repositories/config/pullrequests",
            query: &["api-version", "supportsIterations"],
            required: &["sourceRefName", "targetRefName", "title"],
            optional: &["description", "reviewers"],
            status: 201,
        },
        Operation {
            method: "PATCH",
            path: "/shop/ops/_apis/git/repositories/config/pullrequests/7",
            query: &["api-version"],
            required: &[],
            optional: &["title", "description", "status", "autoCompleteSetBy"],
            status: 200,
        },
    ]
}

impl Api {
    fn operations(self) -> [Operation; 3] {
        match self {
            Self::GitHub => github(),
            Self::GitLab => gitlab(),
            Self::Azure => azure(),
        }
    }

    /// What the description calls a pull request, as far as it is required.
    fn pull(self, host: &str) -> Value {
        match self {
            Self::GitHub => json!({
                "id": 1, "number": 7, "state": "open", "title": "t",
                "html_url": format!("http://{host}/shop/config/pull/7"),
            }),
            Self::GitLab => json!({
                "id": 1, "iid": 7, "state": "opened", "title": "t",
                "web_url": format!("http://{host}/shop/config/-/merge_requests/7"),
            }),
            Self::Azure => json!({
                "pullRequestId": 7, "status": "active", "title": "t",
                "url": format!("http://{host}/shop/ops/_apis/git/repositories/config/pullRequests/7"),
            }),
        }
    }

    fn list(self, pulls: Vec<Value>) -> Value {
        match self {
            Self::GitHub | Self::GitLab => Value::Array(pulls),
            Self::Azure => json!({ "count": pulls.len(), "value": pulls }),
        }
    }

    fn proof(self) -> &'static str {
        match self {
            Self::GitHub | Self::GitLab => "Bearer secret",
            // `:secret` in base64.
            Self::Azure => "Basic OnNlY3JldA==",
        }
    }
}

/// What a host was told and asked.
#[derive(Default)]
struct Heard {
    is_open: bool,
    asked: Vec<String>,
}

/// A git host on loopback that runs until the test ends.
pub(crate) struct Host {
    address: String,
    heard: Arc<Mutex<Heard>>,
}

impl Host {
    pub(crate) fn start(api: Api) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (shared, host) = (heard.clone(), address.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (heard, host) = (shared.clone(), host.clone());
                std::thread::spawn(move || while serve(api, &host, &stream, &heard).is_some() {});
            }
        });
        Self { address, heard }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What it was asked, in order, with the bodies.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap().asked)
    }
}

/// Answers one request of a connection.
fn serve(api: Api, host: &str, stream: &TcpStream, heard: &Mutex<Heard>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let (mut proof, mut program, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => value.clone_into(&mut proof),
            "user-agent" => value.clone_into(&mut program),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (status, answer) = answer(api, host, (method, target, &proof), &body, heard);
    let (status, text) = match (api, status) {
        (Api::GitHub, _) if program.is_empty() => (403, "Request forbidden".to_owned()),
        (Api::Azure, 401) => (203, "<html>Sign in to your account</html>".to_owned()),
        (Api::GitHub | Api::GitLab | Api::Azure, status) => (status, answer.to_string()),
    };
    let mut writer = stream;
    write!(
        writer,
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    )
    .ok()
}

fn answer(
    api: Api,
    host: &str,
    (method, target, proof): (&str, &str, &str),
    body: &[u8],
    heard: &Mutex<Heard>,
) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let mut heard = heard.lock().unwrap();
    let shown = if body.is_null() { String::new() } else { format!(" {body}") };
    heard.asked.push(format!("{method} {target}{shown}"));
    if proof != api.proof() {
        return (401, json!({"message": "Bad credentials"}));
    }
    let operations = api.operations();
    let found = operations.iter().find(|one| one.method == method && one.path == path);
    let Some(operation) = found else {
        return (404, json!({"message": "Not Found"}));
    };
    let strange =
        |what: String| (599, json!({ "message": format!("not in the description: {what}") }));
    let names = query.split('&').filter(|pair| !pair.is_empty());
    let mut names = names.map(|pair| pair.split('=').next().unwrap_or_default());
    if let Some(name) = names.find(|name| !operation.query.contains(name)) {
        return strange(format!("query {name}"));
    }
    let fields = body.as_object().cloned().unwrap_or_default();
    for (name, value) in &fields {
        let is_known = operation.required.contains(&name.as_str())
            || operation.optional.contains(&name.as_str());
        let is_flag = name == "remove_source_branch";
        if !is_known || is_flag != value.is_boolean() || !(is_flag || value.is_string()) {
            return strange(format!("field {name}: {value}"));
        }
    }
    if let Some(name) = operation.required.iter().find(|name| !fields.contains_key(**name)) {
        return (422, json!({ "message": format!("{name} is missing") }));
    }
    let pull = api.pull(host);
    match (method, heard.is_open) {
        ("GET", false) => (operation.status, api.list(Vec::new())),
        ("GET", true) => (operation.status, api.list(vec![pull])),
        ("POST", true) => (409, json!({"message": "one is open already"})),
        ("POST", false) => {
            heard.is_open = true;
            (operation.status, pull)
        }
        _ => (operation.status, pull),
    }
}
