//! Process crash: `kill -9` at any point of a push loop loses nothing that was answered 201.
//!
//! Four pushers, each sending small images one after the other; the server is killed once they have
//! sent a number of requests that differs from round to round, so at another step each time and in
//! the middle of others. Then it starts again on the same folder and has to hold everything.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;
use e2e::{Http, Image, Server, fetch, push_blob, put_manifest, tags};

const PUSHERS: usize = 4;
/// A round ends at the latest after so many images a pusher.
const IMAGES_MAX: usize = 40;

/// A tag whose manifest was answered 201.
struct Acknowledged {
    tag: String,
    image: Image,
}

/// Pushes until the server is gone; gives what it acknowledged.
fn push_until_killed(
    host: &str,
    round: usize,
    pusher: usize,
    steps: &AtomicUsize,
) -> Vec<Acknowledged> {
    let mut acknowledged = Vec::new();
    let Ok(mut http) = Http::connect(host) else {
        return acknowledged;
    };
    for number in 0..IMAGES_MAX {
        let tag = format!("r{round}-p{pusher}-{number}");
        let image = Image::oci(&tag).unwrap();
        match push_counted(&mut http, &tag, &image, steps) {
            Ok(()) => acknowledged.push(Acknowledged { tag, image }),
            // Killed: whether this one was kept is unknown, and either is right.
            Err(_) => break,
        }
    }
    acknowledged
}

fn push_counted(http: &mut Http, tag: &str, image: &Image, steps: &AtomicUsize) -> Result<()> {
    for blob in image.blobs() {
        steps.fetch_add(1, Ordering::Relaxed);
        push_blob(http, "shop/api", &blob.bytes)?;
    }
    steps.fetch_add(1, Ordering::Relaxed);
    put_manifest(http, "shop/api", tag, image.media_type, &image.manifest)?.expect(201)?;
    Ok(())
}

/// One round: push, kill after `steps_max` requests, give what was acknowledged.
fn round(data: &Path, round: usize, steps_max: usize) -> Vec<Acknowledged> {
    let mut server = Server::start(data).unwrap();
    let host = server.host().to_owned();
    let steps = AtomicUsize::new(0);
    thread::scope(|scope| {
        let pushers: Vec<_> = (0..PUSHERS)
            .map(|pusher| {
                let (host, steps) = (host.as_str(), &steps);
                scope.spawn(move || push_until_killed(host, round, pusher, steps))
            })
            .collect();
        testbed::wait_until("the pushers send their requests", || {
            steps.load(Ordering::Relaxed) >= steps_max
        })
        .unwrap();
        server.is_healthy().unwrap();
        server.kill().unwrap();
        pushers.into_iter().flat_map(|pusher| pusher.join().unwrap()).collect()
    })
}

/// Numbers that look random and are the same in every run. Source: Knuth's MMIX constants.
fn scattered(seed: u64) -> usize {
    let mixed =
        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(mixed >> 40).unwrap()
}

#[test]
fn nothing_that_was_answered_201_is_lost_by_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let rounds: usize = if testbed::long() { 200 } else { 20 };
    let mut kept: Vec<Acknowledged> = Vec::new();
    for number in 0..rounds {
        // Fewer than what three pushers can send, so the loop never ends by itself.
        let steps_max = 1 + scattered(number as u64) % (IMAGES_MAX * 3 * 2);
        let before = kept.len();
        kept.extend(round(&data, number, steps_max));

        let server = Server::start(&data).unwrap();
        let mut http = server.connect().unwrap();
        for Acknowledged { tag, image } in &kept[before..] {
            fetch(&mut http, "shop/api", tag, image)
                .unwrap_or_else(|error| panic!("round {number}, {tag}: {error:#}"));
        }
        server.stop().unwrap();
    }
    assert!(!kept.is_empty(), "no round came as far as a tag");
    // Once more all of them: a later crash must not take what an earlier one left.
    let server = Server::start(&data).unwrap();
    let mut http = server.connect().unwrap();
    let listed = tags(&mut http, "shop/api").unwrap();
    for Acknowledged { tag, image } in &kept {
        fetch(&mut http, "shop/api", tag, image).unwrap();
        assert!(listed.contains(tag), "{tag} is not listed");
    }
    println!("{rounds} crashes, {} acknowledged images", kept.len());
}
