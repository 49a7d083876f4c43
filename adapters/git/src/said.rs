//! The line of a program's standard error that is shown to a person.
//!
//! ```text
//! "warning: x\nfatal: repository '/x' not found\n"  ->  "fatal: repository '/x' not found"
//! ```
//! Control characters, colours and direction marks are taken out, secrets are starred, and the
//! length is bounded. Nothing decides by this text what happened to a push.

/// The longest line that is shown, in characters.
pub(crate) const SAID_CHARS_MAX: usize = 300;

/// Secrets shorter than this are not looked for: starring single letters would destroy the line.
const SECRET_LEN_MIN: usize = 4;

/// The telling line: the first `fatal:` or `error:`, else the first with anything in it.
pub(crate) fn telling_line(stderr: &[u8], secrets: &[&str]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    let is_telling = |line: &&str| line.starts_with("fatal:") || line.starts_with("error:");
    let chosen = lines.clone().find(is_telling).or_else(|| lines.next());
    clean(chosen.unwrap_or("(git said nothing)"), secrets)
}

/// What a remote said about a push: its own `remote:` lines first, then `reason`.
pub(crate) fn refusal(stderr: &[u8], reason: &str, secrets: &[&str]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let remote: Vec<&str> = text
        .split(['\n', '\r'])
        .filter_map(|line| line.trim().strip_prefix("remote:"))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(4)
        .collect();
    if remote.is_empty() {
        clean(reason, secrets)
    } else {
        clean(&format!("{} ({reason})", remote.join(" / ")), secrets)
    }
}

/// One line without secrets, control characters and endless length.
pub(crate) fn clean(line: &str, secrets: &[&str]) -> String {
    let mut line = line.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= SECRET_LEN_MIN) {
        line = line.replace(secret, "***");
    }
    let visible = |c: char| !c.is_control() && !is_direction_mark(c);
    let line = star_passwords_in_urls(&line);
    line.chars().filter(|c| visible(*c)).take(SAID_CHARS_MAX).collect()
}

/// Marks that reorder the text around them on a terminal. Source: Unicode, bidirectional controls.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `https://ann:hunter2@host/x` becomes `https://ann:***@host/x`.
fn star_passwords_in_urls(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                let name = user.split_once(':').map_or(user, |(name, _)| name);
                out.push_str(name);
                out.push_str(if user.contains(':') { ":***@" } else { "@" });
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fatal_line_is_chosen_over_warnings() {
        let stderr = b"warning: x\nfatal: repository '/x' not found\nmore\n";
        assert_eq!(telling_line(stderr, &[]), "fatal: repository '/x' not found");
        assert_eq!(telling_line(b"\n quoi?\n", &[]), "quoi?");
        assert_eq!(telling_line(b"", &[]), "(git said nothing)");
    }

    #[test]
    fn secrets_and_control_characters_are_not_shown() {
        let line = "fatal: \u{1b}[31mhunter2\u{202e} at https://ann:pa55@host/x and https://h/y";
        assert_eq!(
            clean(line, &["hunter2", "a"]),
            "fatal: [31m*** at https://ann:***@host/x and https://h/y"
        );
    }

    #[test]
    fn a_line_is_bounded() {
        let at = "x".repeat(SAID_CHARS_MAX);
        assert_eq!(clean(&at, &[]), at);
        assert_eq!(clean(&format!("{at}y"), &[]), at);
    }

    #[test]
    fn what_the_remote_said_comes_first() {
        let stderr = b"remote: no pushes on Friday        \nremote: \nTo /x\n";
        assert_eq!(
            refusal(stderr, "[remote rejected] (pre-receive hook declined)", &[]),
            "no pushes on Friday ([remote rejected] (pre-receive hook declined))"
        );
    }
}
