//! The settings as a file, each line with where it came from.

use super::environments::{DraftEnvironment, is_trunk};
use super::gather::Gathered;
use super::images::DraftImage;
use std::fmt::Write as _;

/// Writes the file.
pub(super) fn write(
    gathered: &Gathered,
    images: &[DraftImage],
    environments: &[DraftEnvironment],
) -> String {
    let mut text = String::from(
        "# What was found in this tree; each line says where. Read it, and change what is not so.\n\
         # All keys: `indelible schema`, docs/settings.md.\nversion: 1\n",
    );
    text.push_str(&record(gathered));
    text.push_str(&images_text(images, is_shared(environments)));
    text.push_str(&environments_text(gathered, environments));
    text.push_str(
        "rules:\n  # tags that move on purpose; every other tag is made once\n  \
         - {tag: latest, is: alias}\n",
    );
    text
}

/// Whether no environment has a branch of its own: then one build goes through all of them.
fn is_shared(environments: &[DraftEnvironment]) -> bool {
    environments.iter().all(|one| one.branch.is_none())
}

fn record(gathered: &Gathered) -> String {
    let (word, why) = match (&gathered.origin, gathered.is_repository) {
        (Some(origin), _) => {
            ("git", format!("a branch of this repository, for `origin` is {}", origin.host))
        }
        (None, true) => {
            ("local", "a file on this machine, for this repository has no `origin`".to_owned())
        }
        (None, false) => {
            ("local", "a file on this machine, for here is no git repository".to_owned())
        }
    };
    line(0, &format!("record: {word}"), &why)
}

fn images_text(images: &[DraftImage], is_shared: bool) -> String {
    if images.is_empty() {
        return "# images: {}   # none found that is built here: {api: {repository: registry.example.com/shop/api}}\n"
            .to_owned();
    }
    let mut text = "images:\n".to_owned();
    for image in images {
        text.push_str(&line(2, &format!("{}:", quoted(&image.name.to_string())), &image.from));
        let _ = writeln!(text, "    repository: {}", image.repository);
        text.push_str(&if is_shared {
            line(4, "tags: [timestamp]", "one build for all environments")
                + "    environments: shared\n"
        } else {
            line(4, "tags: [timestamp-env]", "one build for each environment's branch")
        });
    }
    text
}

fn environments_text(gathered: &Gathered, environments: &[DraftEnvironment]) -> String {
    if environments.is_empty() {
        return "# environments: {}   # none found: {prod: {branches: [prod], git: {path: deploy/prod}, check: digest}}\n"
            .to_owned();
    }
    let mut text =
        "# In order: the first whose branch matches gets a build.\nenvironments:\n".to_owned();
    for (at, own) in environments.iter().enumerate() {
        text.push_str(&environment(gathered, own, environments.get(at + 1)));
    }
    text
}

fn environment(
    gathered: &Gathered,
    own: &DraftEnvironment,
    before: Option<&DraftEnvironment>,
) -> String {
    let mut text = format!("  {}:\n", own.name);
    let trunk = gathered.branches.iter().find(|branch| is_trunk(branch));
    match (&own.branch, before) {
        (Some(branch), _) => {
            text.push_str(&line(
                4,
                &format!("branches: [{}]", quoted(branch)),
                "a branch of this repository is called so",
            ));
        }
        // The first of the chain takes what nobody else does.
        (None, None) => match trunk {
            Some(trunk) => text.push_str(&line(
                4,
                &format!("branches: [{}]", quoted(trunk)),
                "builds begin here",
            )),
            None => text.push_str(&line(
                4,
                "branches: [\"**\"]",
                "every branch that no other environment takes",
            )),
        },
        (None, Some(_)) => {}
    }
    if let Some(before) = before {
        text.push_str(&line(4, &format!("promotes-from: {}", before.name), "the step before it"));
    }
    if let Some(place) = &own.floating {
        text.push_str(&line(
            4,
            &format!("alias: {}", own.name),
            &format!("{place} names this tag, which moves"),
        ));
    }
    if let Some(folder) = &own.folder {
        text.push_str(&line(
            4,
            &format!("git: {{path: {}}}", quoted(&folder.path)),
            &format!("{} names what runs", folder.file),
        ));
        text.push_str("    deploy: files\n");
    }
    if let Some(context) = &own.context {
        text.push_str(&line(
            4,
            &format!("clusters: [{}]", quoted(&context.name)),
            "a context of the kubeconfig",
        ));
        if let Some(namespace) = &context.namespace {
            text.push_str(&line(4, &format!("namespace: {namespace}"), "as that context says"));
        }
    }
    if own.rank == 6 {
        text.push_str(&line(4, "check: digest", "files of production name digests"));
    }
    text
}

/// A line, and why it is there.
fn line(indent: usize, text: &str, why: &str) -> String {
    let why: String = why.chars().filter(|c| !c.is_control()).collect();
    format!("{:indent$}{text}   # {why}\n", "")
}

/// As YAML reads it as text, whatever it looks like.
fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'))
        && !matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if is_plain { text.to_owned() } else { format!("{text:?}") }
}
