//! What a PUT of a manifest leaves in the record beside its tags.

use crate::client::Server;
use crate::images::{image, manifest, push_blob, put};
use record::claim::ImageClaim;
use record::{Claim, Kind};
use store::{Database, Ledger, Query};

/// The images that the stopped server's record holds.
fn recorded(server: Server) -> Vec<ImageClaim> {
    let folder = server.stop();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::new(Database::open(&folder.path().join("indelible.db")).unwrap());
        let query = Query { kinds: vec![Kind::Image], limit: 100, ..Query::default() };
        let events = ledger.events(query).await.unwrap();
        let claims = events.into_iter().filter_map(|event| {
            let Claim::Image(claim) = event.event.claim else { return None };
            Some(claim)
        });
        claims.collect()
    })
}

#[test]
fn a_pushed_image_is_in_the_record_once_with_its_platform() {
    let server = Server::start();
    let config = push_blob(&server, "a", br#"{"os":"linux","architecture":"amd64"}"#);
    let layer = push_blob(&server, "a", b"x");
    let pushed = manifest(&config, &layer, 1);
    for tag in ["1", "2", "1"] {
        assert_eq!(put(&server, "a", tag, &pushed).status, 201);
    }
    let images = recorded(server);
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].platforms[0].platform.as_ref().unwrap().to_string(), "linux/amd64");
    assert_eq!(images[0].platforms[0].config.unwrap().to_string(), config);
    assert_eq!(images[0].size, pushed.len() as u64);
}

#[test]
fn a_refused_push_leaves_no_image_in_the_record() {
    let server = Server::start();
    let first = image(&server, "a", "x");
    assert_eq!(put(&server, "a", "1", &first).status, 201);
    let second = image(&server, "a", "y");
    assert_eq!(put(&server, "a", "1", &second).status, 409);
    let missing = manifest(&crate::images::digest("{}"), &crate::images::digest("absent"), 6);
    assert_eq!(put(&server, "a", "2", &missing).status, 400);
    let images = recorded(server);
    let digests: Vec<_> = images.iter().map(|image| image.digest.to_string()).collect();
    assert_eq!(digests, [crate::images::digest(&first)]);
}
