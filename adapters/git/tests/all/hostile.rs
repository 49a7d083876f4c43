//! Settings and contents of a repository that want to run something: nothing is run.

use crate::sandbox::{Sandbox, ann, branch, commit, file, message, quick, raw, script_at};
use git::{Append, Checkout, Credential, GitError, RemoteUrl, Revision};
use std::convert::Infallible;
use std::path::Path;

/// A script that leaves a trace, and where.
fn trap(sandbox: &Sandbox) -> (String, std::path::PathBuf) {
    let (script, sprung) = (sandbox.at("trap.sh"), sandbox.at("sprung"));
    script_at(&script, &format!("echo \"$0 $*\" >> '{}'; cat", sprung.display()));
    (script.display().to_string(), sprung)
}

/// Sets everything in a repository's settings that git would run.
fn poison(repository: &Path, trap: &str) {
    let set = |key: &str, value: &str| raw(repository, &["config", key, value]);
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.gitProxy",
        "core.askPass",
        "core.alternateRefsCommand",
        "core.editor",
        "diff.external",
        "gpg.program",
        "gpg.ssh.program",
        "credential.helper",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "filter.a=b.clean",
        "diff.evil.textconv",
        "diff.evil.command",
        "merge.evil.driver",
        "trailer.evil.command",
        "trailer.evil.cmd",
        "uploadpack.packObjectsHook",
    ] {
        set(key, trap);
    }
    set("filter.evil.required", "true");
    set("log.showSignature", "true");
    set("protocol.ext.allow", "always");
    set("protocol.allow", "always");
    set("url.ext::sh.insteadOf", "https://");
    set("pager.log", "true");
    let hooks = repository.join("evil-hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in ["post-index-change", "pre-push", "reference-transaction", "post-checkout"] {
        std::fs::copy(trap, hooks.join(hook)).unwrap();
    }
    set("core.hooksPath", hooks.to_str().unwrap());
}

#[tokio::test]
async fn looking_at_a_hostile_checkout_runs_nothing_of_it() {
    let sandbox = Sandbox::new().await;
    let scratch = sandbox.scratch("shop").await;
    let attributes = "* filter=evil diff=evil merge=evil\nx filter=a=b\n";
    let first = commit(&scratch, 0, "first", &[("a", "1"), (".gitattributes", attributes)]).await;
    let second = commit(&scratch, 1, "second", &[("a", "2")]).await;
    let (script, sprung) = trap(&sandbox);
    poison(scratch.folder(), &script);
    // Touched, so that git must read the file again, through its filter if it could.
    std::fs::write(sandbox.at("shop/a"), "3").unwrap();

    // The trap works: plain git runs it, whatever becomes of the command.
    let plain =
        std::process::Command::new("git").arg("status").current_dir(scratch.folder()).output();
    plain.unwrap();
    assert!(sprung.exists(), "the trap itself is broken");
    std::fs::remove_file(&sprung).unwrap();

    let checkout = Checkout::find(&sandbox.git, scratch.folder()).await.unwrap();
    checkout.head().await.unwrap();
    assert_eq!(checkout.state().await.unwrap().changed, 1);
    checkout.is_shallow().await.unwrap();
    checkout.has_tags().await.unwrap();
    checkout.tags_at(&first).await.unwrap();
    checkout.origin().await.unwrap();
    checkout.commit(&second).await.unwrap();
    checkout.log(&Revision::Head, Some("a"), 10).await.unwrap();
    checkout.is_ancestor(&first, &second).await.unwrap();
    checkout.unique_digits(&first, 12).await.unwrap();
    checkout.find_commit("main").await.unwrap();
    assert!(!sprung.exists(), "{}", std::fs::read_to_string(&sprung).unwrap());
}

#[tokio::test]
async fn a_missing_object_of_a_partial_clone_is_not_fetched() {
    let sandbox = Sandbox::new().await;
    let scratch = sandbox.scratch("shop").await;
    let first = commit(&scratch, 0, "first", &[("a", "1")]).await;
    let (script, sprung) = trap(&sandbox);
    let set = |key: &str, value: &str| raw(scratch.folder(), &["config", key, value]);
    set("protocol.ext.allow", "always");
    set("remote.origin.url", &format!("ext::{script}"));
    set("remote.origin.promisor", "true");
    set("extensions.partialClone", "origin");
    set("core.repositoryFormatVersion", "1");
    let checkout = Checkout::find(&sandbox.git, scratch.folder()).await.unwrap();
    let missing = "0123456789".repeat(4).parse().unwrap();
    let answer = checkout.is_ancestor(&missing, &first).await.unwrap();
    assert!(matches!(answer, git::Ancestry::CannotTell(_)), "{answer:?}");
    let answers = checkout.which_contain(&first, &[missing, first.clone()]).await.unwrap();
    assert!(
        matches!(answers[..], [git::Ancestry::CannotTell(_), git::Ancestry::Yes]),
        "{answers:?}"
    );
    assert!(!sprung.exists());
}

#[tokio::test]
async fn files_outside_by_the_settings_are_refused() {
    let sandbox = Sandbox::new().await;
    let scratch = sandbox.scratch("shop").await;
    commit(&scratch, 0, "first", &[("a", "1")]).await;
    std::fs::create_dir(sandbox.at("elsewhere")).unwrap();
    let elsewhere = sandbox.at("elsewhere").display().to_string();
    raw(scratch.folder(), &["config", "core.worktree", &elsewhere]);
    let refused = Checkout::find(&sandbox.git, scratch.folder()).await;
    assert!(matches!(refused, Err(GitError::SymlinkOutside { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_repository_hidden_among_the_files_is_not_entered() {
    let sandbox = Sandbox::new().await;
    let scratch = sandbox.scratch("shop").await;
    commit(&scratch, 0, "first", &[("a", "1")]).await;
    let hidden = sandbox.bare("shop/docs").await;
    let (script, sprung) = trap(&sandbox);
    poison(&sandbox.at("shop/docs"), &script);
    let found = Checkout::find(&sandbox.git, &hidden.local_path().unwrap()).await;
    assert!(matches!(found, Err(GitError::NotARepository { .. })), "{found:?}");
    assert!(!sprung.exists());
}

#[tokio::test]
async fn contents_of_a_branch_run_nothing_when_it_is_edited() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("config.git").await;
    let scratch = sandbox.scratch("work").await;
    let (script, sprung) = trap(&sandbox);
    let modules = format!(
        "[submodule \"x\"]\n\tpath = vendor\n\turl = ext::{script}\n\tupdate = !{script}\n"
    );
    let files = [
        ("a.yaml", "a\n"),
        (".gitattributes", "* filter=lfs diff=evil\n"),
        (".gitmodules", modules.as_str()),
        (".lfsconfig", "[lfs]\n\turl = ext::x\n"),
    ];
    let id = commit(&scratch, 0, "first", &files).await;
    let info = format!("160000,{id},vendor");
    raw(scratch.folder(), &["update-index", "--add", "--cacheinfo", &info]);
    raw(scratch.folder(), &["commit", "-qm", "submodule"]);
    scratch.push(&remote, &Credential::Ambient, &branch("main")).await.unwrap();

    let back = sandbox.write_back(&remote, "cache");
    let change = git::Change { files: vec![file("a.yaml", "b\n")], message: message("edit") };
    let edit = |_| std::future::ready(Ok::<_, Infallible>(Some(change.clone())));
    back.land(&ann(0), quick(1), edit).await.unwrap();
    assert!(!sprung.exists());
    let listed =
        raw(&sandbox.at("config.git"), &["ls-tree", "--format=%(objectmode)", "main", "vendor"]);
    assert_eq!(listed, "160000");
    assert_eq!(raw(&sandbox.at("config.git"), &["show", "main:a.yaml"]), "b");
}

#[tokio::test]
async fn a_cache_with_settings_of_a_stranger_opens_no_other_transport() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let store = sandbox.store(&remote, "cache");
    store.fetch().await.unwrap();
    let (script, sprung) = trap(&sandbox);
    let from = format!("url.ext::{script} .insteadOf");
    raw(&sandbox.at("cache"), &["config", &from, remote.as_str()]);
    raw(&sandbox.at("cache"), &["config", "protocol.ext.allow", "always"]);
    let append = Append { files: vec![file("events/A.json", "{}")], message: message("x") };
    let decide = |_| std::future::ready(Ok::<_, Infallible>(append.clone()));
    let refused = store.append(&ann(0), quick(1), decide).await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(!sprung.exists());
}

/// Every hook that a client's git knows. Source: githooks(5) of git 2.47.
const HOOKS: [&str; 17] = [
    "applypatch-msg",
    "pre-applypatch",
    "post-applypatch",
    "pre-commit",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-rebase",
    "post-checkout",
    "post-merge",
    "pre-push",
    "post-rewrite",
    "post-index-change",
    "reference-transaction",
    "pre-auto-gc",
    "sendemail-validate",
];

#[tokio::test]
async fn hooks_of_a_copy_never_run() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("shop.git", &[("a.yaml", "a\n")]).await;
    let (store, back) = (sandbox.store(&remote, "record"), sandbox.write_back(&remote, "files"));
    store.fetch().await.unwrap();
    back.tree().await.unwrap();
    let (script, sprung) = trap(&sandbox);
    for copy in ["record", "files"] {
        let hooks = sandbox.at(copy).join("hooks");
        std::fs::create_dir_all(&hooks).unwrap();
        for hook in HOOKS {
            std::fs::copy(&script, hooks.join(hook)).unwrap();
        }
    }
    // The trap works: plain git runs it.
    let tip = raw(&sandbox.at("shop.git"), &["rev-parse", "main"]);
    raw(&sandbox.at("files"), &["update-ref", "refs/heads/trap", &tip]);
    assert!(sprung.exists(), "the trap itself is broken");
    std::fs::remove_file(&sprung).unwrap();

    let append = Append { files: vec![file("events/A.json", "{}")], message: message("x") };
    let decide = |_| std::future::ready(Ok::<_, Infallible>(append.clone()));
    store.append(&ann(0), quick(1), decide).await.unwrap();
    store.fetch().await.unwrap();
    let change = git::Change { files: vec![file("a.yaml", "b\n")], message: message("edit") };
    let edit = |_| std::future::ready(Ok::<_, Infallible>(Some(change.clone())));
    back.land(&ann(0), quick(1), edit).await.unwrap();
    back.log(10).await.unwrap();
    assert!(!sprung.exists(), "{}", std::fs::read_to_string(&sprung).unwrap());
}

#[test]
fn addresses_that_run_programs_are_no_addresses() {
    for bad in ["ext::sh -c x", "-oProxyCommand=x", "--upload-pack=x", "fd::3", "x::y"] {
        assert!(RemoteUrl::parse(bad).is_err(), "{bad}");
    }
}
