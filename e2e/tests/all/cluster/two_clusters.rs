//! Two clusters in one record: a server watches the first itself, and a watcher of the second reports to it.

use super::{apply, cluster, kubectl, push_image, wait_for_pods};
use crate::situations::runner::Runner;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use testbed::{Cluster, Running, wait_until_within};

const REPORTED_WITHIN: Duration = Duration::from_secs(90);
const TOKEN: &str = "hook-t0ken";
/// As a watcher of one such cluster tells it.
const OPEN: &str =
    "indelible_watch_findings_open{context=\"testbed\",environment=\"\",kind=\"unpinned\"} 1";

fn objects(image: &str) -> String {
    format!(
        "\
apiVersion: v1
kind: Namespace
metadata: {{name: shop}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{{name: web, image: \"{image}\"}}]
"
    )
}

/// What calls said: the token, and the body.
type Calls = Arc<Mutex<Vec<(String, String)>>>;

/// Takes calls, and keeps what they say.
fn listen() -> (String, Calls) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let calls = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&calls);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut length, mut token) = (0, String::new());
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                let lower = line.to_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or_default();
                }
                if lower.starts_with("authorization:") {
                    token = line["authorization:".len()..].trim().to_owned();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_ok() {
                kept.lock().unwrap().push((token, String::from_utf8_lossy(&body).into_owned()));
            }
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
        }
    });
    (url, calls)
}

fn program(folder: &Path, cluster: &Cluster, arguments: &[&str]) -> Command {
    let mut command = Command::new(testbed::indelible_bin().unwrap());
    command.args(arguments).current_dir(folder).env("HOME", folder);
    command.env("KUBECONFIG", cluster.kubeconfig()).env("HOOK_TOKEN", TOKEN);
    command
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Starts a program, and waits for a line of its log.
fn start(command: &mut Command, log: &Path, line: &str) -> Running {
    let mut running = Running::start(command, log).unwrap();
    running.wait_until_ready(|| text(log).contains(line)).unwrap();
    running
}

/// A folder, the programs that run in it, and what they say.
struct Desk {
    folder: TempDir,
    running: Running,
    log: PathBuf,
}

impl Desk {
    fn start(folder: TempDir, cluster: &Cluster, arguments: &[&str]) -> Self {
        let log = folder.path().join("said.log");
        let mut command = program(folder.path(), cluster, arguments);
        let running = start(&mut command, &log, "watching testbed");
        Self { folder, running, log }
    }

    /// What stands behind these words.
    fn said(&self, words: &str) -> String {
        let log = text(&self.log);
        let found = log.lines().find_map(|line| line.strip_prefix(words));
        found.unwrap_or_else(|| panic!("`{words}` is not said: {log}")).to_owned()
    }
}

/// A server with a record, which watches a cluster itself and calls somebody.
fn server(cluster: &Cluster, url: &str) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "version: 1\nrecord: local\nwebhooks:\n- {{url: \"{url}\", token-variable: HOOK_TOKEN}}\n"
    );
    std::fs::write(folder.path().join("indelible.yaml"), settings).unwrap();
    let serve = ["serve", "--data", "data", "--listen", "127.0.0.1:0"];
    let roles = ["--role", "registry,api,watch", "--watch-context", "testbed"];
    Desk::start(folder, cluster, &[&serve[..], &roles].concat())
}

/// A watcher that is somewhere else, and knows nothing but a server's address.
fn watcher(cluster: &Cluster, address: &str) -> Desk {
    let watch = ["watch", "--context", "testbed", "--record", address, "--metrics", "127.0.0.1:0"];
    Desk::start(tempfile::tempdir().unwrap(), cluster, &watch)
}

#[test]
fn a_server_watches_one_cluster_itself_and_hears_of_the_other() {
    let test = "a_server_watches_one_cluster_itself_and_hears_of_the_other";
    let Some(first) = cluster(test) else { return };
    let second = cluster(test).expect("a machine that has one cluster can have two");
    let digests = [&first, &second].map(|cluster| {
        let digest = push_image(cluster, "shop/web:moving", "same");
        apply(cluster, &objects(&format!("{}/shop/web:moving", cluster.registry())));
        wait_for_pods(cluster, "shop", "app=web", 1);
        digest
    });
    assert_eq!(digests[0], digests[1], "the same bytes in both");
    let (url, calls) = listen();
    let mut here = server(&first, &url);
    let address = here.said("listening on ");
    let mut away = watcher(&second, &address);

    both_run(&here, &address, &digests[0]);
    both_findings_are_told(&address, &away);
    somebody_is_called(&calls);

    // An image that is pinned closes it: in the record of the server, by the watcher that is away.
    let pinned = format!("web={}/shop/web:moving@{}", second.registry(), digests[1]);
    kubectl(&second, &["--namespace", "shop", "set", "image", "deployment/web", &pinned]);
    wait_until_within(REPORTED_WITHIN, "the finding closes", || {
        text(&away.log).contains("unpinned of shop deployment/web web is over")
    })
    .unwrap();
    away.running.stop().unwrap();
    here.running.stop().unwrap();
    let said = text(&here.log);
    assert!(!said.contains("error"), "{said}");
}

/// One record has the containers of both, and the stretches in which they were watched.
fn both_run(here: &Desk, address: &str, digest: &str) {
    let ada = Runner::new(here.folder.path(), here.folder.path());
    let ran = ["ran", "--digest", digest, "--record", address, "--json"];
    wait_until_within(REPORTED_WITHIN, "both clusters' containers are in one record", || {
        let answer = ada.run(&ran).json();
        answer["items"].as_array().is_some_and(|items| items.len() == 2)
    })
    .unwrap();
    let watched = ada.json(&["watched", "--record", address]);
    assert_eq!(watched["items"].as_array().unwrap().len(), 2, "{watched}");
}

/// What is wrong in either is in that record, and in the numbers of whoever watches it.
fn both_findings_are_told(address: &str, away: &Desk) {
    wait_until_within(REPORTED_WITHIN, "both clusters' findings are recorded", || {
        get(address, "/api/v1/findings").matches("\"what\":\"unpinned\"").count() >= 2
    })
    .unwrap();
    // The record comes first: a watcher counts what it has read back from there.
    let metrics = away.said("metrics at ");
    let metrics = metrics.trim_end_matches("/metrics");
    for watcher in [address, metrics] {
        wait_until_within(REPORTED_WITHIN, "the numbers say so", || {
            get(watcher, "/metrics").lines().any(|line| line == OPEN)
        })
        .unwrap_or_else(|error| panic!("{error:#}: {}", get(watcher, "/metrics")));
    }
    assert!(get(metrics, "/metrics").contains("indelible_watch_delay_seconds_count"));
}

/// What opened is told to whoever is called, with the token that proves who calls.
fn somebody_is_called(calls: &Calls) {
    wait_until_within(REPORTED_WITHIN, "the webhook is called", || {
        calls.lock().unwrap().iter().any(|(_, body)| body.contains("unpinned"))
    })
    .unwrap();
    let (token, body) = calls.lock().unwrap()[0].clone();
    assert_eq!(token, format!("Bearer {TOKEN}"));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["specversion"], &body["type"]),
        (&"1.0".into(), &"dev.indelible.finding.opened".into())
    );
}

/// What a server answers.
fn get(address: &str, path: &str) -> String {
    let host = address.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
