//! Starting, stopping, and what is refused before anybody asks.

use crate::client::{Server, half_a_patch};
use crate::images::{digest, push};
use server::{Anonymous, Options, ServeError};
use std::io::{Read as _, Write as _};

fn start(options: Options) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let running = server::serve(options, std::future::pending()).await?;
        running.stop().await;
        Ok(())
    })
}

#[test]
fn two_servers_on_one_folder_are_told_apart() {
    let server = Server::start();
    let error = start(Options::loopback(server.folder.path())).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("in use"), "{text}");
    assert!(text.contains(server.folder.path().to_str().unwrap()), "{text}");
    // Both are in this process.
    assert!(text.contains(&format!("by process {}", std::process::id())), "{text}");
    let folder = server.stop();
    start(Options::loopback(folder.path())).unwrap();
}

#[test]
fn an_address_that_is_taken_is_named() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::loopback(folder.path());
    options.listen = server.address;
    let error = start(options).unwrap_err();
    assert!(error.to_string().contains(&server.address.to_string()), "{error}");
}

#[test]
fn listening_wider_without_a_token_is_refused_unless_said_outright() {
    let folder = tempfile::tempdir().unwrap();
    let wide = |anonymous| {
        let mut options = Options::loopback(folder.path());
        options.listen = "0.0.0.0:0".parse().unwrap();
        options.anonymous = anonymous;
        options
    };
    let refused = start(wide(Anonymous::OnLoopback));
    let error = refused.unwrap_err();
    assert!(matches!(error, ServeError::WideOpen { .. }));
    for way in ["`indelible token create`", "`--anonymous nowhere`", "`--anonymous everywhere`"] {
        assert!(error.to_string().contains(way), "{error}");
    }
    start(wide(Anonymous::Everywhere)).unwrap();
    start(wide(Anonymous::Nowhere)).unwrap();
    let server = Server::start_on(folder, |_| {});
    server.token("ci", &["pull"], "**");
    let folder = server.stop();
    let mut options = Options::loopback(folder.path());
    options.listen = "0.0.0.0:0".parse().unwrap();
    start(options).unwrap();
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let server = Server::start();
    let named = push(&server, "shop/api", "1.4", "x");
    let folder = server.stop();
    let server = Server::start_on(folder, |_| {});
    let got = server.get("/v2/shop/api/manifests/1.4");
    assert_eq!(got.header("docker-content-digest"), Some(named.as_str()));
    assert_eq!(server.get(&format!("/v2/shop/api/blobs/{}", digest("x"))).body, b"x");
}

#[test]
fn a_stop_lets_a_request_under_way_end() {
    let server = Server::start();
    let started = server.ask("POST", "/v2/a/blobs/uploads/").send();
    let location = started.header("location").unwrap().to_owned();
    let mut stream = half_a_patch(&server, &location);
    let stopping = std::thread::spawn(move || server.stop());
    stream.write_all(b"b").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    stopping.join().unwrap();
}
