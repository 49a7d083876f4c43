//! A transcript without what differs from run to run: times, digests, ids and ports, each by its place.
//!
//! ```text
//! sha256:9f86… 20260317-143958-uat at 127.0.0.1:40123  ->  sha256:[digest 1] [second 1]-uat at 127.0.0.1:[port]
//! ```
//! The same value gets the same number wherever it stands and however short it is written, so that a
//! transcript still shows what is the same as what. Nothing else is replaced.

use std::collections::BTreeMap;

/// The digits by which a shortened hash is known again.
const KNOWN_BY: usize = 7;
/// Crockford's alphabet, of which a ULID has 26.
const ULID: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Numbers given in the order of first appearance.
#[derive(Default)]
struct Names {
    digests: BTreeMap<String, usize>,
    commits: BTreeMap<String, usize>,
    events: BTreeMap<String, usize>,
    seconds: BTreeMap<String, usize>,
}

/// Replaces what differs from run to run. `places` are paths and what stands for them.
pub(crate) fn normal(text: &str, places: &[(&str, &str)]) -> String {
    let text = places.iter().fold(text.to_owned(), |text, (path, name)| text.replace(path, name));
    let mut names = Names::default();
    let lines = text.lines().map(|line| match line.strip_prefix("index ") {
        // Git's own line about two blobs.
        Some(blobs) if blobs.contains("..") => "index [blobs]".to_owned(),
        Some(_) | None => names.line(line),
    });
    lines.map(|line| line + "\n").collect()
}

impl Names {
    fn line(&mut self, line: &str) -> String {
        let mut normal = String::new();
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let begins_word = normal.chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric());
            let (name, length) = match self.value(rest).filter(|_| begins_word) {
                Some(found) => found,
                None => (first.to_string(), first.len_utf8()),
            };
            normal.push_str(&name);
            rest = &rest[length..];
        }
        normal
    }

    /// What the text begins with, if that differs from run to run: its name and its length.
    fn value(&mut self, text: &str) -> Option<(String, usize)> {
        let port = || port(text);
        let digest = || {
            let hex = text.strip_prefix("sha256:")?;
            let length = word(hex, is_hex).filter(|length| *length >= KNOWN_BY)?;
            Some((&hex[..length], 7 + length))
        };
        if let Some((hex, length)) = digest() {
            return Some((
                format!("sha256:[digest {}]", number(&mut self.digests, &hex[..KNOWN_BY])),
                length,
            ));
        }
        if let Some(length) = fits(text, "########-######") {
            let environment = text[length..]
                .strip_prefix('-')
                .and_then(|rest| word(rest, |c| c.is_ascii_lowercase()));
            let whole = &text[..length + environment.map_or(0, |length| length + 1)];
            let name = format!("[second {}]{}", number(&mut self.seconds, whole), &whole[length..]);
            return Some((name, whole.len()));
        }
        if let Some(length) = duration(text) {
            // A column is as wide as its longest length of time: the blanks after it differ too.
            let blanks = text[length..].len() - text[length..].trim_start_matches(' ').len();
            let kept = blanks.min(2);
            let name = format!("[length]{}", " ".repeat(kept));
            return Some((name, length + blanks));
        }
        if let Some(length) = moment(text) {
            return Some(("[time]".to_owned(), length));
        }
        if let Some(found) = port() {
            return Some(found);
        }
        if word(text, |c| ULID.contains(c)) == Some(26) {
            return Some((format!("[event {}]", number(&mut self.events, &text[..26])), 26));
        }
        let length = word(text, is_hex).filter(|length| *length >= KNOWN_BY)?;
        let key = &text[..KNOWN_BY];
        let name = match self.digests.get(key) {
            Some(known) => format!("[digest {known}]"),
            None if length == 64 => format!("[digest {}]", number(&mut self.digests, key)),
            None => format!("[commit {}]", number(&mut self.commits, key)),
        };
        Some((name, length))
    }
}

fn is_hex(c: char) -> bool {
    matches!(c, '0'..='9' | 'a'..='f')
}

/// The length of a whole word of such characters at the beginning.
fn word(text: &str, is_in: impl Fn(char) -> bool) -> Option<usize> {
    let length = text.find(|c: char| !is_in(c)).unwrap_or(text.len());
    let ends = text[length..].chars().next().is_none_or(|c| !c.is_ascii_alphanumeric());
    (length > 0 && ends).then_some(length)
}

/// The length of a shape at the beginning, in which `#` is a digit.
fn fits(text: &str, shape: &str) -> Option<usize> {
    let start = text.get(..shape.len())?;
    let is_like = |(found, shape): (char, char)| {
        if shape == '#' { found.is_ascii_digit() } else { found == shape }
    };
    start.chars().zip(shape.chars()).all(is_like).then_some(shape.len())
}

/// A date with a time, a time with seconds: with fraction and zone where they follow.
fn moment(text: &str) -> Option<usize> {
    const SHAPES: [&str; 5] = [
        "####-##-##T##:##:##",
        "####-##-## ##:##:##",
        "####-##-## ##:##",
        "####-##-##",
        "##:##:##",
    ];
    let mut length = SHAPES.iter().find_map(|shape| fits(text, shape))?;
    if let Some(fraction) =
        text[length..].strip_prefix('.').and_then(|rest| rest.find(|c: char| !c.is_ascii_digit()))
    {
        length += 1 + fraction;
    }
    let zone = ["Z", "+##:##", "-##:##"].iter().find_map(|zone| fits(&text[length..], zone));
    Some(length + zone.unwrap_or(0))
}

/// `40s`, `1m 5s`: what went by between two commands.
fn duration(text: &str) -> Option<usize> {
    let unit = |text: &str, unit: char| {
        let digits = text.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
        let rest = text[digits..].strip_prefix(unit)?;
        let ends = rest.chars().next().is_none_or(|c| !c.is_ascii_alphanumeric());
        ends.then_some(digits + 1)
    };
    let minutes = unit(text, 'm').filter(|length| text[*length..].starts_with(' '));
    let start = minutes.map_or(0, |length| length + 1);
    Some(start + unit(&text[start..], 's')?)
}

fn port(text: &str) -> Option<(String, usize)> {
    const LOOPBACK: &str = "127.0.0.1:";
    let digits = word(text.strip_prefix(LOOPBACK)?, |c| c.is_ascii_digit())?;
    let length = LOOPBACK.len() + digits;
    (digits > 1).then(|| (format!("{LOOPBACK}[port]"), length))
}

fn number(names: &mut BTreeMap<String, usize>, value: &str) -> usize {
    let next = names.len() + 1;
    *names.entry(value.to_owned()).or_insert(next)
}

#[test]
fn only_what_differs_is_replaced() {
    let a = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let commit = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
    let cases = [
        (
            format!("sha256:{a} is {}, not sha256:{}", &a[..12], "0".repeat(64)),
            "sha256:[digest 1] is [digest 1], not sha256:[digest 2]",
        ),
        (format!("{commit} is {}", &commit[..7]), "[commit 1] is [commit 1]"),
        (
            "20260317-143958-uat 20260317-143959-uat 20260317-143958-uat".into(),
            "[second 1]-uat [second 2]-uat [second 1]-uat",
        ),
        (
            "at 2026-03-17T14:39:58.123Z, 2026-03-17 14:39 and 14:39:58+01:00".into(),
            "at [time], [time] and [time]",
        ),
        (
            "http://127.0.0.1:40123/ on 127.0.0.1:0".into(),
            "http://127.0.0.1:[port]/ on 127.0.0.1:0",
        ),
        ("Deploy-Id: 01JQ3K8Z5T9V4W6X7Y8Z9A0B1C.".into(), "Deploy-Id: [event 1]."),
        ("index 1a2b3c4..5d6e7f8 100644".into(), "index [blobs]"),
        (
            "for 4s   by x, 12s  by y and 1m 5s".into(),
            "for [length]  by x, [length]  by y and [length]",
        ),
        ("3 files, exit 2, api:1.4, replicas: 30".into(), "3 files, exit 2, api:1.4, replicas: 30"),
        ("in /tmp/x/shop".into(), "in [folder]/shop"),
    ];
    for (text, expected) in cases {
        assert_eq!(normal(&text, &[("/tmp/x", "[folder]")]), format!("{expected}\n"));
    }
}
