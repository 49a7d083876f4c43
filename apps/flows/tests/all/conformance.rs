//! The record's contract, kept by every implementation.

use crate::opened::{Remote, local_in};
use crate::served::Served;
use flows::seam::conformance::conformance;

#[tokio::test(flavor = "multi_thread")]
async fn a_local_record_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let opened = std::sync::atomic::AtomicUsize::new(0);
    conformance(async || {
        let number = opened.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        local_in(folder.path().join(number.to_string()))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_git_record_keeps_the_contract() {
    let remotes = std::sync::Mutex::new(Vec::new());
    conformance(async || {
        let remote = Remote::new();
        let record = remote.record("ada").await;
        remotes.lock().unwrap().push(remote);
        record
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_on_a_server_keeps_the_contract() {
    let servers = std::sync::Mutex::new(Vec::new());
    conformance(async || {
        let server = Served::start().await;
        let record = server.record(None).await.expect("a server that answers");
        servers.lock().unwrap().push(server);
        record
    })
    .await;
}
