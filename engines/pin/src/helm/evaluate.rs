//! Follows values through a chart's templates: variables, `with`, `range`, `dict`, `include` and what functions pass on.
//!
//! ```text
//! {{ include "x.image" (dict "root" .Values.image) }}   with   {{ define "x.image" }}{{ .root.tag }}{{ end }}
//!   ->  Values.image.tag goes where the include stands
//! ```
//! Every branch is taken once, and a loop's body once: what a value is never matters, only where it goes.

use super::Use;
use super::place::{Line, Place};
use super::template::{Block, Node, Templates, Token};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// Includes inside includes at most.
const INCLUDES_MAX: usize = 24;
/// Nodes and words that are followed in one chart at most.
const STEPS_MAX: usize = 200_000;
/// Parentheses inside parentheses at most.
const NESTED_MAX: usize = 32;
/// Values that one text is made of at most.
const MADE_MAX: usize = 64;
/// Variables that are known in one place at most.
const VARIABLES_MAX: usize = 500;

/// What was found in all templates.
pub(super) struct Found {
    pub(super) uses: BTreeMap<String, BTreeSet<Use>>,
    pub(super) is_complete: bool,
}

/// A value: of what it is made, by paths from the root (`Values.image.tag`), each as it is or behind `@sha256:`.
#[derive(Clone, Debug)]
enum Value {
    Made(BTreeSet<(Rc<str>, Digits)>),
    Dict(Rc<BTreeMap<String, Value>>),
    List(Rc<Vec<Value>>),
}

/// Whether the algorithm of a digest was written before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Digits {
    AsTheyAre,
    BehindSha256,
}

/// Follows all files.
pub(super) fn uses(templates: &Templates<'_>) -> Found {
    let mut run = Run { templates, uses: BTreeMap::new(), steps: 0, includes: 0 };
    for file in &templates.files {
        let mut scope = Scope::of(Value::path(""));
        let open = run.body(file, &mut scope, &mut Line::default());
        run.note(&open, Use::Elsewhere);
    }
    Found { is_complete: run.steps < STEPS_MAX, uses: run.uses }
}

impl Value {
    fn path(path: &str) -> Self {
        Self::Made(BTreeSet::from([(path.into(), Digits::AsTheyAre)]))
    }

    fn nothing() -> Self {
        Self::Made(BTreeSet::new())
    }

    /// Everything it is made of.
    fn parts(&self, into: &mut BTreeSet<(Rc<str>, Digits)>) {
        match self {
            Self::Made(parts) => into.extend(parts.iter().take(MADE_MAX).cloned()),
            Self::Dict(dict) => dict.values().for_each(|value| value.parts(into)),
            Self::List(list) => list.iter().for_each(|value| value.parts(into)),
        }
    }

    fn union<'v>(values: impl IntoIterator<Item = &'v Self>) -> Self {
        let mut parts = BTreeSet::new();
        values.into_iter().for_each(|value| value.parts(&mut parts));
        Self::Made(parts)
    }

    /// What stands below it under a key.
    fn field(&self, key: &str) -> Self {
        match self {
            Self::Dict(dict) => dict.get(key).cloned().unwrap_or_else(Self::nothing),
            Self::List(list) => {
                Self::union(list.iter().map(|one| one.field(key)).collect::<Vec<_>>().iter())
            }
            Self::Made(parts) => {
                let below = |(path, digits): &(Rc<str>, Digits)| {
                    let path =
                        if path.is_empty() { key.into() } else { format!("{path}.{key}").into() };
                    (path, *digits)
                };
                Self::Made(parts.iter().filter(|(path, _)| path.len() < 400).map(below).collect())
            }
        }
    }

    fn fields(&self, chain: &str) -> Self {
        let keys = chain.split('.').filter(|key| !key.is_empty());
        keys.fold(self.clone(), |value, key| value.field(key))
    }
}

/// The dot, the root and the variables of a body.
#[derive(Clone)]
struct Scope {
    dot: Value,
    variables: HashMap<String, Value>,
}

impl Scope {
    fn of(dot: Value) -> Self {
        let variables = HashMap::from([("$".to_owned(), dot.clone())]);
        Self { dot, variables }
    }

    fn inside(&self, dot: Value) -> Self {
        Self { dot, variables: self.variables.clone() }
    }

    /// What a block changed of variables that were there before.
    fn take_back(&mut self, inner: &Self) {
        for (name, value) in &mut self.variables {
            if let Some(new) = inner.variables.get(name)
                && name != "$"
            {
                *value = join(value, new);
            }
        }
    }
}

/// Either of two values, for either branch may have been taken.
fn join(one: &Value, other: &Value) -> Value {
    match (one, other) {
        (Value::Dict(dict), Value::Made(none)) | (Value::Made(none), Value::Dict(dict))
            if none.is_empty() =>
        {
            Value::Dict(dict.clone())
        }
        (Value::Dict(a), Value::Dict(b)) => {
            let mut both = a.as_ref().clone();
            for (key, value) in b.iter() {
                let joined =
                    both.get(key).map_or_else(|| value.clone(), |known| join(known, value));
                both.insert(key.clone(), joined);
            }
            Value::Dict(Rc::new(both))
        }
        (Value::Made(_) | Value::List(_), Value::Made(_) | Value::Dict(_) | Value::List(_))
        | (Value::Dict(_), Value::Made(_) | Value::List(_)) => Value::union([one, other]),
    }
}

struct Run<'a, 't> {
    templates: &'a Templates<'t>,
    uses: BTreeMap<String, BTreeSet<Use>>,
    steps: usize,
    includes: usize,
}

impl<'t> Run<'_, 't> {
    fn note(&mut self, value: &Value, use_: Use) {
        let mut parts = BTreeSet::new();
        value.parts(&mut parts);
        for (path, digits) in parts {
            let Some(path) = path.strip_prefix("Values.") else { continue };
            let use_ =
                if digits == Digits::BehindSha256 && use_ == Use::Image { Use::Hex } else { use_ };
            self.uses.entry(path.to_owned()).or_default().insert(use_);
        }
    }

    fn is_spent(&mut self) -> bool {
        self.steps += 1;
        self.steps >= STEPS_MAX
    }

    /// Follows a body; answers what it writes without saying where.
    fn body(&mut self, nodes: &[Node<'t>], scope: &mut Scope, line: &mut Line) -> Value {
        let mut open = Value::nothing();
        for node in nodes {
            if self.is_spent() {
                break;
            }
            match node {
                Node::Text(text) => line.text(text),
                Node::Action(tokens) => {
                    let Some(value) = self.action(tokens, scope) else { continue };
                    match line.place() {
                        Place::Into(use_) => self.note(&value, use_),
                        Place::Open => open = Value::union([&open, &value]),
                    }
                    line.output();
                }
                Node::Block { kind, head, body, other } => {
                    let written = self.block(*kind, head, body, other, scope, line);
                    open = Value::union([&open, &written]);
                }
            }
        }
        open
    }

    fn block(
        &mut self,
        kind: Block,
        head: &[Token<'t>],
        body: &[Node<'t>],
        other: &[Node<'t>],
        scope: &mut Scope,
        line: &mut Line,
    ) -> Value {
        let mut inner = scope.clone();
        let (names, expression) = assigned(head);
        let value = self.pipeline(expression, &inner, 0);
        let dots = match (kind, &value) {
            (Block::If, _) => vec![scope.dot.clone()],
            (Block::With, _) => vec![value.clone()],
            (Block::Range, Value::List(list)) => list.iter().take(MADE_MAX).cloned().collect(),
            (Block::Range, Value::Dict(dict)) => dict.values().take(MADE_MAX).cloned().collect(),
            (Block::Range, Value::Made(_)) => vec![value.field("*")],
        };
        let mut written = Value::nothing();
        for dot in dots {
            let bound = if kind == Block::Range { &dot } else { &value };
            if let Some(name) = names.last() {
                inner.variables.insert(name.clone(), bound.clone());
            }
            let mut own = inner.inside(dot);
            written = Value::union([&written, &self.body(body, &mut own, line)]);
            scope.take_back(&own);
        }
        let mut own = scope.clone();
        written = Value::union([&written, &self.body(other, &mut own, &mut line.clone())]);
        scope.take_back(&own);
        written
    }

    /// What an action writes; nothing where it writes nothing.
    fn action(&mut self, tokens: &[Token<'t>], scope: &mut Scope) -> Option<Value> {
        let (names, expression) = assigned(tokens);
        let value = self.pipeline(expression, scope, 0);
        let Some(name) = names.last() else { return Some(value) };
        let is_new = matches!(tokens, [Token::Word(_), Token::Assign, ..])
            && !scope.variables.contains_key(name);
        let value = match scope.variables.get(name) {
            // `=` in a branch that may not be taken leaves the old one possible.
            Some(old) if !is_new => join(old, &value),
            Some(_) | None => value,
        };
        if scope.variables.len() >= VARIABLES_MAX && is_new {
            // What it would hold is lost, and with it where that goes.
            self.steps = STEPS_MAX;
            return None;
        }
        scope.variables.insert(name.clone(), value);
        None
    }

    fn pipeline(&mut self, tokens: &[Token<'t>], scope: &Scope, depth: usize) -> Value {
        if depth > NESTED_MAX || self.is_spent() {
            return Value::nothing();
        }
        let mut piped = None;
        for command in split_at_pipes(tokens) {
            piped = Some(self.command(command, piped, scope, depth));
        }
        piped.unwrap_or_else(Value::nothing)
    }

    fn command(
        &mut self,
        tokens: &[Token<'t>],
        piped: Option<Value>,
        scope: &Scope,
        depth: usize,
    ) -> Value {
        let (function, rest) = match tokens.split_first() {
            Some((Token::Word(word), rest)) if is_function(word) => (*word, rest),
            Some(_) => ("", tokens),
            None => return piped.unwrap_or_else(Value::nothing),
        };
        let mut words = Vec::new();
        let mut values = self.operands(rest, scope, depth, &mut words);
        if let Some(piped) = piped {
            values.push(piped);
            words.push(None);
        }
        if function.is_empty() {
            Value::union(&values[..]).or_only(values)
        } else {
            self.call(function, &words, &values)
        }
    }

    /// The values of words and parentheses, and the texts that stand there as they are.
    fn operands(
        &mut self,
        tokens: &[Token<'t>],
        scope: &Scope,
        depth: usize,
        words: &mut Vec<Option<&'t str>>,
    ) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let mut text = None;
            let value = match &tokens[at] {
                Token::Open => {
                    let end = closing(tokens, at);
                    let inner = tokens.get(at + 1..end).unwrap_or_default();
                    at = end;
                    let mut value = self.pipeline(inner, scope, depth + 1);
                    // `(.b).c`
                    if let Some(Token::Word(chain)) = tokens.get(at + 1)
                        && chain.starts_with('.')
                        && chain.len() > 1
                    {
                        at += 1;
                        value = value.fields(chain);
                    }
                    value
                }
                Token::Word(word) => {
                    if is_function(word) {
                        self.call(word, &[], &[])
                    } else {
                        read(word, scope)
                    }
                }
                Token::Text(written) => {
                    text = Some(*written);
                    Value::nothing()
                }
                Token::Close | Token::Pipe | Token::Assign | Token::Comma => Value::nothing(),
            };
            values.push(value);
            words.push(text);
            at += 1;
        }
        values
    }

    fn call(&mut self, function: &str, words: &[Option<&'t str>], values: &[Value]) -> Value {
        let word = |at: usize| words.get(at).copied().flatten();
        match function {
            "include" | "template" => self.include(word(0), values.get(1)),
            "dict" => {
                let pairs = values.iter().enumerate().skip(1).step_by(2);
                let named =
                    pairs.filter_map(|(at, value)| Some((word(at - 1)?.to_owned(), value.clone())));
                Value::Dict(Rc::new(named.collect()))
            }
            "list" | "tuple" => Value::List(Rc::new(values.to_vec())),
            "append" | "prepend" | "concat" => {
                let lists = values.iter().flat_map(|value| match value {
                    Value::List(list) => list.as_ref().clone(),
                    other @ (Value::Made(_) | Value::Dict(_)) => vec![other.clone()],
                });
                Value::List(Rc::new(lists.collect()))
            }
            "first" | "last" => values.last().map_or_else(Value::nothing, |list| match list {
                Value::List(list) => Value::union(list.iter()),
                other @ (Value::Made(_) | Value::Dict(_)) => other.field("*"),
            }),
            "index" | "get" => {
                let keys = (1..values.len()).map(|at| word(at).unwrap_or("*"));
                keys.fold(values.first().cloned().unwrap_or_else(Value::nothing), |value, key| {
                    value.fields(key)
                })
            }
            "dig" => {
                let keys = (0..values.len().saturating_sub(2)).map(|at| word(at).unwrap_or("*"));
                keys.fold(values.last().cloned().unwrap_or_else(Value::nothing), |value, key| {
                    value.field(key)
                })
            }
            "printf" => printf(word(0).unwrap_or_default(), values.get(1..).unwrap_or_default()),
            "semverCompare" | "semver" => {
                self.note(&Value::union(values), Use::Compared);
                Value::nothing()
            }
            "merge" | "mustMerge" | "mergeOverwrite" | "mustMergeOverwrite" | "coalesce"
            | "default" | "or" | "and" | "deepCopy" | "ternary" | "required" => {
                values.iter().cloned().reduce(|a, b| join(&a, &b)).unwrap_or_else(Value::nothing)
            }
            // What these answer says nothing of the text itself.
            "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "not" | "empty" | "hasKey" | "contains"
            | "hasPrefix" | "hasSuffix" | "kindIs" | "kindOf" | "typeIs" | "len" | "regexMatch"
            | "lookup" | "fail" | "sha256sum" | "sha1sum" | "adler32sum" | "keys" | "set"
            | "unset" | "fromYaml" | "has" => Value::nothing(),
            _ => Value::union(values),
        }
    }

    fn include(&mut self, name: Option<&str>, context: Option<&Value>) -> Value {
        let context = context.cloned().unwrap_or_else(Value::nothing);
        let Some(body) = name.and_then(|name| self.templates.defines.get(name)) else {
            return elsewhere(name.unwrap_or_default(), &context);
        };
        if self.includes >= INCLUDES_MAX {
            // Whatever it would write is not known.
            self.steps = STEPS_MAX;
            return Value::nothing();
        }
        self.includes += 1;
        let written = self.body(body, &mut Scope::of(context), &mut Line::default());
        self.includes -= 1;
        written
    }
}

/// What a template of another chart writes, where it is known.
/// Source: bitnami/common, templates/_images.tpl, `common.images.image`.
fn elsewhere(name: &str, context: &Value) -> Value {
    let Some(root) = name.ends_with("images.image").then(|| context.field("imageRoot")) else {
        return Value::union([context]);
    };
    let keys = ["registry", "repository", "tag", "digest"].map(|key| root.field(key));
    Value::union(keys.iter())
}

/// `%s@sha256:%s`: which of the values stands behind the algorithm.
fn printf(format: &str, values: &[Value]) -> Value {
    let mut pieces = format.split('%').collect::<Vec<_>>();
    pieces.truncate(values.len() + 1);
    let mut all = Vec::new();
    for (at, value) in values.iter().enumerate() {
        let before = pieces.get(at).copied().unwrap_or_default();
        let value = Value::union([value]);
        all.push(match value {
            Value::Made(parts) if before.ends_with("@sha256:") => Value::Made(
                parts.into_iter().map(|(path, _)| (path, Digits::BehindSha256)).collect(),
            ),
            Value::Made(_) | Value::Dict(_) | Value::List(_) => value,
        });
    }
    Value::union(all.iter())
}

impl Value {
    /// The one value itself, so that it can be gone into; else this.
    fn or_only(self, mut values: Vec<Self>) -> Self {
        if values.len() == 1 { values.swap_remove(0) } else { self }
    }
}

fn is_function(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && !matches!(word, "true" | "false" | "nil")
}

/// `.a.b`, `$.a`, `$x.a`, or a number.
fn read(word: &str, scope: &Scope) -> Value {
    if let Some(chain) = word.strip_prefix('.') {
        return scope.dot.fields(chain);
    }
    if word.starts_with('$') {
        let (name, chain) = word.split_once('.').unwrap_or((word, ""));
        return scope.variables.get(name).map_or_else(Value::nothing, |value| value.fields(chain));
    }
    Value::nothing()
}

/// The variables that an action sets, and the rest of it.
fn assigned<'a, 't>(tokens: &'a [Token<'t>]) -> (Vec<String>, &'a [Token<'t>]) {
    let head = tokens.iter().take(4).position(|token| *token == Token::Assign);
    let is_name = |token: &Token<'_>| {
        matches!(token, Token::Comma) || matches!(token, Token::Word(word) if word.starts_with('$'))
    };
    match head {
        Some(at) if tokens[..at].iter().all(is_name) => {
            let names = tokens[..at].iter().filter_map(|token| match token {
                Token::Word(word) => Some((*word).to_owned()),
                Token::Text(_)
                | Token::Open
                | Token::Close
                | Token::Pipe
                | Token::Assign
                | Token::Comma => None,
            });
            (names.collect(), &tokens[at + 1..])
        }
        Some(_) | None => (Vec::new(), tokens),
    }
}

/// The commands of a pipeline; pipes in parentheses are theirs.
fn split_at_pipes<'a, 't>(tokens: &'a [Token<'t>]) -> Vec<&'a [Token<'t>]> {
    let (mut all, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            Token::Pipe if depth == 0 => {
                all.push(&tokens[start..at]);
                start = at + 1;
            }
            Token::Pipe | Token::Word(_) | Token::Text(_) | Token::Assign | Token::Comma => {}
        }
    }
    all.push(&tokens[start..]);
    all
}

/// Where the parenthesis closes that opens at `at`.
fn closing(tokens: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0_usize;
    for (end, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            Token::Word(_) | Token::Text(_) | Token::Pipe | Token::Assign | Token::Comma => {}
        }
        if depth == 0 {
            return end;
        }
    }
    tokens.len()
}
