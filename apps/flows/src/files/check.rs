//! `check`: every place that names an image, judged by the level of its folder.
//!
//! ```text
//! compose.yaml:1:25  `shop/api` has no tag: it can move  ->  one finding
//! ```
//! Reads files and settings, asks no registry: what those say comes in.

mod changed;
mod checked;
mod environments;
mod fix;
mod report;

pub use changed::{Changes, ChangesError};
pub use checked::{Answer, Checked, Counts, Listing, SNIPPET_CHARS_MAX, Snippet};
pub use fix::Replacement;
pub use report::Report;

use super::baseline::Baseline;
use super::error::FilesError;
use super::kustomized::Kustomizations;
use super::level::{Required, Requirements};
use super::lock::Lock;
use super::online::Online;
use super::walk::{FileText, Unreadable, Walked, each_file};
use environments::Named;
use pin::{Format, Kustomization, Places, Purpose, Scan, Severity, Site, Verdict, name_of};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a check is asked beside its paths.
#[derive(Debug)]
pub struct Asked {
    /// Which places are listed.
    pub listing: Listing,
    /// What is known already.
    pub baseline: Baseline,
    /// What registries said; nothing where they were not asked.
    pub online: Online,
    /// Digests that are known without asking, to say what would mend a finding.
    pub lock: Lock,
    /// Where given, only places on lines that differ.
    pub changes: Option<Changes>,
}

/// Judges every place below the paths.
///
/// # Errors
/// A path that is not there.
pub fn check(
    cwd: &Path,
    paths: &[PathBuf],
    requirements: &Requirements,
    asked: Asked,
) -> Result<Report, FilesError> {
    let walked = each_file(cwd, paths, |file| judged(file, requirements, &asked))?;
    let mut walked = without_replaced(walked, asked.listing);
    walked.unread.retain(|unread| !requirements.ignores(&unread.path));
    let mut report = report(walked);
    let mut online = asked.online;
    online.rows.retain(|row| {
        let path = cwd.join(&row.path);
        !requirements.ignores(&std::fs::canonicalize(&path).unwrap_or(path))
    });
    report.add(online);
    report.compare(asked.baseline);
    Ok(report)
}

/// One file's places and numbers.
struct Judged {
    path: PathBuf,
    kustomization: Option<Kustomization>,
    listed: Vec<Checked>,
    /// What it names in an environment, each once.
    named: Vec<Named>,
    counts: Counts,
}

fn judged(
    file: &FileText<'_>,
    requirements: &Requirements,
    asked: &Asked,
) -> Result<Option<Judged>, Unreadable> {
    if requirements.ignores(file.path) {
        let counts = Counts { ignored_files: 1, ..Counts::default() };
        return Ok(Some(Judged { counts, ..Judged::nothing(file.path) }));
    }
    let mut scan = file.scan()?;
    if let Some(changes) = &asked.changes {
        only_changed(&mut scan, file, changes);
    }
    let required = requirements.of_file(file.path);
    let kustomization = (file.format == Format::Kustomize)
        .then(|| pin::kustomization(file.text))
        .transpose()
        .map_err(Unreadable::Scan)?;
    let named = environments::named(file, &scan, required);
    let mut judged = Judged { kustomization, named, ..Judged::nothing(file.path) };
    judged.counts.templated = usize::from(scan.is_templated);
    let mut fixes = match asked.lock.images.is_empty() {
        true => BTreeMap::new(),
        false => fix::fixes(file.text, &scan, &asked.lock),
    };
    for (at, site) in scan.sites.iter().enumerate() {
        let from = judged.listed.len();
        judged.add(file, site, required, requirements, asked.listing);
        let is_mended = |row: &&mut Checked| {
            row.finding().is_some_and(|finding| finding.kind.is_mended_by_a_pin())
        };
        if let Some(row) = judged.listed[from..].iter_mut().find(is_mended) {
            row.fix = fixes.remove(&at).unwrap_or_default();
        }
    }
    judged.counts.files = usize::from(judged.counts.references > 0);
    let says_nothing = judged.counts == Counts::default() && judged.listed.is_empty();
    let is_silent = says_nothing && judged.kustomization.is_none();
    Ok((!is_silent).then_some(judged))
}

/// Takes out the places on lines that a branch left as they were.
fn only_changed(scan: &mut Scan, file: &FileText<'_>, changes: &Changes) {
    let Some(lines) = changes.of_file(file.path) else {
        return scan.sites.clear();
    };
    let mut places = Places::new(file.text);
    scan.sites.retain(|site| changed::touches(lines, &mut places, site));
}

impl Judged {
    fn nothing(path: &Path) -> Self {
        let (path, counts) = (path.to_owned(), Counts::default());
        Self { path, kustomization: None, listed: Vec::new(), named: Vec::new(), counts }
    }

    fn add(
        &mut self,
        file: &FileText<'_>,
        site: &Site,
        required: Required<'_>,
        requirements: &Requirements,
        listing: Listing,
    ) {
        let judge = requirements.judge(required.level);
        let verdict = judge.verdict(site);
        count(&mut self.counts, site.purpose, &verdict);
        let row = |answer| Checked {
            environment: required.environment.cloned(),
            snippet: match listing {
                Listing::All => Snippet::of(file.text, &site.span),
                Listing::Findings => None,
            },
            answer,
            ..Checked::of(file.shown, file.format, site, required.level)
        };
        let is_listed =
            listing == Listing::All || matches!(verdict, Verdict::Finding(_) | Verdict::Unknown(_));
        if is_listed {
            self.listed.push(row(answer(verdict)));
        }
        let beside = judge.beside(site).into_iter();
        for finding in beside.chain(requirements.foreign(site, required.environment)) {
            match finding.severity {
                Severity::Fails => self.counts.findings += 1,
                Severity::Noted => self.counts.noted += 1,
            }
            self.listed.push(row(Answer::Finding(finding)));
        }
    }
}

fn count(counts: &mut Counts, purpose: Purpose, verdict: &Verdict) {
    let own = match verdict {
        Verdict::NotRequired => return,
        Verdict::Pinned => &mut counts.pinned,
        Verdict::Locked(_) => {
            counts.locked += 1;
            &mut counts.accepted
        }
        Verdict::Accepted => &mut counts.accepted,
        Verdict::Ignored(_) => &mut counts.ignored,
        Verdict::Unknown(_) => &mut counts.unknown,
        Verdict::Finding(finding) => match finding.severity {
            Severity::Fails => &mut counts.findings,
            Severity::Noted => &mut counts.noted,
        },
    };
    *own += 1;
    counts.references += 1;
    match purpose {
        Purpose::Workload => {}
        Purpose::Base => counts.bases += 1,
        Purpose::Pipeline => counts.pipelines += 1,
    }
}

fn answer(verdict: Verdict) -> Answer {
    match verdict {
        Verdict::Pinned => Answer::Pinned,
        Verdict::Locked(by) => Answer::Locked(by),
        Verdict::Accepted => Answer::Accepted,
        Verdict::NotRequired => Answer::NotRequired,
        Verdict::Ignored(marker) => Answer::Ignored(marker),
        Verdict::Unknown(why) => Answer::Unknown(why),
        Verdict::Finding(finding) => Answer::Finding(finding),
    }
}

/// Takes out what no kustomization lets through: the entry that replaces it is judged where it stands.
fn without_replaced(mut walked: Walked<Judged>, listing: Listing) -> Walked<Judged> {
    let mut all = Kustomizations::default();
    for judged in &mut walked.found {
        if let Some(kustomization) = judged.kustomization.take() {
            all.add(&judged.path, kustomization);
        }
    }
    for Judged { path, listed, named, counts, .. } in &mut walked.found {
        for one in listed.iter_mut().filter(|one| one.format == Format::Kubernetes) {
            let Answer::Finding(finding) = &one.answer else { continue };
            if !all.replace(path, name_of(&one.reference)) {
                continue;
            }
            match finding.severity {
                Severity::Fails => counts.findings -= 1,
                Severity::Noted => counts.noted -= 1,
            }
            if finding.kind.is_verdict() {
                counts.references -= 1;
                match one.purpose {
                    Purpose::Workload => {}
                    Purpose::Base => counts.bases -= 1,
                    Purpose::Pipeline => counts.pipelines -= 1,
                }
            }
            one.answer = Answer::Replaced;
        }
        // Several findings of one place are replaced once.
        listed.dedup_by(|b, a| {
            a.answer == Answer::Replaced
                && b.answer == Answer::Replaced
                && (a.line, a.column) == (b.line, b.column)
        });
        named.retain(|one| !all.replace(path, name_of(&one.reference)));
        counts.files = usize::from(counts.references > 0);
        listed.retain(|one| listing == Listing::All || one.answer != Answer::Replaced);
    }
    walked
}

fn report(mut walked: Walked<Judged>) -> Report {
    let mut counts = Counts { looked_at: walked.looked_at, ..Counts::default() };
    counts.unread = walked.unread.len();
    let named = walked.found.iter_mut().flat_map(|file| std::mem::take(&mut file.named));
    let torn = environments::two_tags(named);
    // Tens of thousands of places are large to move when a vector grows.
    let places: usize = walked.found.iter().map(|file| file.listed.len()).sum();
    let mut listed = Vec::with_capacity(places + torn.len());
    for file in walked.found {
        counts += file.counts;
        listed.extend(file.listed);
    }
    if !torn.is_empty() {
        counts.noted += torn.len();
        listed.extend(torn);
        // Stable: what a place said first is said first.
        listed.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
    }
    let (unread, passed_over) = (walked.unread, walked.passed_over);
    Report { listed, counts, unread, silent: Vec::new(), passed_over }
}

#[cfg(test)]
mod tests;
