//! The peer: clone, edit, commit and push with the git program, app by app.
//!
//! Source: argocd-image-updater, `pkg/argocd/git.go`, `commitChangesGit`: a temporary folder, a shallow fetch, a commit and
//! a push for each application, one after the other. Its own work around that, and the network, are not in it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::project::{git, name, write_config};

/// What the loop takes for so many apps.
pub(super) fn measure(folder: &Path, apps: usize) -> Result<Duration> {
    fs::create_dir_all(folder)?;
    write_config(folder, "registry.example.com")?;
    let remote = format!("file://{}", folder.join("config.git").display());
    println!("$ git clone --depth 1 {remote} && sed && git commit && git push   # {apps} times");
    let begun = Instant::now();
    for app in 0..apps {
        let clone = folder.join("clone");
        git(folder, &["clone", "--quiet", "--depth", "1", &remote, "clone"])?;
        let file = clone.join("apps").join(name(app)).join("deployment.yaml");
        let text = fs::read_to_string(&file)?;
        fs::write(&file, text.replace(":v0", ":v1"))?;
        git(&clone, &["commit", "--quiet", "--all", "-m", "deploy"])?;
        git(&clone, &["push", "--quiet", "origin", "HEAD:main"])?;
        fs::remove_dir_all(&clone)?;
    }
    let took = begun.elapsed();
    let count = git(&folder.join("config.git"), &["rev-list", "--count", "main"])?;
    ensure!(count.trim() == (apps + 1).to_string(), "the loop lost commits: {count}");
    Ok(took)
}
