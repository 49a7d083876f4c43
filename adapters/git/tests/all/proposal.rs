//! Edits on a branch of our own, for a pull request.

use crate::sandbox::{Sandbox, ann, branch, quick, raw};
use crate::write_back::{add_line, land};
use git::{GitError, LandingError, WriteBack};

/// Puts an edit on a branch of its own.
async fn propose(back: &WriteBack, line: &str) -> Result<git::Proposed, LandingError<GitError>> {
    let onto = branch("deploy/prod/api");
    back.propose(&onto, &ann(7), quick(1), |tree| add_line(tree, "a.yaml", line)).await
}

#[tokio::test]
async fn a_proposal_stays_one_commit_on_the_newest_of_its_target() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n"), ("b.yaml", "b\n")]).await;
    let bare = sandbox.at("config.git");
    let back = sandbox.write_back(&remote, "cache");
    let first = propose(&back, "v1").await.unwrap();
    let git::Proposed::Pushed { commit } = first else { panic!("{first:?}") };
    assert_eq!(raw(&bare, &["rev-parse", "deploy/prod/api"]), commit.as_str());
    assert_eq!(raw(&bare, &["rev-list", "--count", "main..deploy/prod/api"]), "1");
    assert_eq!(raw(&bare, &["show", "main:a.yaml"]), "a", "the target is not touched");
    let same = propose(&back, "v1").await.unwrap();
    assert_eq!(same, git::Proposed::Same { commit });

    // Another build, and a target that has moved: one commit again, on the newest.
    land(&sandbox.write_back(&remote, "other"), "b.yaml", "meanwhile").await.unwrap();
    let second = propose(&back, "v2").await.unwrap();
    assert!(matches!(second, git::Proposed::Pushed { .. }), "{second:?}");
    assert_eq!(raw(&bare, &["rev-list", "--count", "main..deploy/prod/api"]), "1");
    assert_eq!(raw(&bare, &["show", "deploy/prod/api:a.yaml"]), "a\nv2");
    assert_eq!(raw(&bare, &["show", "deploy/prod/api:b.yaml"]), "b\nmeanwhile");

    raw(&bare, &["update-ref", "refs/heads/main", "refs/heads/deploy/prod/api"]);
    let landed = propose(&back, "v2").await.unwrap();
    assert!(matches!(landed, git::Proposed::Nothing { .. }), "{landed:?}");
}

#[tokio::test]
async fn somebody_elses_commit_on_a_proposal_is_never_thrown_away() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    let back = sandbox.write_back(&remote, "cache");
    propose(&back, "v1").await.unwrap();
    raw(&sandbox.at(""), &["clone", "-q", "-b", "deploy/prod/api", "config.git", "eve"]);
    std::fs::write(sandbox.at("eve/eve.yaml"), "mine\n").unwrap();
    raw(&sandbox.at("eve"), &["add", "."]);
    raw(&sandbox.at("eve"), &["commit", "-qm", "a fix"]);
    raw(&sandbox.at("eve"), &["push", "-q"]);
    let refused = propose(&back, "v2").await;
    let Err(LandingError::Git(GitError::NotOurs { author, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(author, "Eve");
    let bare = sandbox.at("config.git");
    assert_eq!(raw(&bare, &["show", "deploy/prod/api:eve.yaml"]), "mine");
}
