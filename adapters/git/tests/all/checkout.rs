//! Questions about a user's repository.

use crate::sandbox::{Sandbox, ann, branch, commit, message, raw};
use domain::CommitId;
use domain::Secret;
use git::{
    Ancestry, Author, Checkout, Credential, GitError, Head, Merge, Revision, Scratch, WhyUnknown,
};

#[tokio::test]
async fn a_checkout_tells_its_root_head_and_state() {
    let sandbox = Sandbox::new().await;
    let scratch = sandbox.scratch("shop").await;
    let checkout = Checkout::find(&sandbox.git, &sandbox.at("shop")).await.unwrap();
    let main = "refs/heads/main".parse().unwrap();
    assert_eq!(checkout.head().await.unwrap(), Head::Unborn { branch: main });
    let first = commit(&scratch, 0, "first", &[("a", "1"), ("sub/b", "1")]).await;
    let below = Checkout::find(&sandbox.git, &sandbox.at("shop/sub")).await.unwrap();
    assert_eq!(below.root(), sandbox.at("shop").canonicalize().unwrap());
    let head = below.head().await.unwrap();
    assert_eq!((head.commit(), head.branch().unwrap().branch()), (Some(&first), Some("main")));
    let clean = below.state().await.unwrap();
    assert_eq!((clean.changed, clean.untracked, clean.is_dirty()), (0, 0, false));
    std::fs::write(sandbox.at("shop/new"), "1").unwrap();
    assert!(!below.state().await.unwrap().is_dirty());
    std::fs::write(sandbox.at("shop/a"), "22").unwrap();
    std::fs::remove_file(sandbox.at("shop/sub/b")).unwrap();
    let dirty = below.state().await.unwrap();
    assert_eq!((dirty.changed, dirty.untracked), (2, 1));
    raw(&sandbox.at("shop"), &["checkout", "-q", "--detach"]);
    assert_eq!(below.head().await.unwrap(), Head::Detached { commit: first });
}

#[tokio::test]
async fn a_branch_called_feature_prod_is_not_prod() {
    let sandbox = Sandbox::new().await;
    let scratch = sandbox.scratch("shop").await;
    commit(&scratch, 0, "first", &[("a", "1")]).await;
    scratch.branch(&branch("feature/prod")).await.unwrap();
    let checkout = Checkout::find(&sandbox.git, scratch.folder()).await.unwrap();
    let head = checkout.head().await.unwrap();
    assert_eq!(head.branch().unwrap().to_string(), "refs/heads/feature/prod");
}

#[tokio::test]
async fn tags_and_short_ids_are_told() {
    let sandbox = Sandbox::new().await;
    let scratch = sandbox.scratch("shop").await;
    let first = commit(&scratch, 0, "first", &[("a", "1")]).await;
    let checkout = Checkout::find(&sandbox.git, scratch.folder()).await.unwrap();
    assert!(!checkout.has_tags().await.unwrap());
    scratch.tag(&branch("v1.4.2")).await.unwrap();
    raw(scratch.folder(), &["tag", "-a", "-m", "x", "shop/v2"]);
    assert!(checkout.has_tags().await.unwrap());
    assert_eq!(checkout.tags_at(&first).await.unwrap(), ["shop/v2", "v1.4.2"]);
    let second = commit(&scratch, 1, "second", &[("a", "2")]).await;
    assert!(checkout.tags_at(&second).await.unwrap().is_empty());
    assert!(checkout.unique_digits(&first, 12).await.unwrap() >= 12);
    assert_eq!(checkout.unique_digits(&first, 40).await.unwrap(), 40);
    assert_eq!(checkout.find_commit("v1.4.2").await.unwrap(), first);
    assert_eq!(checkout.find_commit(second.short(10)).await.unwrap(), second);
    for before in ["HEAD~1", "HEAD^", "main~", "v1.4.2^{commit}", "@^", "shop/v2"] {
        assert_eq!(checkout.find_commit(before).await.unwrap(), first, "{before}");
    }
    let nothing: CommitId = "0123456789".repeat(4).parse().unwrap();
    let long = "x".repeat(1_025);
    for missing in [
        "v9",
        "--all",
        "",
        "a..b",
        "HEAD^{/x}",
        nothing.as_str(),
        "a\nb",
        "HEAD~9",
        "^HEAD",
        "HEAD:a",
        "HEAD^{tree}",
        &long,
    ] {
        let refused = checkout.find_commit(missing).await;
        assert!(matches!(refused, Err(GitError::NoSuchCommit { .. })), "{missing}: {refused:?}");
    }
    assert!(checkout.tags_at(&nothing).await.is_err());
}

#[tokio::test]
async fn a_commit_tells_parents_author_times_and_trailers() {
    let sandbox = Sandbox::new().await;
    let scratch = sandbox.scratch("shop").await;
    let first = commit(&scratch, 0, "first", &[("a", "1")]).await;
    scratch.branch(&branch("develop")).await.unwrap();
    let work = commit(&scratch, 1, "work", &[("b", "1")]).await;
    scratch.switch(&branch("main")).await.unwrap();
    let text = message("deploy(prod): api")
        .with_trailer("Digest", "sha256:9f")
        .and_then(|text| text.with_trailer("Actor", "ann"))
        .unwrap();
    let merged = scratch.merge(&branch("develop"), Merge::Commit, &ann(2), &text).await.unwrap();
    let checkout = Checkout::find(&sandbox.git, scratch.folder()).await.unwrap();
    let told = checkout.commit(&merged).await.unwrap();
    assert_eq!(told.parents, [first, work.clone()]);
    assert_eq!((told.author_name.as_str(), told.subject.as_str()), ("Ann", "deploy(prod): api"));
    assert_eq!(told.committed.to_string(), "2026-03-17T14:40:00.000Z");
    assert_eq!(told.trailers.get("Digest"), Some("sha256:9f"));
    assert_eq!(told.trailers.iter().count(), 2);
    let log = checkout.log(&Revision::Head, Some("b"), 10).await.unwrap();
    assert_eq!(log.commits.iter().map(|c| &c.id).collect::<Vec<_>>(), [&work]);
    assert!(log.is_whole);
    let cut = checkout.log(&Revision::Head, None, 2).await.unwrap();
    assert_eq!((cut.commits.len(), cut.is_whole), (2, false));
}

/// `main` with two commits and `side` with one of its own.
async fn forked(sandbox: &Sandbox) -> (Scratch, [CommitId; 3]) {
    let scratch = sandbox.scratch("shop").await;
    let first = commit(&scratch, 0, "first", &[("a", "1")]).await;
    scratch.branch(&branch("side")).await.unwrap();
    let side = commit(&scratch, 1, "side", &[("b", "1")]).await;
    scratch.switch(&branch("main")).await.unwrap();
    let second = commit(&scratch, 2, "second", &[("a", "2")]).await;
    (scratch, [first, side, second])
}

#[tokio::test]
async fn ancestry_is_yes_no_or_cannot_tell() {
    let sandbox = Sandbox::new().await;
    let (scratch, [first, side, second]) = forked(&sandbox).await;
    let whole = Checkout::find(&sandbox.git, scratch.folder()).await.unwrap();
    assert_eq!(whole.is_ancestor(&first, &second).await.unwrap(), Ancestry::Yes);
    assert_eq!(whole.is_ancestor(&second, &second).await.unwrap(), Ancestry::Yes);
    assert_eq!(whole.is_ancestor(&second, &first).await.unwrap(), Ancestry::No);
    assert_eq!(whole.is_ancestor(&side, &second).await.unwrap(), Ancestry::No);
    let unknown: CommitId = "0123456789".repeat(4).parse().unwrap();
    assert_eq!(
        whole.is_ancestor(&unknown, &second).await.unwrap(),
        Ancestry::CannotTell(WhyUnknown::NotHere(unknown))
    );
}

#[tokio::test]
async fn many_are_asked_at_once_with_the_same_answers() {
    let sandbox = Sandbox::new().await;
    let (scratch, [first, side, second]) = forked(&sandbox).await;
    let whole = Checkout::find(&sandbox.git, scratch.folder()).await.unwrap();
    let unknown: CommitId = "0123456789".repeat(4).parse().unwrap();
    let all = [first, side, second, unknown];
    for old in &all {
        let mut one_by_one = Vec::new();
        for new in &all {
            one_by_one.push(whole.is_ancestor(old, new).await.unwrap());
        }
        let together = whole.which_contain(old, &all).await.unwrap();
        let is_same = one_by_one.iter().zip(&together).all(|(one, other)| {
            // Where neither commit is here, each way may name the other one.
            one == other
                || matches!((one, other), (Ancestry::CannotTell(_), Ancestry::CannotTell(_)))
        });
        assert!(is_same, "{old}: {one_by_one:?} {together:?}");
    }
}

#[tokio::test]
async fn a_shallow_checkout_never_says_no() {
    let sandbox = Sandbox::new().await;
    let (scratch, [first, side, second]) = forked(&sandbox).await;
    let whole = Checkout::find(&sandbox.git, scratch.folder()).await.unwrap();
    let url = format!("file://{}", scratch.folder().display());
    raw(
        sandbox.folder.path(),
        &["clone", "-q", "--depth=1", "--no-single-branch", &url, "shallow"],
    );
    let shallow = Checkout::find(&sandbox.git, &sandbox.at("shallow")).await.unwrap();
    assert!(shallow.is_shallow().await.unwrap());
    assert!(!whole.is_shallow().await.unwrap());
    assert_eq!(
        shallow.is_ancestor(&side, &second).await.unwrap(),
        Ancestry::CannotTell(WhyUnknown::Shallow)
    );
    assert_eq!(
        shallow.is_ancestor(&first, &second).await.unwrap(),
        Ancestry::CannotTell(WhyUnknown::NotHere(first))
    );
    assert_eq!(
        shallow.which_contain(&side, &[second, side.clone()]).await.unwrap(),
        [Ancestry::CannotTell(WhyUnknown::Shallow), Ancestry::Yes]
    );
    assert!(!shallow.log(&Revision::Head, None, 10).await.unwrap().is_whole);
}

#[tokio::test]
async fn origin_is_read_without_its_password() {
    let sandbox = Sandbox::new().await;
    let scratch = sandbox.scratch("shop").await;
    let checkout = Checkout::find(&sandbox.git, scratch.folder()).await.unwrap();
    assert_eq!(checkout.origin().await.unwrap(), None);
    let set = |url: &str| raw(scratch.folder(), &["config", "remote.origin.url", url]);
    set("https://gitlab-ci-token:s3cret@git.example.com/shop.git");
    let origin = checkout.origin().await.unwrap().unwrap();
    assert_eq!(origin.url.as_str(), "https://git.example.com/shop.git");
    assert!(matches!(origin.credential, Some(Credential::Token { .. })));
    assert!(!format!("{origin:?}").contains("s3cret"));
    set("../config.git");
    let beside = checkout.origin().await.unwrap().unwrap();
    assert!(beside.url.as_str().ends_with("/shop/../config.git"));
    set("ext::sh -c 'touch /tmp/evil'");
    let refused = checkout.origin().await;
    assert!(matches!(refused, Err(GitError::Remote { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_header_that_a_ci_checkout_left_is_found_for_its_host_only() {
    let sandbox = Sandbox::new().await;
    let scratch = sandbox.scratch("shop").await;
    let header = "AUTHORIZATION: basic eDpz";
    let key = "http.https://github.com/.extraheader";
    raw(scratch.folder(), &["config", key, header]);
    let checkout = Checkout::find(&sandbox.git, scratch.folder()).await.unwrap();
    let url = |text: &str| git::RemoteUrl::parse(text).unwrap();
    let found = checkout.credential_for(&url("https://github.com/shop/config")).await.unwrap();
    assert_eq!(found, Some(Credential::Header(Secret::new(header))));
    for other in ["https://gitlab.com/shop/config", "git@github.com:shop/config", "/srv/x.git"] {
        assert_eq!(checkout.credential_for(&url(other)).await.unwrap(), None, "{other}");
    }
}

#[tokio::test]
async fn a_folder_without_a_repository_is_named() {
    let sandbox = Sandbox::new().await;
    let refused = Checkout::find(&sandbox.git, sandbox.folder.path()).await;
    assert!(matches!(refused, Err(GitError::NotARepository { .. })), "{refused:?}");
    let refused = Checkout::find(&sandbox.git, &sandbox.at("nowhere")).await;
    assert!(matches!(refused, Err(GitError::Io { .. })), "{refused:?}");
    sandbox.bare("bare.git").await;
    let refused = Checkout::find(&sandbox.git, &sandbox.at("bare.git")).await;
    assert!(matches!(refused, Err(GitError::NotARepository { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_settings_of_a_repository_name_the_author() {
    let sandbox = Sandbox::new().await;
    sandbox.scratch("shop").await;
    let checkout = Checkout::find(&sandbox.git, &sandbox.at("shop")).await.unwrap();
    assert_eq!(checkout.author().await.unwrap(), Author::default());
    raw(&sandbox.at("shop"), &["config", "user.name", "Ann"]);
    let named = Author { name: Some("Ann".to_owned()), email: None };
    assert_eq!(checkout.author().await.unwrap(), named);
}
