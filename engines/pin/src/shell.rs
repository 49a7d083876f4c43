//! Shell scripts: the images that well-known commands are given, seen and never edited.
//!
//! ```text
//! docker run --rm -v "$PWD:/w" shop/tools:1 build     -> shop/tools:1
//! kubectl set image deploy/api api=shop/api:1.4       -> shop/api:1.4
//! helm upgrade api ./chart --set image.tag=1.4        -> 1.4, a part
//! TOOLS_IMAGE=shop/tools:1                            -> shop/tools:1, by the variable's name
//! ```
//! Only arguments of commands that are known, and variables that are called images. Also for the scripts inside of
//! pipelines and Makefiles.

mod commands;
mod words;

use crate::gather::{About, Gatherer, is_like_a_reference};
use crate::place::opaque;
use crate::site::{Certainty, Context, Found, Opaque};
use commands::{How, Seen, seen};
use std::ops::Range;
pub(crate) use words::Breaks;
use words::commands;

/// Scripts in scripts at most: `$(docker run $(…))`.
const NESTED_MAX: usize = 4;

/// Adds what the commands of a part of a text are given.
pub(crate) fn see_script(
    all: &mut Gatherer<'_>,
    text: &str,
    part: Range<usize>,
    breaks: Breaks,
    path: &str,
) {
    let mut parts = vec![part];
    for _ in 0..NESTED_MAX {
        let mut inner = Vec::new();
        for part in parts {
            let script = commands(text, part, breaks);
            for command in &script.commands {
                if all.is_full() {
                    return;
                }
                seen(text, command, &mut |one| add(all, one, path));
            }
            inner.extend(script.nested);
        }
        parts = inner;
    }
}

fn add(all: &mut Gatherer<'_>, one: Seen, path: &str) {
    let certainty = match one.how {
        How::Named => Certainty::Likely,
        How::Given | How::Part => Certainty::Certain,
    };
    if one.how == How::Named && !is_like_a_reference(&one.literal.value) {
        return;
    }
    let about = About {
        path: if path.is_empty() { one.by.to_owned() } else { format!("{path}: {}", one.by) },
        context: Context::default(),
        certainty,
        purpose: one.purpose,
    };
    let site = all.see(&one.literal, about);
    if one.how == How::Part {
        site.found = Found::Opaque(opaque(&one.literal.value).unwrap_or(Opaque::Part));
    }
}
