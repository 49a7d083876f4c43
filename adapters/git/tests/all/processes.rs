//! How many git processes a landing and an append are: each costs milliseconds, and twenty writers at once pay for all.

use crate::sandbox::{Sandbox, ann, environment, file, message, path_variable, quick, script_at};
use crate::write_back::land;
use git::{Append, BranchStore, Environment, Git, NewFile};
use std::convert::Infallible;
use std::ffi::OsString;
use std::future::ready;

/// The git program behind one that notes each command.
async fn counted(sandbox: &Sandbox) -> Git {
    let folder = sandbox.at("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let real = environment().program;
    let (log, path) = (sandbox.at("commands"), path_variable());
    let script = format!(
        "echo \"$1\" >> '{}'; PATH='{}'; export PATH; exec {} \"$@\"",
        log.display(),
        path.display(),
        real.display()
    );
    script_at(&folder.join("git"), &script);
    let mut path = OsString::from(&folder);
    path.push(":");
    path.push(path_variable());
    Git::open(Environment::bare(path)).await.unwrap()
}

/// The commands since the last time.
fn commands(sandbox: &Sandbox) -> Vec<String> {
    let path = sandbox.at("commands");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, "").unwrap();
    text.lines().map(ToOwned::to_owned).collect()
}

async fn append(store: &BranchStore, name: &str) {
    let files: Vec<NewFile> = vec![file(name, "{}")];
    let append = Append { files, message: message("one") };
    let decide = |_| ready(Ok::<_, Infallible>(append.clone()));
    store.append(&ann(0), quick(1), decide).await.unwrap();
}

#[tokio::test]
async fn an_append_is_four_processes_and_reading_what_others_added_two() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let mut counting = sandbox.store(&remote, "cache");
    append(&counting, "events/A.json").await;
    let since = counting.fetch().await.unwrap();
    append(&sandbox.store(&remote, "other"), "events/B.json").await;
    append(&sandbox.store(&remote, "other"), "events/C.json").await;

    let git = counted(&sandbox).await;
    let (url, of) = (remote.clone(), counting.branch().clone());
    let cache = sandbox.at("cache");
    counting = BranchStore::new(&git, url, git::Credential::Ambient, of, &cache);
    commands(&sandbox);
    append(&counting, "events/D.json").await;
    assert_eq!(commands(&sandbox), ["fetch", "ls-tree", "fast-import", "push"]);
    let tip = counting.fetch().await.unwrap();
    assert_eq!(commands(&sandbox), ["fetch"]);
    assert_eq!(counting.added_since(&since, &tip).await.unwrap().len(), 3);
    assert_eq!(commands(&sandbox), ["log", "cat-file"]);
}

#[tokio::test]
async fn a_landing_is_five_processes() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    land(&sandbox.write_back(&remote, "cache"), "a.yaml", "b").await.unwrap();
    let git = counted(&sandbox).await;
    let (ambient, of) = (git::Credential::Ambient, "main".parse().unwrap());
    let back = git::WriteBack::new(&git, remote.clone(), ambient, of, &sandbox.at("cache"));
    commands(&sandbox);
    land(&back, "a.yaml", "c").await.unwrap();
    assert_eq!(commands(&sandbox), ["fetch", "ls-tree", "cat-file", "fast-import", "push"]);
}
