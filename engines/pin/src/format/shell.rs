//! Shell scripts, seen and never edited.
//!
//! ```text
//! deploy.sh, or `#!/usr/bin/env bash` on the first line of a file whose name has no dot
//! ```

use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::gather::Gatherer;
use crate::shell::{Breaks, see_script};
use crate::site::{Purpose, Site};

pub(super) const SPEC: Spec = Spec {
    format: Format::Shell,
    name: "shell",
    purpose: Purpose::Pipeline,
    reader: Reader::Seen(sites),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    matches!(name.extension(), "sh" | "bash").then_some("it is called like a shell script")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    let first = look.text.lines().next().and_then(|line| line.strip_prefix("#!"))?;
    let mut words = first.split(['/', ' ', '\t']);
    let is_bare = !look.name.file.contains('.');
    (is_bare && words.any(|word| matches!(word, "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh")))
        .then_some("its first line names a shell")
}

fn sites(text: &str) -> Vec<Site> {
    let mut all = Gatherer::new(text);
    see_script(&mut all, text, 0..text.len(), Breaks::End, "");
    all.finish()
}
