//! Which words of a command are images.
//!
//! ```text
//! podman run -it --name x quay.io/a/b:1 sh     the first word that is no option: quay.io/a/b:1
//! gcloud run deploy api --image=a/b:1          what stands behind `--image`
//! ```
//! Source: docker run(1), podman-run(1), kubectl reference ("set image", "run", "create"), helm install(1), gcloud run
//! deploy, aws lambda, az containerapp, flyctl deploy.

use super::words::Word;
use crate::gather::{Literal, is_like_a_reference};
use crate::site::Purpose;

/// How sure it is that a word is an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The command takes an image there.
    Given,
    /// A variable is called so.
    Named,
    /// It is a tag or a name alone.
    Part,
}

pub(super) struct Seen {
    pub(super) literal: Literal,
    pub(super) how: How,
    pub(super) purpose: Purpose,
    /// `docker run`.
    pub(super) by: &'static str,
}

/// The options of `run` and `pull` that take no value. Source: docker run(1), podman-run(1), nerdctl's reference.
const SWITCHES: [&str; 24] = [
    "--all-tags",
    "--detach",
    "--disable-content-trust",
    "--env-host",
    "--help",
    "--http-proxy",
    "--init",
    "--interactive",
    "--no-healthcheck",
    "--no-hosts",
    "--oom-kill-disable",
    "--passwd",
    "--privileged",
    "--publish-all",
    "--quiet",
    "--read-only",
    "--read-only-tmpfs",
    "--replace",
    "--rm",
    "--rmi",
    "--rootfs",
    "--sig-proxy",
    "--tls-verify",
    "--tty",
];
/// Their letters.
const LETTERS: &str = "adhiPqrt";

/// Hands on the images of one command.
pub(super) fn seen(file: &str, command: &[Word], each: &mut dyn FnMut(Seen)) {
    let mut words = command;
    while let Some((first, rest)) = words.split_first() {
        if !is_passed(&first.text) && !assignment(file, first, each) {
            break;
        }
        words = rest;
    }
    let Some((first, rest)) = words.split_first() else {
        return;
    };
    match program(&first.text) {
        "docker" | "podman" | "nerdctl" | "finch" => containers(file, rest, each),
        "kubectl" | "oc" => kubectl(file, rest, each),
        "helm" => helm(file, rest, each),
        "gcloud" if has(rest, "run") => behind(file, rest, "--image", "gcloud run", each),
        "az" if has(rest, "container") || has(rest, "containerapp") => {
            behind(file, rest, "--image", "az container", each);
        }
        "aws" if has(rest, "lambda") => behind(file, rest, "--image-uri", "aws lambda", each),
        "fly" | "flyctl" => behind(file, rest, "--image", "fly", each),
        "export" | "readonly" | "local" | "declare" | "typeset" => {
            for word in rest {
                assignment(file, word, each);
            }
        }
        _ => {}
    }
}

/// Words that only say how the command behind them runs.
fn is_passed(word: &str) -> bool {
    matches!(
        word,
        "if" | "then"
            | "else"
            | "elif"
            | "do"
            | "while"
            | "until"
            | "!"
            | "{"
            | "time"
            | "sudo"
            | "exec"
            | "command"
            | "nohup"
            | "env"
            | "-E"
            | "-n"
            | "@"
            | "-"
    )
}

/// The program's name: without its folder, and that in `$(DOCKER)`.
fn program(word: &str) -> &str {
    let word = word.trim_start_matches(['@', '-', '+']);
    if word.starts_with('$') {
        let name = word.trim_start_matches('$').trim_matches(['(', ')', '{', '}']);
        let name = name.to_ascii_lowercase();
        let ends = |end: &str| name.ends_with(end);
        return match () {
            () if [
                "docker",
                "podman",
                "container_tool",
                "container_engine",
                "container_runtime",
            ]
            .into_iter()
            .any(ends) =>
            {
                "docker"
            }
            () if ends("kubectl") => "kubectl",
            () if ends("helm") => "helm",
            () => "",
        };
    }
    word.rsplit('/').next().unwrap_or(word)
}

fn has(words: &[Word], text: &str) -> bool {
    words.iter().any(|word| word.text == text)
}

fn whole(file: &str, word: &Word) -> Literal {
    word.part(file, 0..word.text.len())
}

/// `NAME=value`; only a name that ends in IMAGE is handed on.
fn assignment(file: &str, word: &Word, each: &mut dyn FnMut(Seen)) -> bool {
    let Some((name, _)) = word.text.split_once('=') else {
        return false;
    };
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if is_name && name.to_ascii_uppercase().ends_with("IMAGE") {
        each(Seen {
            literal: word.part(file, name.len() + 1..word.text.len()),
            how: How::Named,
            purpose: Purpose::Pipeline,
            by: "a variable",
        });
    }
    is_name
}

fn containers(file: &str, words: &[Word], each: &mut dyn FnMut(Seen)) {
    let globals = ["-H", "--host", "-c", "--context", "--config", "-l", "--log-level"];
    let mut rest = words;
    while let Some((first, more)) = rest.split_first() {
        let takes = usize::from(globals.contains(&first.text.as_str()));
        let is_passed = first.text.starts_with('-')
            || matches!(first.text.as_str(), "container" | "image" | "buildx" | "builder");
        if !is_passed {
            break;
        }
        rest = more.get(takes..).unwrap_or_default();
    }
    let Some((sub, rest)) = rest.split_first() else {
        return;
    };
    let mut give = |word: &Word, by: &'static str| {
        each(Seen { literal: whole(file, word), how: How::Given, purpose: Purpose::Pipeline, by });
    };
    match sub.text.as_str() {
        "run" | "create" => {
            if let Some(word) = image_of(&operands(rest)) {
                give(word, "docker run");
            }
        }
        "pull" => operands(rest).iter().for_each(|word| give(word, "docker pull")),
        "build" => arguments(file, rest, each),
        _ => {}
    }
}

/// The image among the words that are no options: where a variable may hold options, the word behind it.
fn image_of<'w>(operands: &[&'w Word]) -> Option<&'w Word> {
    let first = *operands.first()?;
    let is_variable = first.text.starts_with('$') && !first.text.contains(['/', ':', ' ']);
    if is_variable && !first.text.to_ascii_lowercase().contains("image") {
        let next = operands.get(1).filter(|next| is_like_a_reference(&next.text));
        return Some(next.copied().unwrap_or(first));
    }
    Some(first)
}

/// The words that are neither options nor their values.
fn operands(words: &[Word]) -> Vec<&Word> {
    let mut all = Vec::new();
    let mut rest = words;
    while let Some((first, more)) = rest.split_first() {
        let text = first.text.as_str();
        let takes = match text.strip_prefix('-') {
            None | Some("") => {
                all.push(first);
                // What follows the image is the container's command.
                all.extend(more.iter());
                return all;
            }
            Some("-") => {
                all.extend(more.iter());
                return all;
            }
            Some(long) if long.starts_with('-') => {
                usize::from(!text.contains('=') && !SWITCHES.contains(&text))
            }
            // `-it`, `-p80:80`, `-itv /a:/b`: the first letter that is no switch takes a value.
            Some(letters) => match letters.find(|c: char| !LETTERS.contains(c)) {
                Some(at) => usize::from(at + 1 == letters.len()),
                None => 0,
            },
        };
        rest = more.get(takes..).unwrap_or_default();
    }
    all
}

/// `--build-arg BASE_IMAGE=a/b:1`.
fn arguments(file: &str, words: &[Word], each: &mut dyn FnMut(Seen)) {
    for (at, word) in words.iter().enumerate() {
        let is_behind = at > 0 && words[at - 1].text == "--build-arg";
        let start =
            if is_behind { Some(0) } else { word.text.strip_prefix("--build-arg=").map(|_| 12) };
        let Some(start) = start else { continue };
        let Some((name, _)) = word.text[start..].split_once('=') else {
            continue;
        };
        if name.to_ascii_uppercase().ends_with("IMAGE") {
            each(Seen {
                literal: word.part(file, start + name.len() + 1..word.text.len()),
                how: How::Named,
                purpose: Purpose::Base,
                by: "docker build --build-arg",
            });
        }
    }
}

fn kubectl(file: &str, words: &[Word], each: &mut dyn FnMut(Seen)) {
    let is_set = words.windows(2).any(|two| two[0].text == "set" && two[1].text == "image");
    if !is_set {
        if ["run", "create", "debug"].iter().any(|sub| has(words, sub)) {
            behind(file, words, "--image", "kubectl", each);
        }
        return;
    }
    for word in words.iter().filter(|word| !word.text.starts_with('-')) {
        if let Some((name, _)) = word.text.split_once('=') {
            each(Seen {
                literal: word.part(file, name.len() + 1..word.text.len()),
                how: How::Given,
                purpose: Purpose::Workload,
                by: "kubectl set image",
            });
        }
    }
}

fn helm(file: &str, words: &[Word], each: &mut dyn FnMut(Seen)) {
    for (at, word) in words.iter().enumerate() {
        let is_set = |text: &str| matches!(text, "--set" | "--set-string" | "--set-literal");
        let start = match word.text.split_once('=') {
            Some((option, _)) if is_set(option) => option.len() + 1,
            _ if at > 0 && is_set(&words[at - 1].text) => 0,
            _ => continue,
        };
        let mut from = start;
        for pair in word.text[start..].split(',') {
            let part = from..from + pair.len();
            from = part.end + 1;
            let Some((key, _)) = pair.split_once('=') else {
                continue;
            };
            let lower = key.to_ascii_lowercase();
            let is_part = ["image.tag", "image.repository", "image.digest", "imagetag"]
                .iter()
                .any(|end| lower.ends_with(end));
            let how = match (is_part, lower.ends_with("image")) {
                (true, _) => How::Part,
                (false, true) => How::Given,
                (false, false) => continue,
            };
            let literal = word.part(file, part.start + key.len() + 1..part.end);
            each(Seen { literal, how, purpose: Purpose::Workload, by: "helm --set" });
        }
    }
}

/// What stands behind an option, or behind its `=`.
fn behind(file: &str, words: &[Word], option: &str, by: &'static str, each: &mut dyn FnMut(Seen)) {
    for (at, word) in words.iter().enumerate() {
        let value = word.text.strip_prefix(option).and_then(|rest| rest.strip_prefix('='));
        let literal = match value {
            Some(value) => word.part(file, word.text.len() - value.len()..word.text.len()),
            None if at > 0 && words[at - 1].text == option => whole(file, word),
            None => continue,
        };
        each(Seen { literal, how: How::Given, purpose: Purpose::Workload, by });
    }
}
