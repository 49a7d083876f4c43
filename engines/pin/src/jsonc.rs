//! JSON, also with comments and trailing commas, with the bytes of every string.
//!
//! ```text
//! {"image": "shop/api:1.4", /* why */ }   ->   an object whose `image` is a literal at 10..24
//! ```
//! The scanner and the parser are `jsonc-parser`; how deep they may go is bounded here, before they begin.

use crate::gather::Literal;
use crate::scan::{ScanError, broken};
use crate::yaml::{DEPTH_MAX, Mark, Shape};
use jsonc_parser::ast::{ObjectPropName, StringLit, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::tokens::Token;
use jsonc_parser::{CollectOptions, ParseOptions, Scanner, ScannerOptions, parse_to_ast};
use std::borrow::Cow;
use std::ops::Range;

/// A text that was read; nothing where it holds no value.
pub(crate) struct Json<'t> {
    pub(crate) root: Option<Value<'t>>,
    base: usize,
}

/// Reads a text.
pub(crate) fn read(text: &str) -> Result<Json<'_>, ScanError> {
    let (base, body) = without_mark(text);
    tokens(text, |_, _| {})?;
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(body, &CollectOptions::default(), &options)
        .map_err(|error| broken(text, base + error.range().start, &error.kind().to_string()))?;
    Ok(Json { root: parsed.value, base })
}

/// Every token but the comments: what must stay the same across an edit.
pub(crate) fn marks(text: &str) -> Result<Vec<Mark<'_>>, ScanError> {
    read(text)?;
    let mut all = Vec::new();
    tokens(text, |token, span| {
        let value: Cow<'_, str> = match token {
            Token::String(value) => value,
            Token::CommentLine(_) | Token::CommentBlock(_) => return,
            Token::OpenBrace
            | Token::CloseBrace
            | Token::OpenBracket
            | Token::CloseBracket
            | Token::Comma
            | Token::Colon
            | Token::Word(_)
            | Token::Boolean(_)
            | Token::Number(_)
            | Token::Null => Cow::Borrowed(text.get(span.clone()).unwrap_or_default()),
        };
        let is_quoted = text[span.start..].starts_with('"');
        let shape = if is_quoted { Shape::Scalar } else { Shape::Sequence };
        all.push(Mark { shape, value, span, is_exact: true, is_anchored: false });
    })?;
    Ok(all)
}

/// Hands every token on; stops where brackets nest too deep for a parser that calls itself.
fn tokens<'t>(
    text: &'t str,
    mut each: impl FnMut(Token<'t>, Range<usize>),
) -> Result<(), ScanError> {
    let (base, body) = without_mark(text);
    let options = ScannerOptions {
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let mut scanner = Scanner::new(body, &options);
    let mut depth = 0_usize;
    loop {
        let token = scanner
            .scan()
            .map_err(|error| broken(text, base + error.range().start, &error.kind().to_string()))?;
        let Some(token) = token else {
            return Ok(());
        };
        let span = base + scanner.token_start()..base + scanner.token_end();
        match token {
            Token::OpenBrace | Token::OpenBracket => depth += 1,
            Token::CloseBrace | Token::CloseBracket => depth = depth.saturating_sub(1),
            Token::Comma
            | Token::Colon
            | Token::String(_)
            | Token::Word(_)
            | Token::Boolean(_)
            | Token::Number(_)
            | Token::Null
            | Token::CommentLine(_)
            | Token::CommentBlock(_) => {}
        }
        if depth > DEPTH_MAX {
            let what = format!("it nests deeper than {DEPTH_MAX} levels");
            return Err(broken(text, span.start, &what));
        }
        each(token, span);
    }
}

fn without_mark(text: &str) -> (usize, &str) {
    text.strip_prefix('\u{feff}').map_or((0, text), |body| (3, body))
}

impl Json<'_> {
    /// A string as a place.
    pub(crate) fn literal(&self, string: &StringLit<'_>) -> Literal {
        let token = self.base + string.range.start..self.base + string.range.end;
        Literal {
            inner: token.start + 1..token.end - 1,
            token,
            value: string.value.as_ref().to_owned(),
        }
    }

    /// The name of a property as a place.
    pub(crate) fn name(&self, name: &ObjectPropName<'_>) -> Literal {
        let range = name.range();
        let token = self.base + range.start..self.base + range.end;
        Literal { inner: token.start + 1..token.end - 1, token, value: name.as_str().to_owned() }
    }
}

/// Hands on every string that a key holds, with the way to it and where the object begins that holds it.
///
/// Lists are no steps of a way.
pub(crate) fn walk(
    text: &str,
    visit: &mut dyn FnMut(&[&str], Literal, usize),
) -> Result<(), ScanError> {
    let json = read(text)?;
    if let Some(root) = &json.root {
        descend(&json, root, &mut Vec::new(), 0, visit);
    }
    Ok(())
}

/// Calls itself at most [`DEPTH_MAX`] times: `read` refuses what is deeper.
fn descend<'a>(
    json: &Json<'_>,
    value: &'a Value<'_>,
    path: &mut Vec<&'a str>,
    owner: usize,
    visit: &mut dyn FnMut(&[&str], Literal, usize),
) {
    match value {
        Value::Object(object) => {
            for property in &object.properties {
                path.push(property.name.as_str());
                descend(json, &property.value, path, object.range.start, visit);
                path.pop();
            }
        }
        Value::Array(list) => {
            for value in &list.elements {
                descend(json, value, path, owner, visit);
            }
        }
        Value::StringLit(string) => visit(path, json.literal(string), owner),
        Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {}
    }
}

/// What stands under a name of an object, each time that it does.
pub(crate) fn values<'a, 't>(
    value: Option<&'a Value<'t>>,
    name: &'a str,
) -> impl Iterator<Item = &'a Value<'t>> {
    let object = value.and_then(Value::as_object);
    object
        .into_iter()
        .flat_map(|object| &object.properties)
        .filter(move |property| property.name.as_str() == name)
        .map(|property| &property.value)
}

/// The first string under a name.
pub(crate) fn text_of(value: &Value<'_>, name: &str) -> Option<String> {
    let mut all = values(Some(value), name).filter_map(Value::as_string_lit);
    all.next().map(|string| string.value.as_ref().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_nest_so_deep_and_no_deeper() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        assert!(read(&nested(DEPTH_MAX + 1)).is_err());
        assert!(read(&"{\"a\":".repeat(1_000_000)).is_err());
    }

    #[test]
    fn a_mark_before_the_text_moves_every_place() {
        let text = "\u{feff}{\"a\": \"b/c:1\",}";
        let json = read(text).expect("it is read");
        let value = values(json.root.as_ref(), "a").next().and_then(Value::as_string_lit);
        let literal = json.literal(value.expect("it is a string"));
        assert_eq!(&text[literal.inner], "b/c:1");
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for text in ["{'a': 1}", "{a: 1}", "[1 2]", "{\"a\"}", "[1", "{} {}", "\"\\x41\""] {
            assert!(read(text).is_err(), "{text}");
        }
        let error = read("{\n  \"a\": }").err().map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.starts_with("line 2, column")));
    }
}
