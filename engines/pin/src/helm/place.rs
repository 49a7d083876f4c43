//! Where the output of an action goes, by the text of its line.
//!
//! ```text
//! image: "▮:▮"                      -> into an image      (▮ is what an action writes)
//! app.kubernetes.io/version: ▮      -> into a label
//! {{- define "x.image" }}▮          -> wherever the define is used
//! ```

use super::Use;

/// Stands for what an action writes.
pub(super) const MARK: char = '\u{1}';

/// How much of a line is kept.
const LINE_BYTES_MAX: usize = 1_024;

/// Where an output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Into(Use),
    /// Nothing but outputs stands around it: what uses the whole decides.
    Open,
}

/// The text of the line so far, and the key that was left open on a line before.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    now: String,
    open: Option<String>,
}

impl Line {
    pub(super) fn text(&mut self, text: &str) {
        let Some(last) = text.rfind('\n') else {
            self.now.push_str(text);
            return;
        };
        let lines = format!("{}{}", self.now, &text[..last]);
        let before = lines.rsplit('\n').find(|line| !line.trim().is_empty());
        if let Some(before) = before {
            let (key, value) = split(before);
            let is_open = matches!(value.trim(), "" | ">-" | ">" | "|" | "|-");
            self.open = key.filter(|_| is_open).map(str::to_owned);
        }
        self.now = text[last + 1..].to_owned();
    }

    pub(super) fn output(&mut self) {
        self.now.push(MARK);
        // Its key and its end tell enough of a long line, and each output looks at it.
        if self.now.len() > LINE_BYTES_MAX {
            let cut = |at: usize| (at..self.now.len()).find(|at| self.now.is_char_boundary(*at));
            let (from, to) = (LINE_BYTES_MAX / 4, self.now.len() - LINE_BYTES_MAX / 4);
            if let (Some(from), Some(to)) = (cut(from), cut(to)) {
                self.now.replace_range(from..to, " ");
            }
        }
    }

    /// Where an output here goes.
    pub(super) fn place(&self) -> Place {
        let (key, value) = split(&self.now);
        let before = value.trim_end_matches(['"', '\'']);
        if before.ends_with("@sha256:") {
            return Place::Into(Use::Hex);
        }
        // `name:▮` and `name@▮` are references, wherever they stand.
        if before.strip_suffix([':', '@']).is_some_and(|name| name.ends_with(MARK)) {
            return Place::Into(Use::Image);
        }
        match key {
            Some(key) => Place::Into(of_key(key)),
            None if value
                .chars()
                .all(|c| c == MARK || c.is_whitespace() || matches!(c, '"' | '\'' | '/')) =>
            {
                self.open.as_deref().map_or(Place::Open, |key| Place::Into(of_key(key)))
            }
            None if value.trim_start().starts_with(['-', '"']) && is_image(value) => {
                Place::Into(Use::Image)
            }
            None => Place::Into(Use::Elsewhere),
        }
    }
}

/// The key of a line and what stands behind it.
fn split(line: &str) -> (Option<&str>, &str) {
    let rest = line.trim_start().trim_start_matches("- ").trim_start();
    let end = rest.find([':', ' ', MARK, '=', '{', '[']);
    match end {
        Some(end) if rest[end..].starts_with(':') => {
            let value = &rest[end + 1..];
            if value.is_empty() || value.starts_with([' ', '\t', MARK]) {
                let key = rest[..end].trim_matches(['"', '\'']);
                return (Some(key).filter(|key| !key.is_empty()), value);
            }
            (None, line)
        }
        Some(_) | None => (None, line),
    }
}

fn is_image(text: &str) -> bool {
    text.to_ascii_lowercase().contains("image")
}

fn of_key(key: &str) -> Use {
    if key.to_ascii_lowercase().ends_with("image") {
        Use::Image
    // Source: Kubernetes docs, "Recommended Labels"; Istio docs, the label `version`.
    } else if key.contains('/')
        || matches!(key, "version" | "appVersion" | "release" | "tag" | "imageTag")
    {
        Use::Label
    } else {
        Use::Elsewhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        let mut line = Line::default();
        for (at, part) in text.split('▮').enumerate() {
            if at > 0 {
                line.output();
            }
            line.text(part);
        }
        line.place()
    }

    #[test]
    fn of_a_long_line_its_key_and_its_end_are_kept() {
        let long = "▮ ü".repeat(LINE_BYTES_MAX);
        assert_eq!(place(&format!("  image: {long}")), Place::Into(Use::Image));
        assert_eq!(place(&format!("  value: {long}▮:")), Place::Into(Use::Image));
    }

    #[test]
    fn the_line_tells_where_an_output_goes() {
        let cases = [
            ("  image: ", Place::Into(Use::Image)),
            ("  image: \"▮/▮:", Place::Into(Use::Image)),
            ("  - image: ", Place::Into(Use::Image)),
            ("  \"image\": ", Place::Into(Use::Image)),
            ("  sidecarImage: ", Place::Into(Use::Image)),
            ("  image: \"▮:▮@sha256:", Place::Into(Use::Hex)),
            ("    - --reloader-image=▮/▮:", Place::Into(Use::Image)),
            ("    - --reloader-image=", Place::Into(Use::Image)),
            ("    app.kubernetes.io/version: ", Place::Into(Use::Label)),
            ("    version: \"", Place::Into(Use::Label)),
            ("  value: ", Place::Into(Use::Elsewhere)),
            ("  image:\n    ", Place::Into(Use::Image)),
            ("  image: >-\n    ▮:", Place::Into(Use::Image)),
            ("a: b\n", Place::Open),
            ("", Place::Open),
            ("▮/", Place::Open),
            ("echo ", Place::Into(Use::Elsewhere)),
        ];
        for (text, expected) in cases {
            assert_eq!(place(text), expected, "{text:?}");
        }
    }
}
