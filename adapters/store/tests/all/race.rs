//! Many writers, one tag: one wins, and one event says so.

use crate::shop::{Shop, config, put, repository};
use store::PutError;

const WRITERS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_writers_of_one_tag_one_wins_and_there_is_one_event() {
    let shop = Shop::open();
    let rounds = if testbed::long() { 1_000 } else { 50 };
    for writer in 0..WRITERS {
        let digest = config(&format!("w{writer}")).digest;
        shop.catalog.link_blob(repository(), digest, 1).await.unwrap();
    }
    for round in 0..rounds {
        let name = format!("v{round}");
        let racing: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let catalog = shop.catalog.clone();
                let put = put(&format!("w{writer}"), &[&name]);
                tokio::spawn(async move { (put.digest, catalog.put_manifest(put).await) })
            })
            .collect();
        let mut winners = Vec::new();
        let mut told = Vec::new();
        for race in racing {
            match race.await.unwrap() {
                (digest, Ok(_)) => winners.push(digest),
                (_, Err(PutError::Taken { there, .. })) => told.push(there.digest),
                (_, Err(other)) => panic!("round {round}: {other}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        assert_eq!(told, vec![winners[0]; WRITERS - 1], "round {round}");
        assert_eq!(shop.names(&name).await, Some(winners[0]));
        assert_eq!(shop.changes(&name).await, 1, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_writers_of_the_same_bytes_all_succeed_with_one_event() {
    let shop = Shop::open();
    shop.catalog.link_blob(repository(), config("a").digest, 1).await.unwrap();
    let racing: Vec<_> = (0..WRITERS)
        .map(|_| {
            let catalog = shop.catalog.clone();
            tokio::spawn(async move { catalog.put_manifest(put("a", &["v1"])).await })
        })
        .collect();
    for race in racing {
        race.await.unwrap().unwrap();
    }
    assert_eq!(shop.changes("v1").await, 1);
}
