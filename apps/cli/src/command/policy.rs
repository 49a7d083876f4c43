//! `indelible policy generate [ENV]… [--deny] [--output FILE]`

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use clap::{Subcommand, ValueEnum};
use domain::EnvironmentName;
use flows::policy::{OtherImages, Policy, PolicyEnvironment, PolicyRequest};
use release::policy::Effect;
use serde::Serialize;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Names of one kind that are shown in a line; JSON has all.
const NAMES_SHOWN_MAX: usize = 5;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write admission policies: images are pinned, of this environment, and may come there by the record
    Generate(GenerateArguments),
}

#[derive(Debug, clap::Args)]
struct GenerateArguments {
    /// Environments; left out: all that have a namespace
    #[arg(value_name = "ENV")]
    environments: Vec<EnvironmentName>,
    /// Where to write it; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// What is wrong is let in, with a warning and a line in the audit log; this is the default
    #[arg(long, conflicts_with = "deny")]
    audit: bool,
    /// What is wrong is refused
    #[arg(long)]
    deny: bool,
    /// What is asked of images that indelible.yaml does not have
    #[arg(long, value_name = "WHAT", default_value = "listed")]
    others: Others,
    /// List only the newest digests of each environment; what runs is always listed
    #[arg(long, value_name = "N")]
    newest: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Others {
    /// They must be allowed by somebody, as everything else
    Listed,
    /// They need a digest, whichever it is
    Pinned,
}

#[derive(Serialize)]
struct Wire<'a> {
    effect: &'static str,
    environments: Vec<WireEnvironment<'a>>,
    without_namespace: Vec<&'a str>,
    /// Null where the objects are not written to a file.
    file: Option<String>,
    dry_run: bool,
    objects: &'a [serde_json::Value],
}

#[derive(Serialize)]
struct WireEnvironment<'a> {
    environment: &'a str,
    namespace: &'a str,
    digests: usize,
    objects: usize,
    left_out: usize,
    /// Where nobody watches what runs.
    gaps: Vec<&'a str>,
    blocked_and_runs: Vec<String>,
    unpinned: &'a [String],
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let What::Generate(arguments) = arguments.what;
    let app = process::app(global)?;
    let effect = if arguments.deny { Effect::Deny } else { Effect::Warn };
    let request = PolicyRequest {
        environments: arguments.environments,
        effect,
        others: match arguments.others {
            Others::Listed => OtherImages::Listed,
            Others::Pinned => OtherImages::Pinned,
        },
        newest: arguments.newest,
    };
    let policy = flows::policy::policy(&app, &request).await?;
    let file = (arguments.output != Path::new("-"))
        .then(|| app.surroundings().cwd.join(&arguments.output));
    if let (Some(path), false) = (&file, global.dry_run) {
        write(path, &arguments.output, &policy.objects.yaml())?;
    }
    told(global, &policy, effect);
    let shown = file.is_some().then(|| arguments.output.display().to_string());
    global.output().data("policy generate", &wire(&policy, effect, shown.clone(), global), || {
        match &shown {
            None => policy.objects.yaml(),
            Some(file) => written(file, global),
        }
    });
    Ok(Exit::Done)
}

fn written(file: &str, global: &Global) -> String {
    let file = crate::output::plain(file);
    match global.dry_run {
        true => format!("{file}: would be written\n"),
        false => format!("{file}: written; next: kubectl apply --filename {file}\n"),
    }
}

/// A file that is whole or not there: half of a policy is another policy.
fn write(path: &Path, shown: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let wrong = |error: std::io::Error| {
        Failure::usage(format!("{} cannot be written: {error}", shown.display()))
    };
    let mut beside = tempfile::Builder::new();
    // As any new file, less what the umask takes: these objects are no secret.
    #[cfg(unix)]
    beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut new = beside.tempfile_in(folder).map_err(wrong)?;
    new.write_all(text.as_bytes()).map_err(wrong)?;
    new.as_file().sync_all().map_err(wrong)?;
    new.persist(path).map_err(|error| wrong(error.error))?;
    Ok(())
}

/// What a person must know before it is applied.
fn told(global: &Global, policy: &Policy, effect: Effect) {
    let output = global.output();
    for environment in &policy.environments {
        let PolicyEnvironment { name, namespace, digests, parts, .. } = environment;
        let does = match effect {
            Effect::Warn => "what is wrong is let in with a warning; --deny refuses it",
            Effect::Deny => "what is wrong is refused; --audit only warns",
        };
        let (digests, parts) = (counted(*digests, "digest"), counted(*parts, "list"));
        output.talk(format!("{name} (namespace {namespace}): {digests} in {parts}; {does}"));
        warnings(environment).into_iter().for_each(|line| output.talk(line));
    }
    if !policy.without_namespace.is_empty() {
        let names: Vec<_> = policy.without_namespace.iter().map(EnvironmentName::as_str).collect();
        output.talk(format!("without a namespace, so not guarded: {}", some(&names)));
    }
}

fn warnings(environment: &PolicyEnvironment) -> Vec<String> {
    let name = &environment.name;
    let mut lines = Vec::new();
    if !environment.gaps.is_empty() {
        let gaps: Vec<_> = environment.gaps.iter().map(|gap| gap.why.as_str()).collect();
        lines.push(format!(
            "warning: {name}: what runs there is not known ({}), so only what the record deployed or allowed is listed: \
             look first: indelible status --context NAME",
            some(&gaps)
        ));
    }
    if !environment.unpinned.is_empty() {
        let references: Vec<_> = environment.unpinned.iter().map(String::as_str).collect();
        lines.push(format!(
            "warning: {name} runs what is not pinned, and --deny keeps its pods from being made again: {}: \
             indelible pin --running --context NAME",
            some(&references)
        ));
    }
    if !environment.blocked_and_runs.is_empty() {
        let digests: Vec<_> =
            environment.blocked_and_runs.iter().map(|digest| digest.short().to_string()).collect();
        let digests: Vec<_> = digests.iter().map(String::as_str).collect();
        lines.push(format!(
            "warning: {name} runs what is blocked, so it is listed until another build runs: {}",
            some(&digests)
        ));
    }
    if environment.left_out > 0 {
        lines.push(format!(
            "{name}: {} older are left out",
            counted(environment.left_out, "digest")
        ));
    }
    lines
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn some(names: &[&str]) -> String {
    let shown = names.iter().take(NAMES_SHOWN_MAX).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMES_SHOWN_MAX) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

fn wire<'a>(policy: &'a Policy, effect: Effect, file: Option<String>, global: &Global) -> Wire<'a> {
    let environment = |one: &'a PolicyEnvironment| WireEnvironment {
        environment: one.name.as_str(),
        namespace: &one.namespace,
        digests: one.digests,
        objects: one.parts,
        left_out: one.left_out,
        gaps: one.gaps.iter().map(|gap| gap.why.as_str()).collect(),
        blocked_and_runs: one.blocked_and_runs.iter().map(ToString::to_string).collect(),
        unpinned: &one.unpinned,
    };
    Wire {
        effect: match effect {
            Effect::Warn => "warn",
            Effect::Deny => "deny",
        },
        environments: policy.environments.iter().map(environment).collect(),
        without_namespace: policy.without_namespace.iter().map(EnvironmentName::as_str).collect(),
        file,
        dry_run: global.dry_run,
        objects: &policy.objects.objects,
    }
}
