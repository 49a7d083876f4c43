//! Two clusters in one record: a server watches the first itself, and a watcher of the second reports to it.

use super::{apply, cluster, kubectl, push_image, wait_for_pods};
use crate::situations::runner::Runner;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testbed::{Cluster, Running, wait_until_within};

const REPORTED_WITHIN: Duration = Duration::from_secs(90);
const TOKEN: &str = "hook-t0ken";

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

    let folder = tempfile::tempdir().unwrap();
    let (url, calls) = listen();
    let settings = format!(
        "version: 1\nrecord: local\nwebhooks:\n- {{url: \"{url}\", token-variable: HOOK_TOKEN}}\n"
    );
    std::fs::write(folder.path().join("indelible.yaml"), settings).unwrap();
    let log = folder.path().join("serve.log");
    let serve = ["serve", "--data", "data", "--listen", "127.0.0.1:0"];
    let roles = ["--role", "registry,api,watch", "--watch-context", "testbed"];
    let mut command = program(folder.path(), &first, &[&serve[..], &roles].concat());
    let mut server = start(&mut command, &log, "watching testbed");
    let lines = text(&log);
    let address = lines.lines().find_map(|line| line.strip_prefix("listening on ")).unwrap();

    // The second cluster's watcher is somewhere else, and knows nothing but the server's address.
    let away = tempfile::tempdir().unwrap();
    let log = away.path().join("watch.log");
    let watch = ["watch", "--context", "testbed", "--record", address, "--metrics", "127.0.0.1:0"];
    let mut command = program(away.path(), &second, &watch);
    let mut watcher = start(&mut command, &log, "watching testbed");

    let ada = Runner::new(folder.path(), folder.path());
    let ran = ["ran", "--digest", &digests[0], "--record", address, "--json"];
    wait_until_within(REPORTED_WITHIN, "both clusters' containers are in one record", || {
        let answer = ada.run(&ran).json();
        answer["items"].as_array().is_some_and(|items| items.len() == 2)
    })
    .unwrap();
    let watched = ada.json(&["watched", "--record", address]);
    assert_eq!(watched["items"].as_array().unwrap().len(), 2, "{watched}");

    // What is wrong in either is in that record, in the numbers, and told once to whoever is called.
    wait_until_within(REPORTED_WITHIN, "both clusters' findings are recorded", || {
        get(address, "/api/v1/findings").matches("\"what\":\"unpinned\"").count() >= 2
    })
    .unwrap();
    let open =
        "indelible_watch_findings_open{context=\"testbed\",environment=\"\",kind=\"unpinned\"} ";
    assert!(get(address, "/metrics").contains(open));
    let metrics = text(&log);
    let metrics = metrics.lines().find_map(|line| line.strip_prefix("metrics at ")).unwrap();
    let numbers = get(metrics.trim_end_matches("/metrics"), "/metrics");
    assert!(numbers.contains(open) && numbers.contains("indelible_watch_delay_seconds_count"));
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

    // An image that is pinned closes it: in the record of the server, by the watcher that is away.
    let pinned = format!("web={}/shop/web:moving@{}", second.registry(), digests[1]);
    kubectl(&second, &["--namespace", "shop", "set", "image", "deployment/web", &pinned]);
    wait_until_within(REPORTED_WITHIN, "the finding closes", || {
        text(&log).contains("unpinned of shop deployment/web web is over")
    })
    .unwrap();
    watcher.stop().unwrap();
    server.stop().unwrap();
    let stretches = text(&folder.path().join("serve.log"));
    assert!(!stretches.contains("error"), "{stretches}");
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
