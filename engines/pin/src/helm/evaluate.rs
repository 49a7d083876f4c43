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
use super::value::{Digits, MADE_MAX, Scope, Value, elsewhere, join, printf, read};
use super::words::{assigned, closing, is_function, split_at_pipes};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Includes inside includes at most.
const INCLUDES_MAX: usize = 24;
/// Nodes and words that are followed in one chart at most.
const STEPS_MAX: usize = 200_000;
/// Parentheses inside parentheses at most.
const NESTED_MAX: usize = 32;
/// Variables that are known in one place at most.
const VARIABLES_MAX: usize = 500;

/// What was found in all templates.
pub(super) struct Found {
    pub(super) uses: BTreeMap<String, BTreeSet<Use>>,
    pub(super) is_complete: bool,
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
            Some(old) if !is_new => self.bounded(join(old, &value)),
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
        let value = self.piped(tokens, scope, depth);
        self.bounded(value)
    }

    /// A value that shares its parts again and again is larger than it looks: what it holds is lost then.
    fn bounded(&mut self, value: Value) -> Value {
        if value.is_bounded() {
            return value;
        }
        self.steps = STEPS_MAX;
        Value::nothing()
    }

    fn piped(&mut self, tokens: &[Token<'t>], scope: &Scope, depth: usize) -> Value {
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
