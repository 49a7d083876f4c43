//! Where a Dockerfile names images: `FROM`, `COPY --from`, `RUN --mount=…,from=`, `ONBUILD`, `# syntax=`.
//!
//! ```text
//! ARG BASE=nginx:1.27        <- the site: FROM ${BASE} takes the whole name from here
//! FROM ${BASE} AS web
//! FROM nginx:${V}            <- opaque: pinning it would make V say nothing
//! ```
//! Source: BuildKit, `frontend/dockerfile` (parser, instructions, dockerfile2llb).

mod arguments;
mod pragma;
mod words;

pub(crate) use words::{Parsed, Word, parse};

use super::{Reader as ReadAs, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::read_reference;
use crate::marker::marker;
use crate::place::{Places, line_end, line_start, opaque};
use crate::site::{AliasPlace, Certainty, Context, Found, Opaque, Purpose, Shape, Site, Token};
use arguments::{Arguments, unquoted};
use pragma::Pragmas;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use words::Instruction;

pub(super) const SPEC: Spec = Spec {
    format: Format::Dockerfile,
    name: "dockerfile",
    purpose: Purpose::Base,
    reader: ReadAs::Dockerfile,
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let own = name.file.as_ref();
    let is_one = |word: &str| {
        own == word
            || own.strip_prefix(word).is_some_and(|rest| rest.starts_with(['.', '-', '_']))
            || own.strip_suffix(word).is_some_and(|rest| rest.ends_with('.'))
    };
    let is_other = matches!(
        name.extension(),
        "dockerignore" | "md" | "txt" | "yaml" | "yml" | "json" | "tmpl" | "j2"
            // A program about Dockerfiles is none.
            | "c" | "cc" | "cpp" | "cs" | "css" | "go" | "h" | "html" | "java" | "js" | "jsx" | "kt" | "lua"
            | "php" | "ps1" | "py" | "rb" | "rs" | "scala" | "sh" | "sum" | "swift" | "toml" | "ts" | "tsx" | "vim" | "xml"
    );
    ((is_one("dockerfile") || is_one("containerfile")) && !is_other)
        .then_some("it is called like a Dockerfile")
}

/// Only what comes without a name.
fn by_content(look: &Look<'_>) -> Option<&'static str> {
    let text = look.text.strip_prefix('\u{feff}').unwrap_or(look.text);
    let first = text
        .split(['\n', '\r'])
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .and_then(|line| line.split_whitespace().next());
    let is_start =
        |word: &str| word.eq_ignore_ascii_case("from") || word.eq_ignore_ascii_case("arg");
    (look.name.is_nameless() && first.is_some_and(is_start))
        .then_some("its first instruction is FROM or ARG")
}

/// All sites of a Dockerfile.
pub(crate) fn sites(text: &str) -> Vec<Site> {
    let parsed = parse(text);
    let mut reader = Reader {
        text,
        places: Places::new(text),
        sites: Vec::new(),
        stages: 0,
        names: HashSet::new(),
        args: Arguments::of(&parsed),
        pragmas: Pragmas::of(text, &parsed.comments),
        by_start: HashMap::new(),
    };
    for directive in &parsed.directives {
        if directive.name.eq_ignore_ascii_case("syntax") {
            let word = &directive.value;
            reader.add(word, 0..word.text.len(), "# syntax", word.span.start);
        }
    }
    for instruction in &parsed.instructions {
        reader.instruction(instruction, &instruction.words);
        if reader.sites.len() > crate::scan::SITES_MAX {
            break;
        }
    }
    reader.sites
}

struct Reader<'t> {
    text: &'t str,
    places: Places<'t>,
    sites: Vec<Site>,
    /// So many have begun.
    stages: usize,
    /// Their names, in lower case.
    names: HashSet<String>,
    args: Arguments,
    pragmas: Pragmas<'t>,
    /// Sites that a second use may find again, by their first byte.
    by_start: HashMap<usize, usize>,
}

impl Reader<'_> {
    fn instruction(&mut self, instruction: &Instruction, words: &[Word]) {
        let Some((keyword, rest)) = words.split_first() else {
            return;
        };
        let at = instruction.start;
        match keyword.text.to_ascii_uppercase().as_str() {
            "FROM" => self.from(rest, at),
            "ARG" if self.stages == 0 => self.args.set(rest),
            // The instruction of a build to come, which is never another of these two.
            "ONBUILD" => {
                if let Some((keyword, rest)) = rest.split_first() {
                    self.taking(&keyword.text, rest, at);
                }
            }
            other => self.taking(other, rest, at),
        }
    }

    /// An instruction that may take files of another image.
    fn taking(&mut self, keyword: &str, words: &[Word], at: usize) {
        let is = |word: &str| keyword.eq_ignore_ascii_case(word);
        for flag in flags(words) {
            if (is("COPY") || is("ADD")) && flag.text.starts_with("--from=") {
                self.taken(flag, "--from=".len()..flag.text.len(), "COPY --from", at);
            } else if is("RUN")
                && let Some(part) = mount_from(&flag.text)
            {
                self.taken(flag, part, "RUN --mount", at);
            }
        }
    }

    fn from(&mut self, words: &[Word], at: usize) {
        let mut operands = words.iter().skip_while(|word| word.text.starts_with("--"));
        let image = operands.next();
        let is_named = operands.next().is_some_and(|word| word.text.eq_ignore_ascii_case("as"));
        let name = operands.next().filter(|_| is_named).map(|word| word.text.to_ascii_lowercase());
        let label = name.clone().unwrap_or_else(|| format!("stage {}", self.stages));
        if let Some(image) = image {
            let part = unquoted(&image.text, 0..image.text.len());
            let site = match self.args.whole(&image.text[part.clone()]).cloned() {
                Some(word) => self.argument(&word, image),
                None => self.add(image, part, "FROM", at),
            };
            if let Some(site) = self.sites.get_mut(site) {
                site.context.container.get_or_insert(label);
                if site.marker.is_none() {
                    let line = line_start(self.text, at);
                    site.marker = self.pragmas.marker(line, &site.found);
                }
            }
        }
        self.stages += 1;
        self.names.extend(name);
    }

    /// The site is the argument's default, since it holds the whole name.
    fn argument(&mut self, word: &Word, used: &Word) -> usize {
        let equals = word.text.find('=').map_or(0, |at| at + 1);
        let part = unquoted(&word.text, equals..word.text.len());
        let path = format!("ARG {}", word.text.get(..equals.saturating_sub(1)).unwrap_or_default());
        let (line, column) = self.places.of(used.span.start);
        let site = self.add(word, part, &path, word.span.start);
        self.sites[site].aliases.push(AliasPlace { line, column, path: "FROM".to_owned() });
        site
    }

    /// A place that may also name a stage by its number.
    fn taken(&mut self, word: &Word, part: Range<usize>, path: &str, at: usize) {
        let text = &word.text[part.clone()];
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let site = self.add(word, unquoted(&word.text, part), path, at);
        if is_number {
            self.sites[site].found = Found::Stage;
        }
    }

    /// Adds the part of a word that is a reference; `at` is where its instruction begins.
    fn add(&mut self, word: &Word, part: Range<usize>, path: &str, at: usize) -> usize {
        let text = word.text[part.clone()].to_owned();
        let is_whole = self.text.get(word.span.clone()) == Some(word.text.as_str());
        let span = if is_whole {
            word.span.start + part.start..word.span.start + part.end
        } else {
            word.span.clone()
        };
        if let Some(known) = self.by_start.get(&span.start) {
            return *known;
        }
        let is_stage = self.names.contains(&text.to_ascii_lowercase());
        let found = if is_stage {
            Found::Stage
        } else if text == "scratch" {
            Found::Scratch
        } else if !is_whole {
            Found::Opaque(opaque(&text).unwrap_or(Opaque::Broken))
        } else {
            read_reference(&text)
        };
        let (line, column) = self.places.of(span.start);
        self.by_start.insert(span.start, self.sites.len());
        self.sites.push(Site {
            marker: marker(self.text, at, line_end(self.text, span.end), &found),
            line,
            column,
            document: 0,
            path: path.to_owned(),
            context: Context::default(),
            shape: Shape::Whole(Token {
                span: word.span.clone(),
                before: word.text[..part.start].to_owned(),
                after: word.text[part.end..].to_owned(),
            }),
            text,
            found,
            aliases: Vec::new(),
            certainty: Certainty::Certain,
            purpose: Purpose::Base,
            pull: None,
            span,
        });
        self.sites.len() - 1
    }
}

fn flags(words: &[Word]) -> impl Iterator<Item = &Word> {
    words.iter().take_while(|word| word.text.starts_with("--"))
}

/// The value of `from=` in `--mount=type=bind,from=nginx,target=/x`, whose quotes stand anywhere.
fn mount_from(flag: &str) -> Option<Range<usize>> {
    let options = flag.strip_prefix("--mount=")?;
    let mut at = flag.len() - options.len();
    for option in options.split(',') {
        let bare = option.trim_start_matches(['"', '\'']);
        if let Some((key, value)) = bare.split_once('=')
            && key.eq_ignore_ascii_case("from")
        {
            let start = at + option.len() - value.len();
            let quotes = value.len() - value.trim_start_matches(['"', '\'']).len();
            let value = value.trim_matches(['"', '\'']);
            return Some(start + quotes..start + quotes + value.len());
        }
        at += option.len() + 1;
    }
    None
}
