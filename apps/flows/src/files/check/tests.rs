//! What a check lists and counts, on folders of files.

use super::*;
use crate::settings;
use pin::FindingKind;

/// A folder with files.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn look(folder: &Path, settings: Option<&str>, asked: Asked) -> Report {
    let settings = settings.map(|text| settings::read(text).unwrap());
    let requirements = Requirements::of(settings.as_ref(), folder);
    check(folder, &[PathBuf::from(".")], &requirements, asked).unwrap()
}

fn asked(listing: Listing) -> Asked {
    Asked {
        listing,
        baseline: Baseline::default(),
        online: Online::default(),
        lock: Lock::default(),
        changes: None,
    }
}

/// Path, line and kind of each finding.
fn found(report: &Report) -> Vec<String> {
    let rows = report.listed.iter();
    let rows = rows.filter_map(|one| {
        let finding = one.finding()?;
        Some(format!("{}:{} {} {}", one.path, one.line, finding.kind, finding.severity.name()))
    });
    rows.collect()
}

#[test]
fn a_known_finding_is_counted_apart() {
    let folder = tree(&[(
        "compose.yaml",
        "services: {a: {image: a}, b: {image: b}, c: {image: 'c:1.2.3'}}\n",
    )]);
    let baseline = Baseline::of([("compose.yaml".into(), "no-tag".into(), "a".into())]);
    let report = look(folder.path(), None, Asked { baseline, ..asked(Listing::Findings) });
    let counts = report.counts;
    assert_eq!((counts.files, counts.references), (1, 3));
    assert_eq!((counts.findings, counts.known, counts.accepted), (1, 1, 1));
    assert_eq!(report.to_pin().count(), 1);
}

#[test]
fn images_to_build_from_are_noted_and_fail_nothing() {
    let folder = tree(&[("Dockerfile", "FROM a\nFROM b:1.2.3\nFROM scratch\n")]);
    let report = look(folder.path(), None, asked(Listing::Findings));
    assert_eq!(found(&report), ["Dockerfile:1 no-tag noted"]);
    let counts = report.counts;
    assert_eq!((counts.findings, counts.noted, counts.references, counts.bases), (0, 1, 2, 2));
    let baseline = Baseline::of([("Dockerfile".into(), "no-tag".into(), "a".into())]);
    let report = look(folder.path(), None, Asked { baseline, ..asked(Listing::Findings) });
    assert_eq!((report.counts.noted, report.counts.known), (0, 1));
}

const SETTINGS: &str = "version: 1
images: {api: {repository: r.example.com/shop/api}}
environments:
  prod: {branches: [prod], git: {path: prod}}
  uat: {branches: [uat], git: {path: uat}}
rules: [{repository: 'shop/*', tag: 'v*', is: immutable}]
";

#[test]
fn an_environment_that_names_two_builds_of_one_image_is_told_at_the_rarer_one() {
    let pod = |image: &str| {
        format!("apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: '{image}'}}]}}\n")
    };
    let (old, new) = (pod("r.example.com/shop/api:v1.4.2"), pod("r.example.com/shop/api:v1.4.3"));
    let folder = tree(&[
        ("prod/a.yaml", &old),
        ("prod/b.yaml", &new),
        ("prod/c.yaml", &new),
        ("uat/a.yaml", &old),
        ("elsewhere/a.yaml", &old),
    ]);
    let report = look(folder.path(), Some(SETTINGS), asked(Listing::Findings));
    assert_eq!(found(&report), ["prod/a.yaml:3 two-tags noted"]);
    assert_eq!(
        report.listed[0].finding().unwrap().message,
        "`r.example.com/shop/api:v1.4.2`: prod also names `r.example.com/shop/api:v1.4.3` (prod/b.yaml:3)"
    );
    assert_eq!((report.counts.noted, report.counts.locked, report.counts.accepted), (1, 5, 5));
}

#[test]
fn an_image_of_another_environment_fails() {
    let image = "services: {api: {image: 'r.example.com/shop/api:20260317-143958-uat'}}\n";
    let folder = tree(&[("prod/compose.yaml", image), ("uat/compose.yaml", image)]);
    let report = look(folder.path(), Some(SETTINGS), asked(Listing::Findings));
    assert_eq!(found(&report), ["prod/compose.yaml:1 other-environment fails"]);
    assert_eq!((report.counts.findings, report.counts.references), (1, 2));
    assert!(
        !report.to_pin().any(|one| one.finding().unwrap().kind == FindingKind::OtherEnvironment)
    );
}

#[test]
fn a_base_is_judged_by_what_its_overlays_make_of_it() {
    let folder = tree(&[]);
    let write = |path: &str, text: &str| write(folder.path(), path, text);
    write("base/kustomization.yaml", "resources: [api.yaml]\n");
    let pod =
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: shop/api}, {image: shop/side}]}\n";
    write("base/api.yaml", pod);
    let pins = "resources: [../base]\nimages: [{name: shop/api, newTag: v1.4.2}]\n";
    write("prod/kustomization.yaml", pins);
    let look = |listing| look(folder.path(), None, asked(listing));
    let report = look(Listing::Findings);
    let found: Vec<_> = report.listed.iter().map(|one| one.reference.as_str()).collect();
    assert_eq!(found, ["shop/side"]);
    let counts = report.counts;
    assert_eq!((counts.findings, counts.references, counts.files), (1, 2, 2));
    let all = look(Listing::All);
    let replaced = all.listed.iter().find(|one| one.answer == Answer::Replaced).unwrap();
    assert_eq!((replaced.reference.as_str(), replaced.line), ("shop/api", 3));
    // One more that takes the base as it is: now it runs.
    write("uat/kustomization.yaml", "resources: [../base]\n");
    assert_eq!(look(Listing::Findings).counts.findings, 2);
}

#[test]
fn what_the_lock_knows_comes_with_the_change_that_mends_it() {
    let nines = format!("sha256:{}", "9".repeat(64));
    let entry = |name: &str| {
        format!(
            "  \"{name}\": {{digest: '{nines}', at: 2026-03-17T14:39:58.000Z, by: docker.io/shop/api}}\n"
        )
    };
    let text = format!("version: 1\nimages:\n{}", entry("docker.io/shop/api:latest"));
    let folder = tree(&[
        ("images.lock", &text),
        ("compose.yaml", "services:\n  \u{f6}: {image: shop/api} # x\n  b: {image: shop/b}\n"),
    ]);
    let lock = Lock::find(folder.path()).unwrap().unwrap();
    let report = look(folder.path(), None, Asked { lock, ..asked(Listing::Findings) });
    let fixes: Vec<_> = report.listed.iter().map(|one| one.fix.as_slice()).collect();
    let text = format!("shop/api@{nines}");
    let first = Replacement { start: (2, 14), end: (2, 22), text };
    assert_eq!(fixes, [&[first][..], &[]]);
}

#[test]
fn files_that_the_settings_pass_over_are_counted_and_broken_ones_among_them_too() {
    let settings = "version: 1\nignore: ['vendor/**', '!vendor/ours/**']\n";
    let image = "services: {a: {image: shop/a}}\n";
    let folder = tree(&[
        ("vendor/compose.yaml", image),
        ("vendor/broken/compose.yaml", "services: {a: {image: [}\n"),
        ("vendor/ours/compose.yaml", image),
        ("compose.yaml", image),
    ]);
    let report = look(folder.path(), Some(settings), asked(Listing::Findings));
    assert_eq!(
        found(&report),
        ["compose.yaml:1 no-tag fails", "vendor/ours/compose.yaml:1 no-tag fails"]
    );
    assert_eq!((report.counts.ignored_files, report.unread.len()), (2, 0));
}
