//! The next command, ready to be copied into a shell.

use std::path::PathBuf;

/// A command with paths behind it, quoted for a POSIX shell where that is needed.
pub(crate) fn command(command: &str, paths: &[PathBuf]) -> String {
    let mut text = command.to_owned();
    for path in paths {
        text.push(' ');
        text.push_str(&word(&path.to_string_lossy()));
    }
    text
}

fn word(text: &str) -> String {
    let is_bare = |c: char| c.is_alphanumeric() || "_./:@%+=,-".contains(c);
    if !text.is_empty() && text.chars().all(is_bare) && !text.starts_with('-') {
        text.to_owned()
    } else if text.starts_with('-') && text != "-" {
        // A path, not an option.
        word(&format!("./{text}"))
    } else {
        format!("'{}'", crate::output::plain(text).replace('\'', r"'\''"))
    }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell_and_no_option() {
        let words = |paths: &[&str]| {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            command("indelible pin", &paths)
        };
        assert_eq!(words(&["deploy/api.yaml", "größe"]), "indelible pin deploy/api.yaml größe");
        assert_eq!(words(&["a b", "c'd"]), r"indelible pin 'a b' 'c'\''d'");
        assert_eq!(words(&["-rf", "-"]), "indelible pin ./-rf '-'");
        assert_eq!(words(&["$(x)"]), "indelible pin '$(x)'");
    }
}
