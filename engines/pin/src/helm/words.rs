//! The words of an action: what it sets, its commands, its parentheses.
//!
//! ```text
//! $a, $b := (f .x) | g   ->  sets $a and $b; commands `(f .x)` and `g`
//! ```

use super::template::Token;

/// Whether a word calls something.
pub(super) fn is_function(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && !matches!(word, "true" | "false" | "nil")
}

/// The variables that an action sets, and the rest of it.
pub(super) fn assigned<'a, 't>(tokens: &'a [Token<'t>]) -> (Vec<String>, &'a [Token<'t>]) {
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
pub(super) fn split_at_pipes<'a, 't>(tokens: &'a [Token<'t>]) -> Vec<&'a [Token<'t>]> {
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
pub(super) fn closing(tokens: &[Token<'_>], at: usize) -> usize {
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
