//! Makefiles: variables that are called images, and the commands of recipes; seen and never edited.
//!
//! ```text
//! TOOLS_IMAGE ?= shop/tools:1     -> shop/tools:1
//! build:
//! <tab>docker run $(TOOLS_IMAGE)  -> $(TOOLS_IMAGE), which could not be told
//! ```
//! Source: GNU make manual, "Setting Variables", "Recipe Syntax".

use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::gather::{About, Gatherer, Literal, is_like_a_reference};
use crate::place::line_end;
use crate::shell::{Breaks, see_script};
use crate::site::{Certainty, Context, Purpose, Site};

pub(super) const SPEC: Spec = Spec {
    format: Format::Makefile,
    name: "makefile",
    purpose: Purpose::Pipeline,
    reader: Reader::Seen(sites),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    (matches!(name.file.as_ref(), "makefile" | "gnumakefile") || name.extension() == "mk")
        .then_some("it is called like a Makefile")
}

fn by_content(_: &Look<'_>) -> Option<&'static str> {
    None
}

fn sites(text: &str) -> Vec<Site> {
    let mut all = Gatherer::new(text);
    let mut at = 0;
    while at < text.len() && !all.is_full() {
        let start = at;
        at = logical_end(text, start);
        if text[start..].starts_with('\t') {
            see_script(&mut all, text, start + 1..at, Breaks::End, "");
        } else {
            variable(&mut all, text, start, at);
        }
        at += 1;
    }
    all.finish()
}

/// The end of a line and of those that a backslash joins to it.
fn logical_end(text: &str, start: usize) -> usize {
    let mut end = line_end(text, start);
    while text[start..end].trim_end_matches('\r').ends_with('\\') && end < text.len() {
        let next = if text[end..].starts_with("\r\n") { end + 2 } else { end + 1 };
        end = line_end(text, next);
    }
    end
}

fn variable(all: &mut Gatherer<'_>, text: &str, start: usize, end: usize) {
    let line = &text[start..end];
    let Some((head, value)) = line.split_once('=') else {
        return;
    };
    let name = head.trim_end_matches(['?', ':', '!', '+']).trim();
    let name = name.rsplit([' ', '\t']).next().unwrap_or(name);
    if head.trim_start().starts_with('#') || !name.to_ascii_uppercase().ends_with("IMAGE") {
        return;
    }
    let value = value.split('#').next().unwrap_or(value);
    let lead = value.len() - value.trim_start().len();
    let from = start + head.len() + 1 + lead;
    let literal = Literal::word(text, from..from + value.trim().len());
    if is_like_a_reference(&literal.value) {
        all.see(
            &literal,
            About {
                path: name.to_owned(),
                context: Context::default(),
                certainty: Certainty::Likely,
                purpose: Purpose::Pipeline,
            },
        );
    }
}
