//! Behind a company's proxy: a registry that only the proxy can reach, in clear text and in TLS, and what
//! the proxy never sees. The registry is CNCF distribution, the certificate is openssl's.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use e2e::{Http, Image, Server};
use tempfile::TempDir;
use testbed::{Distribution, Peer, Running, peer};

use crate::situations::runner::{Ran, Runner};

/// A name that nobody but the proxy knows. Source: RFC 6761, `test`.
const NAME: &str = "registry.shop.test";
/// `U*U`, and its hash as its own author published it. Source: openwall's crypt_blowfish, wrapper.c.
const PASSWORD: &str = "U*U";
const PASSWORD_HASH: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
/// `ada:U*U` in base64, as `docker login` keeps it and `Authorization` carries it.
const LOGIN: &str = "YWRhOlUqVQ==";

/// A proxy as companies have them: it tunnels, and passes clear text on. Ends with the tests' process.
struct Proxy {
    address: String,
    /// All bytes that clients sent to it, tunnelled ones too.
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    /// Every name leads to `upstream`.
    fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, upstream) = (Arc::clone(&heard), upstream.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (kept, upstream) = (Arc::clone(&kept), upstream.clone());
                // A client that goes away ends its own thread only.
                thread::spawn(move || pass_on(client, &upstream, &kept));
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }

    /// The variables with which a machine is told of it.
    fn variables(&self) -> [(&'static str, String); 2] {
        let address = format!("http://proxy-user:proxy-word@{}", self.address);
        [("HTTP_PROXY", address.clone()), ("HTTPS_PROXY", address)]
    }
}

fn pass_on(mut client: TcpStream, upstream: &str, kept: &Mutex<Vec<u8>>) -> Option<()> {
    client.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    kept.lock().unwrap().extend_from_slice(&head);
    let mut server = TcpStream::connect(upstream).ok()?;
    if head.starts_with(b"CONNECT ") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    } else {
        server.write_all(&for_upstream(&String::from_utf8(head).ok()?)).ok()?;
    }
    let (mut from_server, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    let back = thread::spawn(move || {
        let _copied = std::io::copy(&mut from_server, &mut to_client);
        let _ended = to_client.shutdown(Shutdown::Both);
    });
    let mut piece = [0; 8192];
    while let Ok(length @ 1..) = client.read(&mut piece) {
        kept.lock().unwrap().extend_from_slice(&piece[..length]);
        server.write_all(&piece[..length]).ok()?;
    }
    let _ended = server.shutdown(Shutdown::Write);
    back.join().ok()
}

/// The head as the server is to see it: a path alone, one request a connection, nothing for the proxy.
/// Source: RFC 9112, sections 3.2 and 9.6; RFC 9110, section 11.7.
fn for_upstream(head: &str) -> Vec<u8> {
    let (first, rest) = head.split_once("\r\n").unwrap();
    let words: Vec<&str> = first.split(' ').collect();
    let path =
        words[1].strip_prefix("http://").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    let mut changed = format!("{} {} {}\r\n", words[0], path.unwrap(), words[2]);
    for line in rest.trim_end().split("\r\n") {
        let name = line.split(':').next().unwrap().to_ascii_lowercase();
        if !name.starts_with("proxy-") && name != "connection" {
            changed += &format!("{line}\r\n");
        }
    }
    (changed + "Connection: close\r\n\r\n").into_bytes()
}

/// A person's machine with an image in a layout.
struct Place {
    folder: TempDir,
    image: Image,
}

impl Place {
    fn new() -> Self {
        let (folder, image) = (tempfile::tempdir().unwrap(), Image::oci("a").unwrap());
        e2e::write_layout(&folder.path().join("work/layout"), "a", &image).unwrap();
        Self { folder, image }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn person<'a>(&self, variables: impl IntoIterator<Item = (&'a str, String)>) -> Runner {
        Runner::new(&self.path().join("home"), &self.path().join("work")).with(variables)
    }

    fn assert_is_in(&self, host: &str) {
        let mut http = Http::connect(host).unwrap();
        e2e::fetch(&mut http, "shop/api", "1", &self.image).unwrap();
    }
}

fn said(ran: &Ran) -> String {
    format!("{}{}", ran.stdout, ran.stderr)
}

fn publish<'a>(to: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments =
        vec!["publish", "oci:layout:a", "--to", to, "--tag", "1", "--record", "file:record.db"];
    arguments.extend(more);
    arguments
}

#[test]
fn clear_text_goes_by_the_proxy_and_past_it_where_that_is_said() {
    let test = "clear_text_goes_by_the_proxy_and_past_it_where_that_is_said";
    let registry = match Distribution::start() {
        Ok(registry) => registry,
        Err(error) => return testbed::skip(test, error),
    };
    println!("with {}", peer("registry").unwrap().version());
    let (place, proxy) = (Place::new(), Proxy::start(registry.host()));
    let host = format!("{NAME}:5000");
    let to = format!("{host}/shop/api");
    let arguments = publish(&to, &["--plain-http", &host]);

    let passing = proxy.variables().into_iter().chain([("NO_PROXY", "shop.test".to_owned())]);
    place.person(passing).run(&arguments).exits(2).says(&["cannot be reached", &host]);
    assert_eq!(proxy.heard(), "", "what is listed in NO_PROXY is not asked by the proxy");

    let published = place.person(proxy.variables()).run(&arguments).exits(0);
    place.assert_is_in(registry.host());
    let heard = proxy.heard();
    // The protocol and the question whether the registry is ours: all by the same way.
    for asked in ["PUT http://HOST/v2/shop/api/manifests/", "GET http://HOST/api/v1/rules"] {
        let asked = asked.replace("HOST", &host);
        assert!(heard.contains(&asked), "`{asked}` was not asked:\n{heard}");
    }
    assert!(!said(&published).contains("proxy-word"), "{published}");
}

#[test]
fn tls_is_tunnelled_and_the_proxy_never_learns_who_we_are() {
    let test = "tls_is_tunnelled_and_the_proxy_never_learns_who_we_are";
    let (registry, openssl) = match (peer("registry"), peer("openssl")) {
        (Ok(registry), Ok(openssl)) => (registry, openssl),
        (Err(missing), _) | (_, Err(missing)) => return testbed::skip(test, missing),
    };
    println!("with {} and {}", registry.version(), openssl.version());
    let place = Place::new();
    let certificate = make_certificate(&openssl, place.path());
    let (_running, upstream) = start_in_tls(&registry, place.path());
    let proxy = Proxy::start(&upstream);
    fs::create_dir_all(place.path().join("home/.docker")).unwrap();
    let login = format!(r#"{{"auths":{{"{NAME}":{{"auth":"{LOGIN}"}}}}}}"#);
    fs::write(place.path().join("home/.docker/config.json"), login).unwrap();
    let trusted = ("SSL_CERT_FILE", certificate.to_str().unwrap().to_owned());
    let variables: Vec<_> = proxy.variables().into_iter().chain([trusted]).collect();

    let to = format!("{NAME}/shop/api");
    let published = place.person(variables.clone()).run(&publish(&to, &["-vvv"])).exits(0);
    fs::write(place.path().join("home/.docker/config.json"), "{}").unwrap();
    let pinned = format!("{to}@{}", place.image.digest());
    let asks = ["publish", "--pushed", &pinned, "--tag", "2", "--record", "file:record.db", "-vvv"];
    let refused = place.person(variables).run(&asks).exits(2).says(&[NAME, "401", "docker login"]);

    let heard = proxy.heard();
    let tunnels = heard.matches("CONNECT registry.shop.test:443 HTTP/1.1\r\n").count();
    assert!(tunnels >= 1, "{heard}");
    assert!(!heard.contains("/v2/"), "what is asked is inside of TLS");
    let said = said(&published) + &said(&refused);
    for secret in [PASSWORD, LOGIN] {
        assert!(!heard.contains(secret), "the proxy learns `{secret}`");
        assert!(!said.contains(secret), "`{secret}` is in what is said: {said}");
    }
    assert!(!said.contains("proxy-word"), "the proxy's own password is in what is said");
}

#[test]
fn this_machine_is_asked_without_the_proxy() {
    let place = Place::new();
    let server = Server::start(&place.path().join("data")).unwrap();
    let proxy = Proxy::start(server.host());
    let to = format!("{}/shop/api", server.host());
    place.person(proxy.variables()).run(&publish(&to, &[])).exits(0);
    place.assert_is_in(server.host());
    assert_eq!(proxy.heard(), "");
}

/// A certificate that names the registry and is trusted by itself.
fn make_certificate(openssl: &Peer, folder: &Path) -> PathBuf {
    let made = openssl
        .command_at_home(folder)
        .current_dir(folder)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem", "-days", "2"])
        .args(["-subj", "/CN=the registry of a test", "-addext"])
        .arg(format!("subjectAltName=DNS:{NAME}"))
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder.join("certificate.pem")
}

/// The CNCF registry in TLS, which lets `ada` in.
fn start_in_tls(registry: &Peer, folder: &Path) -> (Running, String) {
    let port = testbed::free_port().unwrap();
    let upstream = format!("127.0.0.1:{port}");
    let shown = folder.display();
    let settings = format!(
        "version: 0.1\n\
         log: {{level: error, accesslog: {{disabled: true}}}}\n\
         storage: {{filesystem: {{rootdirectory: \"{shown}/registry\"}}}}\n\
         auth: {{htpasswd: {{realm: shop, path: \"{shown}/users\"}}}}\n\
         http:\n\
         \x20 addr: \"{upstream}\"\n\
         \x20 tls: {{certificate: \"{shown}/certificate.pem\", key: \"{shown}/key.pem\"}}\n"
    );
    fs::write(folder.join("users"), format!("ada:{PASSWORD_HASH}\n")).unwrap();
    fs::write(folder.join("config.yml"), settings).unwrap();
    let mut command = registry.command_at_home(folder);
    command.arg("serve").arg(folder.join("config.yml"));
    let mut running = Running::start(&mut command, &folder.join("registry.log")).unwrap();
    running.wait_until_ready(|| TcpStream::connect(&upstream).is_ok()).unwrap();
    (running, upstream)
}
