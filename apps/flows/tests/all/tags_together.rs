//! Tags that are written together: one that is taken is the answer, and none of the others is called "there".

use domain::{Digest, Repository, Tag};
use flows::registries::{Registries, TagMade, TagsPut};
use flows::{App, Options, Surroundings};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;

type Tags = Arc<Mutex<BTreeMap<String, String>>>;

/// A registry that has one manifest, takes every tag, and ignores conditions; as distribution does.
fn registry(tags: &[(&str, Digest)]) -> (String, Tags) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let known = tags.iter().map(|(tag, digest)| ((*tag).to_owned(), digest.to_string()));
    let tags: Tags = Arc::new(Mutex::new(known.collect()));
    let shared = tags.clone();
    // It ends with the process of the tests.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tags = shared.clone();
            std::thread::spawn(move || while answer(&stream, &tags).is_some() {});
        }
    });
    (host, tags)
}

/// Answers one request; none where the connection ended.
fn answer(mut stream: &TcpStream, tags: &Tags) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let name = path.rsplit('/').next()?;
    let own = Digest::sha256(MANIFEST.as_bytes()).to_string();
    let there = tags.lock().unwrap().get(name).cloned();
    let there = if name == own { Some(own.clone()) } else { there };
    let (status, digest) = match (method, there) {
        ("PUT", _) => {
            tags.lock().unwrap().insert(name.to_owned(), own.clone());
            ("201 Created", own)
        }
        (_, Some(digest)) => ("200 OK", digest),
        (_, None) => ("404 Not Found", String::new()),
    };
    let length = if status == "200 OK" { MANIFEST.len() } else { 0 };
    let head = format!(
        "HTTP/1.1 {status}\r\nDocker-Content-Digest: {digest}\r\nContent-Length: {length}\r\n\
         Content-Type: application/vnd.oci.image.manifest.v1+json\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).ok()?;
    if method == "GET" && length > 0 {
        stream.write_all(MANIFEST.as_bytes()).ok()?;
    }
    Some(())
}

async fn create(tags: &[(&str, Digest)], wanted: &[&str]) -> (TagsPut, Tags) {
    // An error says that another test installed it already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let (host, known) = registry(tags);
    let surroundings = Surroundings {
        cwd: std::env::temp_dir(),
        variables: BTreeMap::new(),
        clock: Arc::new(|| "2026-03-17T14:39:58Z".parse().expect("a moment")),
        entropy: Arc::new(|| 7),
    };
    let app = App::open(Options::default(), surroundings).unwrap();
    let repository: Repository = format!("{host}/shop/api").parse().unwrap();
    let wanted: Vec<Tag> = wanted.iter().map(|tag| tag.parse().unwrap()).collect();
    let digest = Digest::sha256(MANIFEST.as_bytes());
    let registries = Registries::of(&app).unwrap();
    (registries.create_tags(&repository, &wanted, digest).await.unwrap(), known)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_taken_tag_is_the_answer_and_the_others_are_not_made() {
    let other = Digest::sha256(b"other");
    let (put, known) = create(&[("b", other)], &["a", "b", "c"]).await;
    let TagsPut::Taken { tag, there, .. } = put else { panic!("{put:?}") };
    assert_eq!((tag.as_str(), there), ("b", other));
    let known: Vec<String> =
        known.lock().unwrap().keys().filter(|name| name.len() == 1).cloned().collect();
    assert_eq!(known, ["b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_that_are_there_and_new_ones_are_told_apart_in_the_order_given() {
    let own = Digest::sha256(MANIFEST.as_bytes());
    let (put, _) = create(&[("b", own)], &["a", "b"]).await;
    assert_eq!(put, TagsPut::Made(vec![TagMade::Created, TagMade::Same]));
}
