//! HCL, the language of Terraform, OpenTofu and Nomad, as values with the way to each.
//!
//! ```text
//! resource "docker_container" "web" {
//!   image = "shop/web:1.4"          resource docker_container web image  ->  a literal at 49..63
//! }
//! ```
//! The reader is ours: one pass, no call of itself, nothing evaluated. Before an edit `hcl-edit`, which was not
//! written here, must see the same strings in the same bytes.
//! Source: HCL native syntax specification.

mod lexer;
mod oracle;
mod walk;

pub(crate) use walk::{Leaf, Value, walk};

use crate::scan::ScanError;
use crate::yaml::{Mark, Shape};
use lexer::{Kind, lex};
use std::borrow::Cow;

/// Every token: what must stay the same across an edit. Both readers must agree.
pub(crate) fn marks(text: &str) -> Result<Vec<Mark<'_>>, ScanError> {
    let tokens = lex(text)?;
    walk::walk_tokens(text, &tokens, &mut |_, _| {})?;
    oracle::agree(text, &tokens)?;
    let mark = |token: &lexer::Token| {
        let span = token.span();
        let value = Cow::Borrowed(text.get(token.inner()).unwrap_or_default());
        let shape = match token.kind {
            Kind::Text { .. } => Shape::Scalar,
            Kind::Heredoc | Kind::Name | Kind::Number | Kind::Sign(_) | Kind::Break => {
                Shape::Sequence
            }
        };
        Mark { shape, value, span, is_exact: true, is_anchored: false }
    };
    Ok(tokens.iter().map(mark).collect())
}
