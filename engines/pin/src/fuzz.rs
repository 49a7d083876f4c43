//! Bodies for fuzzers: plain functions that read a stranger's text and check what must hold.
//!
//! The tests run each for a while on made-up input; `cargo fuzz` runs them on demand.

use crate::{Format, Style, apply, classify, plan_pin, plan_unpin, scan};
use crate::{Judge, Level, prefilter};
use domain::{Digest, ImageRef, RuleSet};
use std::collections::BTreeMap;

/// Any text as any format: it is read or refused, every span is inside it, and pinning is idempotent.
///
/// # Panics
/// When an invariant breaks, which is what a fuzzer looks for.
pub fn any_text(text: &str) {
    let _ = prefilter(text.as_bytes());
    let _ = classify("-", text);
    for format in Format::all() {
        one_format(format, text);
    }
}

fn one_format(format: Format, text: &str) {
    let Ok(found) = scan(format, text) else {
        return;
    };
    let digest = Digest::sha256(b"fuzz");
    let mut answers = BTreeMap::new();
    for site in &found.sites {
        assert!(text.get(site.span.clone()).is_some(), "{site:?}");
        assert!(site.line >= 1 && site.column >= 1, "{site:?}");
        for level in [Level::Tag, Level::Digest] {
            let judge = Judge { level, rules: &RuleSet::default(), own_registry: None };
            let _ = (judge.verdict(site), judge.beside(site));
        }
        if let crate::Found::Image(reference @ (ImageRef::Bare(_) | ImageRef::Tagged(_))) =
            &site.found
        {
            answers.insert(reference.clone(), digest);
        }
    }
    let pins = plan_pin(&found, &answers, Style::TagDigest);
    // A refusal is an answer; what was proved must hold.
    if let Ok(new) = apply(format, text, &pins.edits) {
        let again = scan(format, &new).expect("what was proved can be read");
        let rest = plan_pin(&again, &answers, Style::TagDigest);
        assert!(rest.edits.is_empty(), "{format:?} {text:?} {new:?}");
        assert_eq!(again.sites.len(), found.sites.len(), "{text:?} {new:?}");
    }
    let _ = apply(format, text, &plan_unpin(&found).edits);
}

/// Any text as templates of a chart and as definitions of kinds: they are read to their end.
pub fn any_template(text: &str) {
    let usage = crate::helm::usage([text]);
    let knowledge = crate::Knowledge::with_chart(usage);
    let values = "image:\n  repository: a/b\n  tag: v1\n";
    let _ = crate::scan_with(Format::HelmValues, values, &knowledge);
    let _ = crate::crd::images(text);
    let _ = crate::crd::custom_groups(text);
}
