//! Edits of a branch that others edit too.

use crate::sandbox::{Sandbox, ann, branch, commit, file, message, path, quick, raw, script_at};
use git::{
    Change, Credential, EntryKind, GitError, Landing, LandingError, Message, Retry, Scratch, Tree,
    WriteBack,
};
use std::convert::Infallible;

/// Puts `line` at the end of a file.
pub(crate) async fn add_line(tree: Tree, at: &str, line: &str) -> Result<Option<Change>, GitError> {
    let mut bytes = tree.read(&path(at)).await?;
    let text = format!("{line}\n");
    if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
        return Ok(None);
    }
    bytes.extend_from_slice(text.as_bytes());
    let files = vec![git::NewFile { path: path(at), bytes }];
    let message = message(&format!("add {line}")).with_trailer("Deploy-Id", "01JQ").unwrap();
    Ok(Some(Change { files, message }))
}

pub(crate) async fn land(
    branch: &WriteBack,
    at: &str,
    line: &str,
) -> Result<Landing, LandingError<GitError>> {
    branch.land(&ann(7), quick(1), |tree| add_line(tree, at, line)).await
}

#[tokio::test]
async fn an_edit_lands_as_one_commit_and_changes_nothing_else() {
    let sandbox = Sandbox::new().await;
    let files =
        [("apps/prod/api.yaml", "a: 1\r\n"), ("README.md", "x"), ("apps/uat/a b\"c.yaml", "")];
    let remote = sandbox.bare_with("config.git", &files).await;
    let bare = sandbox.at("config.git");
    let before = raw(&bare, &["rev-parse", "main"]);
    let back = sandbox.write_back(&remote, "cache");
    let landed = land(&back, "apps/prod/api.yaml", "b: 2").await.unwrap();
    let Landing::Landed { commit, refusals: 0 } = landed else { panic!("{landed:?}") };
    assert_eq!(raw(&bare, &["rev-parse", "main"]), commit.as_str());
    assert_eq!(raw(&bare, &["rev-parse", "main^"]), before);
    assert_eq!(raw(&bare, &["diff", "--name-only", "main^", "main"]), "apps/prod/api.yaml");
    assert_eq!(raw(&bare, &["show", "main:apps/prod/api.yaml"]), "a: 1\r\nb: 2");
    let written = raw(&bare, &["log", "-1", "--format=%an %at %cn %ct%n%B", "main"]);
    assert_eq!(written, "Ann 1773758405 Ann 1773758405\nadd b: 2\n\nDeploy-Id: 01JQ");
    raw(&bare, &["fsck", "--full", "--strict"]);
    let again = land(&back, "apps/prod/api.yaml", "b: 2").await.unwrap();
    assert_eq!(again, Landing::Nothing { tip: commit });
    let quoted = land(&back, "apps/uat/a b\"c.yaml", "c: 3").await.unwrap();
    assert!(matches!(quoted, Landing::Landed { .. }));
    assert_eq!(raw(&bare, &["show", "main:apps/uat/a b\"c.yaml"]), "c: 3");
}

#[tokio::test]
async fn the_same_bytes_are_no_commit() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a: 1\n")]).await;
    let back = sandbox.write_back(&remote, "cache");
    let change = || Change { files: vec![file("a.yaml", "a: 1\n")], message: message("nothing") };
    let landing = back
        .land(&ann(0), quick(1), |_| std::future::ready(Ok::<_, Infallible>(Some(change()))))
        .await;
    assert!(matches!(landing, Ok(Landing::Nothing { .. })), "{landing:?}");
    assert_eq!(raw(&sandbox.at("config.git"), &["rev-list", "--count", "main"]), "1");
}

#[tokio::test]
async fn an_executable_stays_one_and_a_new_file_is_a_plain_one() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("config.git").await;
    let scratch = sandbox.scratch("work").await;
    script_at(&sandbox.at("work/run.sh"), "true");
    commit(&scratch, 0, "first", &[("a", "")]).await;
    scratch.push(&remote, &Credential::Ambient, &branch("main")).await.unwrap();
    let back = sandbox.write_back(&remote, "cache");
    let files = vec![file("run.sh", "#!/bin/sh\nfalse\n"), file("new/b.yaml", "b")];
    let change = Change { files, message: message("both") };
    let edit = |_| std::future::ready(Ok::<_, Infallible>(Some(change.clone())));
    back.land(&ann(0), quick(1), edit).await.unwrap();
    let listed = raw(
        &sandbox.at("config.git"),
        &["ls-tree", "-r", "--format=%(objectmode) %(path)", "main"],
    );
    assert_eq!(listed, "100644 a\n100644 new/b.yaml\n100755 run.sh");
}

#[tokio::test]
async fn after_a_lost_race_the_edit_is_made_again_on_the_new_tip() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    let (slow, fast) = (sandbox.write_back(&remote, "slow"), sandbox.write_back(&remote, "fast"));
    let mut asked = 0;
    let landed = slow
        .land(&ann(0), quick(1), |tree| {
            asked += 1;
            let (first, fast) = (asked == 1, fast.clone());
            async move {
                if first {
                    land(&fast, "a.yaml", "fast").await.unwrap();
                }
                add_line(tree, "a.yaml", "slow").await
            }
        })
        .await
        .unwrap();
    assert!(matches!(landed, Landing::Landed { refusals: 1, .. }), "{landed:?}");
    assert_eq!(raw(&sandbox.at("config.git"), &["show", "main:a.yaml"]), "a\nfast\nslow");
}

#[tokio::test]
async fn after_a_lost_race_the_caller_may_find_its_plan_no_longer_holds() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    let (slow, fast) = (sandbox.write_back(&remote, "slow"), sandbox.write_back(&remote, "fast"));
    let refused = slow
        .land(&ann(0), quick(1), |tree| {
            let fast = fast.clone();
            async move {
                let holds = tree.read(&path("a.yaml")).await? == b"a\n";
                land(&fast, "a.yaml", "fast").await.unwrap();
                if !holds {
                    let (path, commit) = ("a.yaml".to_owned(), tree.commit().clone());
                    return Err(GitError::NoSuchFile { path, commit });
                }
                add_line(tree, "a.yaml", "slow").await
            }
        })
        .await;
    assert!(matches!(refused, Err(LandingError::Edit(_))), "{refused:?}");
    assert_eq!(raw(&sandbox.at("config.git"), &["show", "main:a.yaml"]), "a\nfast");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_writers_of_one_file_all_land_and_none_is_lost() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    let begun = std::time::Instant::now();
    let writers = (0..20_u64).map(|writer| {
        let back = sandbox.write_back(&remote, &format!("cache-{writer}"));
        tokio::spawn(async move {
            let line = format!("writer-{writer:02}");
            back.land(&ann(0), Retry::seeded(writer), |tree| {
                let line = line.clone();
                async move { add_line(tree, "a.yaml", &line).await }
            })
            .await
        })
    });
    let mut most_refusals = 0;
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap().unwrap() {
            Landing::Landed { refusals, .. } => most_refusals = most_refusals.max(refusals),
            other @ Landing::Nothing { .. } => panic!("{other:?}"),
        }
    }
    println!("twenty landed in {:?}, {most_refusals} refusals at most", begun.elapsed());
    let text = raw(&sandbox.at("config.git"), &["show", "main:a.yaml"]);
    let mut lines: Vec<&str> = text.lines().skip(1).collect();
    lines.sort_unstable();
    let expected: Vec<String> = (0..20).map(|writer| format!("writer-{writer:02}")).collect();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_push_whose_answer_was_lost_is_found_to_have_landed() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    // The server moves the branch and then dies before it can say so.
    sandbox.hook("config.git", "post-update", "kill -9 $PPID");
    let landed = land(&sandbox.write_back(&remote, "cache"), "a.yaml", "once").await.unwrap();
    assert!(matches!(landed, Landing::Landed { .. }), "{landed:?}");
    let bare = sandbox.at("config.git");
    assert_eq!(raw(&bare, &["rev-list", "--count", "main"]), "2");
}

#[tokio::test]
async fn links_and_submodules_are_told_and_never_followed() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("config.git").await;
    let scratch = sandbox.scratch("work").await;
    std::os::unix::fs::symlink("/etc/passwd", sandbox.at("work/link.yaml")).unwrap();
    std::os::unix::fs::symlink("../outside", sandbox.at("work/apps")).unwrap();
    let id = commit(&scratch, 0, "links", &[("a.yaml", "a"), ("folder/b", "b")]).await;
    let info = format!("160000,{id},vendor");
    raw(&sandbox.at("work"), &["update-index", "--add", "--cacheinfo", &info]);
    raw(&sandbox.at("work"), &["commit", "-qm", "submodule"]);
    scratch.push(&remote, &Credential::Ambient, &branch("main")).await.unwrap();

    let back = sandbox.write_back(&remote, "cache");
    let tree = back.tree().await.unwrap();
    let listed = tree.list(None).unwrap();
    let kinds: Vec<_> = listed.iter().map(|e| (e.path.as_str(), e.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("a.yaml", EntryKind::File),
            ("apps", EntryKind::Symlink),
            ("folder/b", EntryKind::File),
            ("link.yaml", EntryKind::Symlink),
            ("vendor", EntryKind::Submodule),
        ]
    );
    for folder in ["apps", "apps/prod", "vendor", "vendor/x"] {
        let refused = tree.list(Some(&path(folder)));
        assert!(matches!(refused, Err(GitError::NotAFile { .. })), "{folder}: {refused:?}");
    }
    for bad in ["link.yaml", "vendor"] {
        let refused = tree.read(&path(bad)).await;
        assert!(matches!(refused, Err(GitError::NotAFile { .. })), "{bad}: {refused:?}");
    }
    for bad in ["link.yaml", "vendor", "apps/prod.yaml", "vendor/x", "folder", "a.yaml/x"] {
        let change = Change { files: vec![file(bad, "x")], message: message("x") };
        let edit = |_| std::future::ready(Ok::<_, Infallible>(Some(change.clone())));
        let refused = back.land(&ann(0), quick(1), edit).await;
        let is_refused = matches!(refused, Err(LandingError::Git(GitError::NotAFile { .. })));
        assert!(is_refused, "{bad}: {refused:?}");
    }
    let missing = tree.read(&path("b.yaml")).await;
    assert!(matches!(missing, Err(GitError::NoSuchFile { .. })), "{missing:?}");
}

#[tokio::test]
async fn a_missing_branch_and_a_protected_one_are_told_apart() {
    let sandbox = Sandbox::new().await;
    let empty = sandbox.bare("empty.git").await;
    let missing = land(&sandbox.write_back(&empty, "c1"), "a", "b").await;
    assert!(
        matches!(missing, Err(LandingError::Git(GitError::NoSuchBranch { .. }))),
        "{missing:?}"
    );
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    sandbox.hook("config.git", "pre-receive", "echo 'main is protected' >&2; exit 1");
    let refused = land(&sandbox.write_back(&remote, "c2"), "a.yaml", "b").await;
    let Err(LandingError::Git(error @ GitError::PushRefused { .. })) = refused else {
        panic!("{refused:?}")
    };
    let text = error.to_string();
    assert!(text.contains("refused to move branch `main` 3 times: main is protected"), "{text}");
}

#[tokio::test]
async fn the_log_of_a_remote_branch_gives_the_trailers_and_says_whether_it_is_whole() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    let back = sandbox.write_back(&remote, "cache");
    land(&back, "a.yaml", "b").await.unwrap();
    let whole = back.log(10).await.unwrap();
    assert_eq!((whole.commits.len(), whole.is_whole), (2, true));
    assert_eq!(whole.commits[0].trailers.get("Deploy-Id"), Some("01JQ"));
    assert_eq!(whole.commits[1].subject, "first");
    let cut = back.log(1).await.unwrap();
    assert_eq!((cut.commits.len(), cut.is_whole), (1, false));
    // Cutting the past off again must not lose the branch.
    assert!(matches!(land(&back, "a.yaml", "c").await, Ok(Landing::Landed { .. })));
}

#[tokio::test]
async fn the_four_ways_to_merge_leave_the_parents_that_they_should() {
    for (how, parents) in [
        (git::Merge::FastForward, 1),
        (git::Merge::Commit, 2),
        (git::Merge::Squash, 1),
        (git::Merge::CherryPick, 1),
    ] {
        let sandbox = Sandbox::new().await;
        let scratch: Scratch = sandbox.scratch("work").await;
        commit(&scratch, 0, "first", &[("a", "1")]).await;
        scratch.branch(&branch("develop")).await.unwrap();
        let work = commit(&scratch, 1, "work", &[("a", "2")]).await;
        scratch.switch(&branch("main")).await.unwrap();
        if how != git::Merge::FastForward {
            commit(&scratch, 2, "meanwhile", &[("b", "1")]).await;
        }
        let text = Message::new("merge develop").unwrap();
        let made = scratch.merge(&branch("develop"), how, &ann(3), &text).await.unwrap();
        let checkout = git::Checkout::find(&sandbox.git, scratch.folder()).await.unwrap();
        let found = checkout.commit(&made).await.unwrap();
        assert_eq!(found.parents.len(), parents, "{how:?}");
        assert_eq!(made == work, how == git::Merge::FastForward, "{how:?}");
        assert_eq!(std::fs::read_to_string(sandbox.at("work/a")).unwrap(), "2");
    }
}
