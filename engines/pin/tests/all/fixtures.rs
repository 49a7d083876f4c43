//! Every file below `fixtures/FORMAT/CASE/`, against the list of its images that a person wrote beside it.
//!
//! ```text
//! compose.yaml.sites:   # line:column  what    action  reference
//!                       3:11           tag     pin     registry.example.com/shop/api:1.4
//! ```
//! `what` is a word of `support::word`; `action` is `pin` where a pin edits the place, else `-`. The folder's name is the
//! format that the file must be recognised as, by its path below the case or by what stands in it; in a folder
//! `nothing` it must be recognised as none. `fixtures/torture/` holds such folders of formats too.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is how a wrong fixture is told")]

use crate::support::{NINES, answers, word};
use pin::{Format, Scan, Style, apply, plan_pin, plan_unpin, prefilter, recognise, scan};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file, and what a person read in it.
struct Fixture {
    path: PathBuf,
    format: String,
    /// Below its case, with `/`: what a walk would show.
    shown: String,
    text: String,
    expected: Vec<String>,
}

fn files(below: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, all) } else { all.push(path) }
    }
}

fn fixtures() -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut all = Vec::new();
    files(&root, &mut all);
    all.sort();
    let own = all.into_iter().filter(|path| path.extension().is_none_or(|end| end != "sites"));
    own.map(|path| {
        let inside = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        // Those on which other tools were measured stand apart, by format too.
        let inside = inside.strip_prefix("torture/").unwrap_or(&inside);
        let mut parts = inside.splitn(3, '/');
        let (format, _case, shown) =
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().expect("FORMAT/CASE/FILE"));
        let list = format!("{}.sites", path.display());
        let list = std::fs::read_to_string(&list).unwrap_or_else(|_| panic!("{list} is missing"));
        let lines = list.lines().map(str::trim).filter(|line| !is_comment(line));
        Fixture {
            format: format.to_owned(),
            shown: shown.to_owned(),
            text: std::fs::read_to_string(&path).unwrap(),
            expected: lines
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect(),
            path,
        }
    })
    .collect()
}

fn is_comment(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

#[test]
fn each_fixture_is_recognised_and_names_what_a_person_read_in_it() {
    for one in fixtures() {
        let found = recognise(&one.shown, &one.text).map_or("nothing", |found| found.format.name());
        assert_eq!(found, one.format, "{}", one.path.display());
        let Some(format) = Format::all().find(|format| format.name() == one.format) else {
            assert!(one.expected.is_empty(), "{}", one.path.display());
            continue;
        };
        let scan =
            scan(format, &one.text).unwrap_or_else(|why| panic!("{}: {why}", one.path.display()));
        let plan = plan_pin(&scan, &answers(&scan.sites), Style::TagDigest);
        let edited: BTreeSet<usize> = plan.edits.iter().map(|edit| edit.site).collect();
        let action = |at: usize| if edited.contains(&at) { "pin" } else { "-" };
        let sites = scan.sites.iter().enumerate();
        let line = |(at, site): (usize, &pin::Site)| {
            let text = site.text.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("{}:{} {} {} {text}", site.line, site.column, word(site), action(at))
        };
        let listed: Vec<String> = sites.map(line).collect();
        assert_eq!(listed, one.expected, "{}", one.path.display());
    }
}

#[test]
fn a_pin_of_each_fixture_changes_its_references_alone_and_unpin_takes_it_back() {
    for one in fixtures() {
        let Some(format) = Format::all().find(|format| format.name() == one.format) else {
            continue;
        };
        let path = one.path.display();
        let before = scan(format, &one.text).unwrap();
        let plan = plan_pin(&before, &answers(&before.sites), Style::TagDigest);
        let new =
            apply(format, &one.text, &plan.edits).unwrap_or_else(|why| panic!("{path}: {why}"));
        let after = scan(format, &new).unwrap();
        assert_eq!(after.sites.len(), before.sites.len(), "{path}");
        let edited: BTreeSet<usize> = plan.edits.iter().map(|edit| edit.site).collect();
        for at in 0..before.sites.len() {
            let (old, new) = (&before.sites[at], &after.sites[at]);
            let wanted = match edited.contains(&at) {
                true => format!("{}@{NINES}", old.text),
                false => old.text.clone(),
            };
            assert_eq!(new.text, wanted, "{path}:{}", old.line);
        }
        taken_back(format, &after, &new, &one, &edited);
    }
}

/// Where every place that was pinned had a tag, and no other had a digest, `unpin` gives the first text back.
fn taken_back(format: Format, after: &Scan, new: &str, one: &Fixture, edited: &BTreeSet<usize>) {
    let is_plain = |line: &String| !line.contains(" bare pin ") && !line.contains(" pinned ");
    if edited.is_empty() || !one.expected.iter().all(is_plain) || one.text.contains("newTag") {
        return;
    }
    let plan = plan_unpin(after);
    let old = apply(format, new, &plan.edits)
        .unwrap_or_else(|why| panic!("{}: {why}", one.path.display()));
    assert_eq!(old, one.text, "{}", one.path.display());
}

#[test]
fn no_fixture_that_names_an_image_is_passed_over() {
    for one in fixtures().iter().filter(|one| !one.expected.is_empty()) {
        assert!(prefilter(one.text.as_bytes()), "{}", one.path.display());
    }
}
