//! The docker daemon's API, scripted: over loopback, and over a Unix socket.

use remote::daemon::{Daemon, DockerHost};
use remote::{Opener, RemoteError};

use crate::archives::saved;
use crate::images::image;
use crate::script::{Reply, Script, install_provider, quick};

fn at(script: &Script) -> DockerHost {
    install_provider();
    format!("tcp://{}", script.host).parse().unwrap()
}

#[tokio::test]
async fn an_image_is_saved_and_read() {
    let image = image(b"layer");
    let bytes = saved(&image, "shop/api:1").end();
    let script = Script::start(move |_, _| Reply::status(200).body(bytes.clone())).await;
    let temp = tempfile::tempdir().unwrap();
    let archive = Daemon::new(&at(&script)).unwrap().open("shop/api:1", temp.path()).await.unwrap();
    assert_eq!(archive.resolve().unwrap().digest, image.manifest.digest);
    assert!(script.seen()[0].is("GET", "/images/shop/api:1/get"));
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
    drop(archive);
    assert_eq!(
        std::fs::read_dir(temp.path()).unwrap().count(),
        0,
        "the saved file goes with the archive"
    );
}

#[tokio::test]
async fn an_image_that_the_daemon_lacks_is_absent_and_a_fault_is_not() {
    let temp = tempfile::tempdir().unwrap();
    for (status, is_absent) in [(404, true), (500, false)] {
        let script = Script::start(move |_, _| {
            Reply::status(status).body(r#"{"message":"No such image: a"}"#)
        })
        .await;
        let error = Daemon::new(&at(&script)).unwrap().open("a", temp.path()).await.unwrap_err();
        assert_eq!(error.is_not_found(), is_absent, "{error}");
        assert!(error.to_string().contains("`No such image: a`"), "{error}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_no_image() {
    let bytes = saved(&image(b"layer"), "a").end();
    let script = Script::start(move |_, _| {
        Reply::Short(Box::new(Reply::status(200).body(bytes.clone())), 700)
    })
    .await;
    let temp = tempfile::tempdir().unwrap();
    let error = Daemon::new(&at(&script)).unwrap().open("a", temp.path()).await.unwrap_err();
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error:?}");
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn without_a_daemon_the_socket_is_named() {
    install_provider();
    let temp = tempfile::tempdir().unwrap();
    let socket = temp.path().join("docker.sock");
    let opener = Opener {
        registry: quick(),
        docker: DockerHost::Unix(socket.clone()),
        temp: temp.path().to_owned(),
    };
    let error = opener.open(&"docker-daemon:shop/api:1".parse().unwrap()).await.unwrap_err();
    let expected = format!("docker daemon at unix://{} cannot be reached", socket.display());
    assert_eq!(error.to_string(), expected);
}

#[cfg(unix)]
#[tokio::test]
async fn a_socket_is_spoken_to() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    install_provider();
    let temp = tempfile::tempdir().unwrap();
    let socket = temp.path().join("docker.sock");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    let image = image(b"layer");
    let bytes = saved(&image, "a:1").end();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
    });
    let daemon = Daemon::new(&DockerHost::Unix(socket)).unwrap();
    let archive = daemon.open("a:1", temp.path()).await.unwrap();
    assert_eq!(archive.resolve().unwrap().digest, image.manifest.digest);
}
