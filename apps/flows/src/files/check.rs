//! `check`: every place that names an image, judged by the level of its folder.
//!
//! ```text
//! compose.yaml:1:25  `shop/api` has no tag: it can move  ->  one finding
//! ```
//! Reads files and settings, asks no registry.

use super::baseline::Baseline;
use super::error::FilesError;
use super::kustomized::Kustomizations;
use super::level::Requirements;
use super::walk::{FileText, Unread, Unreadable, Walked, each_file};
use domain::EnvironmentName;
use pin::{
    Certainty, Context, Finding, FindingKind, Format, Kustomization, Level, Marker, Opaque,
    Verdict, judge, name_of,
};
use std::path::{Path, PathBuf};

/// Which places are listed; all are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Findings, known ones too.
    Findings,
    /// Good ones as well.
    All,
}

/// One place and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The path for people.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The way to it inside the file.
    pub place: String,
    /// As the file writes it.
    pub reference: String,
    /// What the file was read as.
    pub format: Format,
    /// Whose image it is.
    pub context: Context,
    /// Whether the place surely holds an image.
    pub certainty: Certainty,
    /// What was asked for.
    pub level: Level,
    /// Whose level it was.
    pub environment: Option<EnvironmentName>,
    /// The answer.
    pub answer: Answer,
}

/// The answer for one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It should not be so.
    Finding(Finding),
    /// It should not be so, and the baseline knows it.
    Known(Finding),
    /// It names a digest.
    Pinned,
    /// It names no digest, and none is asked for.
    Accepted,
    /// Nothing is pulled for its sake.
    NotRequired,
    /// Every kustomization that builds from the file writes another reference.
    Replaced,
    /// A comment asks to pass over it.
    Ignored(Marker),
    /// It could not be told.
    Unknown(Opaque),
}

/// How many there were of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files that name an image.
    pub files: usize,
    /// Files that were read.
    pub looked_at: usize,
    /// Places that name an image.
    pub references: usize,
    /// Those with a digest.
    pub pinned: usize,
    /// Those without, where none is asked for.
    pub accepted: usize,
    /// Those that should be otherwise.
    pub findings: usize,
    /// Those that should be otherwise and are in the baseline.
    pub known: usize,
    /// Those that a comment takes out.
    pub ignored: usize,
    /// Those that could not be told, for a variable or template writes them.
    pub unknown: usize,
    /// Files of which only the lines without a template were read.
    pub templated: usize,
    /// Files and folders that could not be read.
    pub unread: usize,
}

/// The result of a check.
#[derive(Debug)]
pub struct Report {
    /// What was asked to be listed, in the order of files and lines.
    pub listed: Vec<Checked>,
    /// How many of each.
    pub counts: Counts,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Named files that are no workload files.
    pub passed_over: Vec<String>,
}

/// Judges every place below the paths.
///
/// # Errors
/// A path that is not there.
pub fn check(
    cwd: &Path,
    paths: &[PathBuf],
    requirements: &Requirements,
    baseline: Baseline,
    listing: Listing,
) -> Result<Report, FilesError> {
    let walked = each_file(cwd, paths, |file| judged(file, requirements, listing))?;
    Ok(report(without_replaced(walked, listing), baseline))
}

/// One file's places and numbers.
struct Judged {
    path: PathBuf,
    kustomization: Option<Kustomization>,
    listed: Vec<Checked>,
    counts: Counts,
}

fn judged(
    file: &FileText<'_>,
    requirements: &Requirements,
    listing: Listing,
) -> Result<Option<Judged>, Unreadable> {
    let scan = file.scan()?;
    let required = requirements.of_file(file.path);
    let kustomization = (file.format == Format::Kustomize)
        .then(|| pin::kustomization(file.text))
        .transpose()
        .map_err(Unreadable::Scan)?;
    let path = file.path.to_owned();
    let mut judged = Judged { path, kustomization, listed: Vec::new(), counts: Counts::default() };
    judged.counts.templated = usize::from(scan.is_templated);
    for site in scan.sites {
        let verdict = judge(&site, required.level, &requirements.rules);
        count(&mut judged.counts, &verdict);
        let answer = answer(verdict);
        if listing == Listing::All || matches!(answer, Answer::Finding(_)) {
            judged.listed.push(Checked {
                path: file.shown.to_owned(),
                line: site.line,
                column: site.column,
                place: site.path,
                reference: site.text,
                format: file.format,
                context: site.context,
                certainty: site.certainty,
                level: required.level,
                environment: required.environment.cloned(),
                answer,
            });
        }
    }
    judged.counts.files = usize::from(judged.counts.references > 0);
    let says_nothing = judged.counts == Counts::default() && judged.listed.is_empty();
    let is_silent = says_nothing && judged.kustomization.is_none();
    Ok((!is_silent).then_some(judged))
}

/// Takes out what no kustomization lets through: the entry that replaces it is judged where it stands.
fn without_replaced(mut walked: Walked<Judged>, listing: Listing) -> Walked<Judged> {
    let mut all = Kustomizations::default();
    for judged in &mut walked.found {
        if let Some(kustomization) = judged.kustomization.take() {
            all.add(&judged.path, kustomization);
        }
    }
    for Judged { path, listed, counts, .. } in &mut walked.found {
        for one in listed.iter_mut().filter(|one| one.format == Format::Kubernetes) {
            if matches!(one.answer, Answer::Finding(_))
                && all.replace(path, name_of(&one.reference))
            {
                one.answer = Answer::Replaced;
                counts.findings -= 1;
                counts.references -= 1;
            }
        }
        counts.files = usize::from(counts.references > 0);
        listed.retain(|one| listing == Listing::All || one.answer != Answer::Replaced);
    }
    walked
}

fn count(counts: &mut Counts, verdict: &Verdict) {
    let own = match verdict {
        Verdict::NotRequired => return,
        Verdict::Pinned => &mut counts.pinned,
        Verdict::Accepted => &mut counts.accepted,
        Verdict::Ignored(_) => &mut counts.ignored,
        Verdict::Unknown(_) => &mut counts.unknown,
        Verdict::Finding(_) => &mut counts.findings,
    };
    *own += 1;
    counts.references += 1;
}

fn answer(verdict: Verdict) -> Answer {
    match verdict {
        Verdict::Pinned => Answer::Pinned,
        Verdict::Accepted => Answer::Accepted,
        Verdict::NotRequired => Answer::NotRequired,
        Verdict::Ignored(marker) => Answer::Ignored(marker),
        Verdict::Unknown(why) => Answer::Unknown(why),
        Verdict::Finding(finding) => Answer::Finding(finding),
    }
}

fn report(walked: Walked<Judged>, mut baseline: Baseline) -> Report {
    let mut counts = Counts { looked_at: walked.looked_at, ..Counts::default() };
    counts.unread = walked.unread.len();
    // Tens of thousands of places are large to move when a vector grows.
    let mut listed = Vec::with_capacity(walked.found.iter().map(|file| file.listed.len()).sum());
    for file in walked.found {
        let own = file.counts;
        counts.files += own.files;
        counts.references += own.references;
        counts.pinned += own.pinned;
        counts.accepted += own.accepted;
        counts.findings += own.findings;
        counts.ignored += own.ignored;
        counts.unknown += own.unknown;
        counts.templated += own.templated;
        listed.extend(file.listed);
    }
    for one in &mut listed {
        if let Answer::Finding(finding) = &one.answer
            && baseline.take(&one.path, finding.kind.id(), &one.reference)
        {
            one.answer = Answer::Known(finding.clone());
            counts.findings -= 1;
            counts.known += 1;
        }
    }
    Report { listed, counts, unread: walked.unread, passed_over: walked.passed_over }
}

impl Report {
    /// Whether `indelible pin` could mend any of the findings.
    #[must_use]
    pub fn can_be_pinned(&self) -> bool {
        self.counts.accepted > 0 || self.to_pin().next().is_some()
    }

    /// The findings that `indelible pin` could mend.
    pub fn to_pin(&self) -> impl Iterator<Item = &Checked> {
        self.listed.iter().filter(|one| match &one.answer {
            Answer::Finding(finding) => match finding.kind {
                FindingKind::NoTag
                | FindingKind::AliasTag
                | FindingKind::MovingTag
                | FindingKind::NotPinned => true,
                FindingKind::UnknownAlgorithm | FindingKind::Malformed => false,
            },
            Answer::Known(_)
            | Answer::Pinned
            | Answer::Accepted
            | Answer::NotRequired
            | Answer::Replaced
            | Answer::Ignored(_)
            | Answer::Unknown(_) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_finding_is_counted_apart() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Dockerfile"), "FROM a\nFROM b\nFROM c:1.2\n").unwrap();
        let requirements = Requirements::of(None, folder.path());
        let baseline = Baseline::of([("Dockerfile".into(), "no-tag".into(), "a".into())]);
        let paths = [PathBuf::from(".")];
        let report =
            check(folder.path(), &paths, &requirements, baseline, Listing::Findings).unwrap();
        let counts = report.counts;
        assert_eq!((counts.files, counts.references), (1, 3));
        assert_eq!((counts.findings, counts.known, counts.accepted), (1, 1, 1));
        assert_eq!(report.to_pin().count(), 1);
    }

    #[test]
    fn a_base_is_judged_by_what_its_overlays_make_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("base/kustomization.yaml", "resources: [api.yaml]\n");
        let pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: shop/api}, {image: shop/side}]}\n";
        write("base/api.yaml", pod);
        let pins = "resources: [../base]\nimages: [{name: shop/api, newTag: v1.4.2}]\n";
        write("prod/kustomization.yaml", pins);
        let look = |listing| {
            let requirements = Requirements::of(None, folder.path());
            let paths = [PathBuf::from(".")];
            check(folder.path(), &paths, &requirements, Baseline::of([]), listing).unwrap()
        };
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
}
