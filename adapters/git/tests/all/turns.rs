//! Writers of one branch at once: they share pushes, and none is lost or takes another with it.

use crate::sandbox::{Sandbox, ann, quick, raw};
use crate::write_back::add_line;
use git::{Change, GitError, Landing, LandingError, Retry};

#[tokio::test(flavor = "multi_thread")]
async fn edits_that_queue_meanwhile_go_out_with_one_push_and_a_commit_each() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    // Each push leaves a line, so that pushes can be counted.
    sandbox.hook("config.git", "post-receive", "echo push >> pushes");
    let back = sandbox.write_back(&remote, "cache");
    let writers = (0..20_u64).map(|writer| {
        let back = back.clone();
        tokio::spawn(async move {
            let line = format!("writer-{writer:02}");
            back.land(&ann(0), Retry::seeded(writer), |tree| {
                let line = line.clone();
                async move { add_line(tree, "a.yaml", &line).await }
            })
            .await
        })
    });
    let mut commits = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap().unwrap() {
            Landing::Landed { commit, .. } => commits.push(commit.to_string()),
            other @ Landing::Nothing { .. } => panic!("{other:?}"),
        }
    }
    let bare = sandbox.at("config.git");
    let mut landed: Vec<String> =
        raw(&bare, &["rev-list", "-20", "main"]).lines().map(ToOwned::to_owned).collect();
    landed.sort();
    commits.sort();
    assert_eq!(landed, commits, "each caller is told its own commit");
    let text = raw(&bare, &["show", "main:a.yaml"]);
    assert_eq!(text.lines().count(), 21);
    let pushes = std::fs::read_to_string(bare.join("pushes")).unwrap().lines().count();
    assert!(pushes < 20, "{pushes} pushes");
}

#[tokio::test]
async fn an_edit_that_says_no_or_a_caller_that_goes_away_takes_nobody_with_it() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    let back = sandbox.write_back(&remote, "cache");
    let (ann, retry) = (ann(0), quick(1));
    let no = back.land(&ann, retry, |tree| async move {
        let (path, commit) = ("a.yaml".to_owned(), tree.commit().clone());
        Err::<Option<Change>, _>(GitError::NoSuchFile { path, commit })
    });
    let yes = back.land(&ann, retry, |tree| add_line(tree, "a.yaml", "yes"));
    let gone = back.land(&ann, retry, |tree| add_line(tree, "a.yaml", "gone"));
    let (no, yes, gone) =
        tokio::join!(no, yes, tokio::time::timeout(std::time::Duration::ZERO, gone));
    assert!(matches!(no, Err(LandingError::Edit(_))), "{no:?}");
    assert!(matches!(yes, Ok(Landing::Landed { .. })), "{yes:?}");
    assert!(gone.is_err());
    let text = raw(&sandbox.at("config.git"), &["show", "main:a.yaml"]);
    assert!(text.contains("yes") && !text.contains("gone"), "{text}");
}

#[tokio::test]
async fn where_several_are_refused_together_each_is_offered_alone() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n"), ("b.yaml", "b\n")]).await;
    let refuse =
        "while read old new ref; do git show $new:b.yaml | grep -q bad && exit 1; done; exit 0";
    sandbox.hook("config.git", "pre-receive", refuse);
    let back = sandbox.write_back(&remote, "cache");
    let (ann, retry) = (ann(0), quick(1));
    // The first has the turn alone; the other two queue behind it.
    let (first, good, bad) = tokio::join!(
        back.land(&ann, retry, |tree| add_line(tree, "a.yaml", "first")),
        back.land(&ann, retry, |tree| add_line(tree, "a.yaml", "good")),
        back.land(&ann, retry, |tree| add_line(tree, "b.yaml", "bad")),
    );
    assert!(first.is_ok() && good.is_ok(), "{first:?} {good:?}");
    let refused = matches!(bad, Err(LandingError::Git(GitError::PushRefused { .. })));
    assert!(refused, "{bad:?}");
    let bare = sandbox.at("config.git");
    assert_eq!(raw(&bare, &["show", "main:a.yaml"]), "a\nfirst\ngood");
    assert_eq!(raw(&bare, &["show", "main:b.yaml"]), "b");
}

#[tokio::test]
async fn a_lock_on_the_branch_is_waited_for() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    let lock = sandbox.at("config.git/refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    // Whoever held it is gone after the second look at the tip.
    let mut asked = 0;
    let landed = sandbox
        .write_back(&remote, "cache")
        .land(&ann(0), quick(1), |tree| {
            asked += 1;
            if asked == 2 {
                std::fs::remove_file(&lock).unwrap();
            }
            add_line(tree, "a.yaml", "once")
        })
        .await
        .unwrap();
    assert!(matches!(landed, Landing::Landed { refusals: 1, .. }), "{landed:?}");
}
