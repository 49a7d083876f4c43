//! What commits did to the files of a folder.

use crate::sandbox::{Sandbox, branch, commit, path, raw};
use git::{Begins, Checkout, Credential, Past, PastBytes, PastChanges};

/// Subject of each commit, with its files: `+` there, `-` gone.
fn seen(changes: &PastChanges) -> Vec<(String, Vec<String>)> {
    let of = |one: &git::PastCommit| {
        let files = one
            .files
            .iter()
            .map(|file| format!("{}{}", if file.blob.is_some() { '+' } else { '-' }, file.path));
        (one.commit.subject.clone(), files.collect())
    };
    changes.commits.iter().map(of).collect()
}

fn line(subject: &str, files: &[&str]) -> (String, Vec<String>) {
    (subject.to_owned(), files.iter().map(|file| (*file).to_owned()).collect())
}

#[tokio::test]
async fn a_branch_is_read_along_its_first_parents_up_to_a_limit() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("remote").await;
    let scratch = sandbox.scratch("work").await;
    let at = scratch.folder().to_owned();
    commit(&scratch, 0, "one", &[("apps/a.yaml", "1"), ("apps/b.yaml", "1"), ("other", "1")]).await;
    raw(&at, &["checkout", "-q", "-b", "side"]);
    commit(&scratch, 1, "aside", &[("apps/a.yaml", "2")]).await;
    raw(&at, &["checkout", "-q", "main"]);
    commit(&scratch, 2, "elsewhere", &[("other", "2")]).await;
    raw(&at, &["merge", "-q", "--no-ff", "-m", "merged", "side"]);
    raw(&at, &["mv", "apps/b.yaml", "apps/c.yaml"]);
    raw(&at, &["commit", "-q", "-m", "renamed"]);
    scratch.push(&remote, &Credential::Ambient, &branch("main")).await.unwrap();
    let cache = sandbox.at("cache");
    let past = Past::of_branch(&sandbox.git, remote, Credential::Ambient, branch("main"), &cache);
    let apps = path("apps");
    let expected = [
        line("one", &["+apps/a.yaml", "+apps/b.yaml"]),
        line("merged", &["+apps/a.yaml"]),
        line("renamed", &["-apps/b.yaml", "+apps/c.yaml"]),
    ];
    // At the limit, and one above it.
    let whole = past.changes(Some(&apps), 3).await.unwrap();
    assert_eq!((seen(&whole).as_slice(), whole.begins), (&expected[..], Begins::AtFirst));
    let cut = past.changes(Some(&apps), 2).await.unwrap();
    let first = line("merged", &["+apps/a.yaml", "+apps/b.yaml"]);
    assert_eq!((seen(&cut), cut.begins), (vec![first, expected[2].clone()], Begins::AtLimit));
    let blob = whole.commits[1].files[0].blob.clone().unwrap();
    assert_eq!(past.read(&[blob]).await.unwrap(), [PastBytes::Read(b"2".to_vec())]);
    assert_eq!(past.changes(None, 10).await.unwrap().commits.len(), 4);
    assert_eq!(past.changes(Some(&path("nowhere")), 10).await.unwrap().commits, []);
}

#[tokio::test]
async fn a_shallow_clone_is_told_with_what_stood_there_when_it_begins() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("remote").await;
    let scratch = sandbox.scratch("work").await;
    for at in 0..3 {
        commit(&scratch, at, &at.to_string(), &[("apps/a.yaml", &at.to_string())]).await;
    }
    scratch.push(&remote, &Credential::Ambient, &branch("main")).await.unwrap();
    let url = format!("file://{}", sandbox.at("remote").display());
    raw(&sandbox.at(""), &["clone", "-q", "--depth=2", "--branch=main", &url, "shallow"]);
    let checkout = Checkout::find(&sandbox.git, &sandbox.at("shallow")).await.unwrap();
    let past = Past::of_checkout(&checkout);
    let cut = past.changes(Some(&path("apps")), 10).await.unwrap();
    assert_eq!(
        (seen(&cut), cut.begins),
        (vec![line("1", &["+apps/a.yaml"]), line("2", &["+apps/a.yaml"])], Begins::Shallow)
    );
    let blob = cut.commits[0].files[0].blob.clone().unwrap();
    assert_eq!(past.read(&[blob]).await.unwrap(), [PastBytes::Read(b"1".to_vec())]);
    // Only the clone's own cut counts, not that it is shallow.
    raw(&sandbox.at("shallow"), &["fetch", "-q", "--depth=3"]);
    let whole = past.changes(Some(&path("apps")), 10).await.unwrap();
    assert_eq!((whole.commits.len(), whole.begins), (3, Begins::AtFirst));
}
