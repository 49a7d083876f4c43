//! Registries that do not give what they are asked for: each answer names the registry and what it said.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use e2e::Image;
use tempfile::TempDir;

use super::runner::{Ran, Runner};

/// A registry that answers what it was told to, to each request in turn.
struct Scripted {
    host: String,
    asked: Arc<AtomicUsize>,
}

impl Scripted {
    /// `answer` gets the number of requests before this one; none closes the connection without a word.
    fn start(answer: impl Fn(usize) -> Option<Vec<u8>> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        // It ends with the process of the tests.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(method) = method_of(&stream) {
                    let answer = answer(count.fetch_add(1, Ordering::SeqCst));
                    reply(stream, &method, answer);
                }
            }
        });
        Self { host, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Reads a request's head.
fn method_of(stream: &TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    Some(first.split(' ').next()?.to_owned())
}

fn reply(mut stream: TcpStream, method: &str, answer: Option<Vec<u8>>) {
    let Some(answer) = answer else { return };
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let sent = if method == "HEAD" { &answer[..end] } else { &answer[..] };
    // A client that went away has its reasons; its own test says whether they were right.
    let _sent = stream.write_all(sent);
}

fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    [head.as_bytes(), body].concat()
}

/// A person with a file that names an image there.
struct Place {
    folder: TempDir,
    person: Runner,
    host: String,
}

impl Place {
    fn new(host: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let person = Runner::new(&folder.path().join("home"), &folder.path().join("work"));
        let place = Self { folder, person, host: host.to_owned() };
        std::fs::write(place.person.cwd.join("compose.yaml"), place.compose()).unwrap();
        place
    }

    fn compose(&self) -> String {
        format!("services:\n  api:\n    image: {}/shop/api:1\n", self.host)
    }

    fn written(&self) -> String {
        std::fs::read_to_string(self.person.cwd.join("compose.yaml")).unwrap()
    }

    fn pin(&self) -> Ran {
        self.person.run(&["pin", "compose.yaml"])
    }

    /// Both ways to ask end with this code and these words, and leave nothing.
    fn is_told(&self, words: &[&str]) -> [usize; 2] {
        let (pinned, published) = thread::scope(|scope| {
            let pin = scope.spawn(|| self.pin());
            let publish = scope.spawn(|| self.publish());
            (pin.join().unwrap(), publish.join().unwrap())
        });
        let codes = [&pinned, &published].map(|ran| usize::try_from(ran.code.unwrap()).unwrap());
        for ran in [pinned, published] {
            let said = format!("{}{}", ran.stdout, ran.stderr);
            for word in words {
                assert!(said.contains(word), "`{word}` is not said: {ran}");
            }
            assert!(said.contains(&self.host), "the registry is not named: {ran}");
        }
        assert_eq!(self.written(), self.compose(), "the file is as it was");
        assert!(
            !self.person.cwd.join("record.db").exists(),
            "nothing is recorded, so no record begins"
        );
        codes
    }

    fn publish(&self) -> Ran {
        let pushed = format!("{}/shop/api@{}", self.host, Image::oci("a").unwrap().digest());
        let arguments =
            ["publish", "--pushed", &pushed, "--tag", "1", "--record", "file:record.db"];
        self.person.run(&arguments)
    }
}

const ERROR: &[u8] = br#"{"errors":[{"code":"WRONG","message":"not for you"}]}"#;

#[test]
fn a_registry_that_refuses_is_named_with_its_status_and_nothing_is_left() {
    let cases: [(&'static str, &[&'static str], [usize; 2]); 4] = [
        ("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"shop\""], [2, 2]),
        ("404 Not Found", &[], [2, 2]),
        ("429 Too Many Requests", &["Retry-After: 3600"], [2, 2]),
        ("503 Service Unavailable", &[], [2, 2]),
    ];
    thread::scope(|scope| {
        for (status, headers, codes) in cases {
            scope.spawn(move || {
                let registry = Scripted::start(move |_| Some(answer(status, headers, ERROR)));
                // That there is no such tag is an answer, and is said in words.
                let words: &[&str] = if status.starts_with("404") { &[] } else { &[&status[..3]] };
                let found = Place::new(&registry.host).is_told(words);
                assert_eq!(found, codes, "{status}");
                assert!(registry.asked() <= 40, "{status}: asked {} times", registry.asked());
            });
        }
    });
}

#[test]
fn a_registry_that_says_nothing_or_is_not_there_is_named() {
    thread::scope(|scope| {
        scope.spawn(|| {
            let silent = Scripted::start(|_| None);
            assert_eq!(Place::new(&silent.host).is_told(&["cannot be reached"]), [2, 2]);
        });
        scope.spawn(|| {
            let gone = format!("127.0.0.1:{}", testbed::free_port().unwrap());
            assert_eq!(Place::new(&gone).is_told(&["cannot be reached"]), [2, 2]);
        });
        scope.spawn(|| {
            let page = |_| Some(answer("200 OK", &["Content-Type: text/html"], b"<h1>Hello</h1>"));
            let place = Place::new(&Scripted::start(page).host);
            assert_eq!(place.is_told(&[]), [2, 2]);
        });
    });
}

#[test]
fn a_registry_that_asks_for_a_pause_gets_it() {
    let image = Image::oci("a").unwrap();
    let digest = image.digest();
    let (said, bytes) = (format!("Docker-Content-Digest: {digest}"), image.manifest.clone());
    let kind = format!("Content-Type: {}", image.media_type);
    let registry = Scripted::start(move |before| {
        Some(match before {
            0 => answer("429 Too Many Requests", &["Retry-After: 1"], ERROR),
            _ => answer("200 OK", &[&kind, &said], &bytes),
        })
    });
    let place = Place::new(&registry.host);
    let ran = place.pin().exits(0);
    assert!(ran.took >= Duration::from_secs(1), "it waited {:?} only", ran.took);
    assert_eq!(place.written(), place.compose().replace(":1\n", &format!(":1@{digest}\n")));
}

/// Wrong bytes under a digest are refused wherever they come from.
#[test]
fn a_registry_that_delivers_other_bytes_is_not_believed() {
    let image = Image::oci("b").unwrap();
    let kind = format!("Content-Type: {}", image.media_type);
    let registry = Scripted::start(move |_| Some(answer("200 OK", &[&kind], &image.manifest)));
    let place = Place::new(&registry.host);
    let ran = place.publish().exits(2);
    ran.says(&["other bytes", &Image::oci("a").unwrap().digest()]);
    assert!(!Path::new(&place.folder.path().join("work/indelible.env")).exists());
}
