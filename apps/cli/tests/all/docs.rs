//! The documents are true: every settings example is read, every command line is taken by the program.
//!
//! ```text
//! a yaml block that begins with `version: 1`    -> flows::settings::read accepts it
//! `indelible …` in a console or yaml block      -> the program takes its words, up to `--help`
//! ```
//! `--help` behind a command line makes the program read every word before it and do nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What stands for a variable in an example.
const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// One fenced block of a document.
struct Block {
    /// `README.md:12`.
    place: String,
    /// The word behind the fence.
    kind: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// README and everything below docs, read as blocks.
fn blocks() -> Vec<Block> {
    let mut paths = vec![
        PathBuf::from("README.md"),
        PathBuf::from("CHANGELOG.md"),
        PathBuf::from("CONTRIBUTING.md"),
    ];
    for entry in fs::read_dir(root().join("docs")).expect("docs is there") {
        let name = entry.expect("docs can be listed").file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            paths.push(Path::new("docs").join(name));
        }
    }
    paths.sort();
    paths.iter().flat_map(|path| blocks_of(path)).collect()
}

fn blocks_of(path: &Path) -> Vec<Block> {
    let text = fs::read_to_string(root().join(path)).expect("a document is text");
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(kind), None) => {
                let place = format!("{}:{}", path.display(), index + 1);
                open = Some(Block { place, kind: kind.trim().to_owned(), text: String::new() });
            }
            (None, Some(block)) => block.text.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a block is not closed", path.display());
    blocks
}

#[test]
fn every_settings_example_is_read() {
    let mut read = 0;
    for block in blocks() {
        if block.kind == "yaml" && block.text.starts_with("version: 1") {
            let settings = flows::settings::read(&block.text);
            assert!(
                settings.is_ok(),
                "{}: {}",
                block.place,
                settings.expect_err("it was no settings")
            );
            read += 1;
        }
    }
    assert!(read >= 5, "only {read} examples of settings were found");
    let sample = fs::read_to_string(root().join("examples/shop/indelible.yaml"))
        .expect("the sample has settings");
    flows::settings::read(&sample).expect("the sample's settings are read");
}

/// The command lines of a block: behind `$ ` of a console, behind a key or on their own in a CI's file.
fn command_lines(block: &Block) -> Vec<&str> {
    let lines = block.text.lines();
    match block.kind.as_str() {
        "console" => lines.filter_map(|line| line.strip_prefix("$ ")).collect(),
        "yaml" => lines
            .map(|line| line.trim_start().trim_start_matches("- "))
            .map(|line| {
                line.strip_prefix("run: ").or_else(|| line.strip_prefix("script: ")).unwrap_or(line)
            })
            .filter(|line| line.starts_with("indelible "))
            .collect(),
        _ => Vec::new(),
    }
}

/// The words of each `indelible …` of a line, variables replaced, pipes and comments cut.
fn invocations(line: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut word = String::new();
    let (mut quote, mut is_word) = (None, false);
    for letter in variables_replaced(line).chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => word.push(letter),
            (None, '\'' | '"') => (quote, is_word) = (Some(letter), true),
            (None, ' ' | '|' | '#') => {
                if is_word || !word.is_empty() {
                    all.last_mut().expect("there is always one").push(std::mem::take(&mut word));
                    is_word = false;
                }
                match letter {
                    '|' => all.push(Vec::new()),
                    '#' => break,
                    _ => {}
                }
            }
            (None, _) => word.push(letter),
        }
    }
    if is_word || !word.is_empty() {
        all.last_mut().expect("there is always one").push(word);
    }
    all.retain(|words| words.first().is_some_and(|first| first == "indelible"));
    all
}

/// `$DIGEST` and `${{ … }}` stand for a digest in our examples, and for nothing else.
fn variables_replaced(line: &str) -> String {
    let mut text = line.to_owned();
    while let Some((before, after)) = text.split_once("${{") {
        let (_, after) = after.split_once("}}").expect("an expression ends");
        text = format!("{before}{DIGEST}{after}");
    }
    text.replace("$DIGEST", DIGEST).replace("$digest", DIGEST)
}

fn take(words: &[String]) -> Result<(), String> {
    let output = Command::new(program()).args(&words[1..]).arg("--help").env_clear().output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_indelible")
}

#[test]
fn every_command_line_is_taken_by_the_program() {
    let mut taken = 0;
    let mut wrong = Vec::new();
    for block in blocks() {
        for line in command_lines(&block) {
            for words in invocations(line) {
                match take(&words) {
                    Ok(()) => taken += 1,
                    Err(said) => wrong.push(format!("{}: {line}\n{said}", block.place)),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(taken >= 40, "only {taken} command lines were found");
}

#[test]
fn an_example_with_a_wrong_word_would_be_found() {
    assert!(take(&["indelible".into(), "deploy".into(), "--no-such-option".into()]).is_err());
    assert!(take(&["indelible".into(), "no-such-command".into()]).is_err());
    assert!(take(&["indelible".into(), "trace".into(), DIGEST.into()]).is_ok());
}

#[test]
fn a_line_is_cut_into_words_as_a_shell_does() {
    let words =
        |line| invocations(line).into_iter().map(|words| words.join("|")).collect::<Vec<_>>();
    assert_eq!(
        words("indelible hold prod --reason \"incident 17\"  # now"),
        ["indelible|hold|prod|--reason|incident 17"]
    );
    assert_eq!(
        words("kustomize build . | indelible pin - | kubectl apply -f -"),
        ["indelible|pin|-"]
    );
    assert_eq!(words("cargo xtask test"), Vec::<String>::new());
}

/// A link of a document leads to a file of the tree.
#[test]
fn every_link_between_documents_leads_somewhere() {
    let names = [
        "README.md",
        "ARCHITECTURE.md",
        "GLOSSARY.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ];
    let mut paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
    for folder in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(root().join(folder)).expect("the folder is there");
        paths.extend(
            entries
                .map(|entry| Path::new(folder).join(entry.expect("it can be listed").file_name())),
        );
    }
    for path in
        paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md"))
    {
        let text = fs::read_to_string(root().join(path)).expect("a document is text");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                let file = root().join(path.parent().unwrap_or(Path::new(""))).join(target);
                assert!(file.exists(), "{} links to {link}, which is not there", path.display());
            }
        }
    }
}
