//! Promotion by merge: what the record and the warnings say of each way in which a change reaches the prod branch.

use e2e::Image;

use super::forge::push;
use super::github::GitHub;
use super::runner::{Ran, text, warnings};

struct Way {
    run: usize,
    words: &'static str,
}

impl Way {
    /// A change on develop that was built for uat and deployed there.
    fn verified(&self, github: &GitHub) -> String {
        github.ada.git(&["switch", "--quiet", "develop"]);
        let commit = github.change("develop", self.words);
        github.build(self.run, "develop", &self.image("uat"), "uat");
        github.deploy(self.run, "develop", "uat").exits(0);
        commit
    }

    fn image(&self, environment: &str) -> Image {
        Image::oci(&format!("{} for {environment}", self.words)).unwrap()
    }

    /// The prod branch's own build of what Ada just put there, and its deploy.
    fn deployed(&self, github: &GitHub) -> Ran {
        push(&github.ada, "prod");
        github.build(self.run + 1, "prod", &self.image("prod"), "prod");
        github.deploy(self.run + 1, "prod", "prod")
    }
}

fn on_prod(github: &GitHub, command: &[&str]) {
    github.ada.git(&["switch", "--quiet", "prod"]);
    github.ada.git(command);
}

#[track_caller]
fn says(ran: Ran, how: &str, warned: &[&str]) {
    let report = ran.exits(0).json();
    assert_eq!(text(&report, "images.0.how"), how);
    let warnings = warnings(&report);
    assert_eq!(warnings.len(), warned.len(), "{warnings:?}");
    for (warning, word) in warnings.iter().zip(warned) {
        assert!(warning.contains(word), "{warning}");
    }
}

#[test]
fn the_record_says_how_a_change_reached_prod_and_cannot_tell_where_git_does_not() {
    let Some(github) = GitHub::begin(
        "the_record_says_how_a_change_reached_prod_and_cannot_tell_where_git_does_not",
    ) else {
        return;
    };
    let way = Way { run: 11, words: "merge" };
    way.verified(&github);
    on_prod(&github, &["merge", "--quiet", "--no-ff", "-m", "Merge develop", "develop"]);
    says(way.deployed(&github), "promoted by merge", &[]);

    let way = Way { run: 21, words: "forward" };
    github.ada.git(&["switch", "--quiet", "develop"]);
    github.ada.git(&["merge", "--quiet", "--ff-only", "prod"]);
    let commit = way.verified(&github);
    on_prod(&github, &["merge", "--quiet", "--ff-only", "develop"]);
    says(way.deployed(&github), "promoted by merge", &[]);
    assert_eq!(github.forge.tip("shop", "prod"), commit);

    let way = Way { run: 31, words: "squash" };
    way.verified(&github);
    on_prod(&github, &["merge", "--quiet", "--squash", "develop"]);
    github.ada.git(&["commit", "--quiet", "-m", "Squash develop"]);
    says(way.deployed(&github), "deploy", &["cannot tell"]);

    let way = Way { run: 41, words: "pick" };
    let commit = way.verified(&github);
    on_prod(&github, &["cherry-pick", &commit]);
    says(way.deployed(&github), "deploy", &["cannot tell"]);

    let history = github.history("prod");
    let hows: Vec<_> = history.iter().map(|item| text(item, "how")).collect();
    assert_eq!(hows, ["deploy", "deploy", "promoted by merge", "promoted by merge"]);
    assert_eq!(github.history("uat").len(), 4);
}

#[test]
fn prod_that_requires_verified_builds_refuses_what_is_not_and_what_cannot_be_told() {
    let Some(github) = GitHub::begin(
        "prod_that_requires_verified_builds_refuses_what_is_not_and_what_cannot_be_told",
    ) else {
        return;
    };
    github.require_verified();
    let before = github.forge.tip("config", "main");

    // Merged, but never deployed to uat.
    let way = Way { run: 11, words: "untried" };
    github.change("develop", way.words);
    github.build(way.run, "develop", &way.image("uat"), "uat");
    on_prod(&github, &["merge", "--quiet", "--no-ff", "-m", "Merge develop", "develop"]);
    way.deployed(&github).exits(1).says(&[
        "`api` is not deployed to prod",
        "verified in uat",
        "deployed to uat",
    ]);

    // Picked: git does not tell what it holds.
    let way = Way { run: 21, words: "picked" };
    let commit = way.verified(&github);
    let of_uat = github.forge.tip("config", "main");
    assert_ne!(of_uat, before);
    on_prod(&github, &["cherry-pick", &commit]);
    way.deployed(&github).exits(1).says(&["cannot tell"]);
    assert_eq!(github.forge.tip("config", "main"), of_uat, "nothing was written");
    // Nothing recorded is an unknown, not an empty history.
    let history = github.forge.runner("prod").run(&["history", "prod", "--json"]).exits(2).json();
    assert_eq!(history["items"], serde_json::json!([]));

    // Merged for real, it may go.
    on_prod(&github, &["merge", "--quiet", "--no-ff", "-m", "Merge develop", "develop"]);
    let way = Way { run: 30, words: "merged" };
    says(way.deployed(&github), "promoted by merge", &[]);
}

#[test]
fn a_shallow_clone_cannot_tell_what_a_merge_brought() {
    let Some(github) = GitHub::begin("a_shallow_clone_cannot_tell_what_a_merge_brought") else {
        return;
    };
    let way = Way { run: 11, words: "merge" };
    way.verified(&github);
    on_prod(&github, &["merge", "--quiet", "--no-ff", "-m", "Merge develop", "develop"]);
    push(&github.ada, "prod");
    github.build(12, "prod", &way.image("prod"), "prod");
    let whole = github.runner(12, "prod");
    let address = format!("file://{}", github.forge.bare("shop").display());
    whole.git(&["clone", "--quiet", "--depth=1", "--branch=prod", &address, "../shallow"]);
    let mut shallow = whole;
    shallow.cwd = shallow.cwd.with_file_name("shallow");
    says(shallow.run(&["deploy", "prod", "--json"]), "deploy", &["shallow"]);
}
