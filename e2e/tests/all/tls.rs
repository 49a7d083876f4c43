//! A registry in TLS whose certificate a company's own authority signed: trusted when the machine is told of
//! the authority, and refused in words when it is not. The registry is CNCF distribution, its certificates
//! are openssl's.

use std::fs;
use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};

use e2e::Image;
use tempfile::TempDir;
use testbed::{Peer, Running, peer};

use crate::situations::runner::Runner;

/// What a person has to read when a certificate is not trusted..
const CERTIFICATE: &str = "certificate";

/// A registry in TLS, and a machine's folder.
struct Place {
    folder: TempDir,
    host: String,
    // After the host is known and before the folder goes.
    _running: Running,
}

impl Place {
    /// Starts a registry whose certificate is for `address`; asked at this machine's own, since loopback is
    /// never spoken to in TLS.
    fn start(registry: &Peer, openssl: &Peer, own: &str, address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::make(openssl, folder.path(), "authority");
        authority.sign(openssl, folder.path(), address);
        Authority::make(openssl, folder.path(), "stranger");
        let host = format!("{own}:{}", testbed::free_port().unwrap());
        let running = start(registry, folder.path(), &host);
        Self { folder, host, _running: running }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> String {
        self.path().join(name).display().to_string()
    }

    /// A machine that trusts one authority, by the variable that Go and we read.
    fn trusting(&self, authority: &str) -> Runner {
        let certificate = self.file(&format!("{authority}.pem"));
        Runner::new(&self.path().join("home"), &self.path().join("work"))
            .with([("SSL_CERT_FILE", certificate)])
    }

    /// Runs a client that nobody here wrote; says what it printed.
    fn client(&self, peer: &Peer, arguments: &[&str]) -> String {
        println!("with {}", peer.version());
        let output = peer
            .command_at_home(self.path())
            .env("SSL_CERT_FILE", self.file("authority.pem"))
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn layout(&self, image: &Image) -> String {
        let layout = self.path().join("work/layout");
        e2e::write_layout(&layout, "image", image).unwrap();
        layout.display().to_string()
    }
}

/// Who signs certificates: a key, and a certificate of its own.
struct Authority {
    certificate: PathBuf,
    key: PathBuf,
}

impl Authority {
    fn make(openssl: &Peer, folder: &Path, name: &str) -> Self {
        let (certificate, key) =
            (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        let subject = format!("/CN={name} of a test");
        let mut arguments = vec!["req", "-x509", "-days", "2", "-subj", &subject];
        arguments.extend(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        arguments.extend(["-addext", "basicConstraints=critical,CA:TRUE"]);
        let (at, key_at) = (certificate.display().to_string(), key.display().to_string());
        arguments.extend(["-out", &at, "-keyout", &key_at]);
        run(openssl, folder, &arguments);
        Self { certificate, key }
    }

    /// Signs a certificate for an address into `server.pem`, its key in `server.key`.
    fn sign(&self, openssl: &Peer, folder: &Path, address: &str) {
        let mut ask = vec!["req", "-subj", "/CN=registry of a test", "-out", "server.csr"];
        ask.extend(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        ask.extend(["-keyout", "server.key"]);
        run(openssl, folder, &ask);
        let extensions = format!("subjectAltName=IP:{address}\nbasicConstraints=CA:FALSE\n");
        fs::write(folder.join("extensions"), extensions).unwrap();
        let (certificate, key) =
            (self.certificate.display().to_string(), self.key.display().to_string());
        let mut sign = vec!["x509", "-req", "-in", "server.csr", "-out", "server.pem"];
        sign.extend(["-days", "2", "-CA", &certificate, "-CAkey", &key, "-CAcreateserial"]);
        sign.extend(["-extfile", "extensions"]);
        run(openssl, folder, &sign);
    }
}

fn run(openssl: &Peer, folder: &Path, arguments: &[&str]) {
    let made = openssl.command_at_home(folder).current_dir(folder).args(arguments).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn start(registry: &Peer, folder: &Path, host: &str) -> Running {
    let shown = folder.display();
    let settings = format!(
        "version: 0.1\n\
         log: {{level: error, accesslog: {{disabled: true}}}}\n\
         storage: {{filesystem: {{rootdirectory: \"{shown}/registry\"}}}}\n\
         http:\n\
         \x20 addr: \"{host}\"\n\
         \x20 tls: {{certificate: \"{shown}/server.pem\", key: \"{shown}/server.key\"}}\n"
    );
    fs::write(folder.join("config.yml"), settings).unwrap();
    let mut command = registry.command_at_home(folder);
    command.arg("serve").arg(folder.join("config.yml"));
    let mut running = Running::start(&mut command, &folder.join("registry.log")).unwrap();
    running.wait_until_ready(|| TcpStream::connect(host).is_ok()).unwrap();
    running
}

/// This machine's address on its network: the one from which it would send. Nothing is sent.
fn own_address() -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Source: RFC 5737, an address of documentation.
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then(|| address.to_string())
}

/// The peers of a test and this machine's address; none: the test is noted as skipped.
fn peers(test: &str) -> Option<(Peer, Peer, String)> {
    match (peer("registry"), peer("openssl"), own_address()) {
        (Ok(registry), Ok(openssl), Some(own)) => {
            println!("with {} and {}", registry.version(), openssl.version());
            Some((registry, openssl, own))
        }
        (Err(missing), _, _) | (_, Err(missing), _) => {
            testbed::skip(test, missing);
            None
        }
        (_, _, None) => {
            testbed::skip(test, "this machine has no address but loopback");
            None
        }
    }
}

/// Writes a file that names an image by tag; says what stands in it later.
fn compose(runner: &Runner, host: &str) -> PathBuf {
    let file = runner.cwd.join("compose.yaml");
    fs::write(&file, format!("services:\n  api:\n    image: {host}/shop/api:1\n")).unwrap();
    file
}

#[test]
fn a_company_s_own_authority_is_trusted_where_the_machine_is_told_of_it() {
    let test = "a_company_s_own_authority_is_trusted_where_the_machine_is_told_of_it";
    let Some((registry, openssl, own)) = peers(test) else { return };
    let (crane, skopeo) = match (peer("crane"), peer("skopeo")) {
        (Ok(crane), Ok(skopeo)) => (crane, skopeo),
        (Err(missing), _) | (_, Err(missing)) => return testbed::skip(test, missing),
    };
    let place = Place::start(&registry, &openssl, &own, &own);
    let (host, image) = (place.host.as_str(), Image::oci("good evening").unwrap());
    let name = |rest: &str| format!("{host}/shop/{rest}");
    let layout = place.layout(&image);
    let digest = image.digest();

    place.client(&crane, &["push", &layout, &name("api:pushed")]);
    let machine = place.trusting("authority");
    let pushed = name(&format!("api@{digest}"));
    machine
        .run(&["publish", "--pushed", &pushed, "--tag", "1", "--record", "file:record.db"])
        .exits(0);
    let (from, to) = (format!("oci:{layout}:image"), name("web"));
    machine
        .run(&["publish", &from, "--to", &to, "--tag", "1", "--record", "file:record.db"])
        .exits(0);
    for repository in ["api:1", "web:1"] {
        let from = format!("docker://{}", name(repository));
        let seen = place.client(&skopeo, &["inspect", "--format", "{{.Digest}}", &from]);
        assert_eq!(seen, digest, "{repository}");
    }
    let file = compose(&machine, host);
    machine.run(&["pin", "compose.yaml"]).exits(0);
    let pinned = format!("services:\n  api:\n    image: {host}/shop/api:1@{digest}\n");
    assert_eq!(fs::read_to_string(file).unwrap(), pinned);
}

/// Each command that asks the registry says that its certificate is the trouble, and changes nothing.
fn is_refused(machine: &Runner, place: &Place) {
    let host = place.host.as_str();
    let file = compose(machine, host);
    let before = fs::read_to_string(&file).unwrap();
    let image = Image::oci("good evening").unwrap();
    let (from, to) = (format!("oci:{}:image", place.layout(&image)), format!("{host}/shop/api"));
    let pushed = format!("{to}@{}", image.digest());
    let record = ["--tag", "1", "--record", "file:record.db"];
    let publish = [["publish", "--pushed", pushed.as_str()].as_slice(), &record].concat();
    let publish_to = [["publish", from.as_str(), "--to", &to].as_slice(), &record].concat();
    let pin = vec!["pin", "compose.yaml"];
    for arguments in [publish, publish_to, pin] {
        let ran = machine.run(&arguments).exits(2);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(host) && said.contains(CERTIFICATE), "{ran}");
    }
    assert_eq!(fs::read_to_string(file).unwrap(), before);
    let kept = place.path().join("registry/docker/registry/v2/repositories");
    assert!(!kept.exists(), "something was pushed");
}

#[test]
fn a_certificate_of_a_stranger_or_for_another_address_is_refused_in_words() {
    let test = "a_certificate_of_a_stranger_or_for_another_address_is_refused_in_words";
    let Some((registry, openssl, own)) = peers(test) else { return };
    let place = Place::start(&registry, &openssl, &own, &own);
    is_refused(&place.trusting("stranger"), &place);
    // Source: RFC 5737, an address of documentation.
    let elsewhere = Place::start(&registry, &openssl, &own, "198.51.100.7");
    is_refused(&elsewhere.trusting("authority"), &elsewhere);
}
