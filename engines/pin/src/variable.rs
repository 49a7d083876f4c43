//! Variables with a default: what a text says where nobody sets them.
//!
//! ```text
//! ${REGISTRY:-registry.example.com}/shop/api:${TAG-v1}  ->  registry.example.com/shop/api:v1
//! shop/api:${TAG:?say which}                            ->  shop/api:${TAG}
//! ```
//! Only asked to say whose place it is: what a variable writes is never edited.
//! Source: compose-spec, "Interpolation"; Dockerfile reference, "Environment replacement".

/// Defaults inside defaults at most; what lies deeper stays as it is written.
const DEPTH_MAX: usize = 8;

/// The text with every default in the place of its variable; nothing where no variable has words behind its name.
pub(crate) fn with_defaults(text: &str) -> Option<String> {
    let filled = fill(text, DEPTH_MAX);
    (filled != text).then_some(filled)
}

fn fill(text: &str, depth: usize) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, variable) = rest.split_at(at);
        filled.push_str(before);
        let Some(end) = closing(variable) else {
            rest = variable;
            break;
        };
        let (whole, behind) = variable.split_at(end + 1);
        let inside = &whole[2..end];
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = inside.len() - inside.trim_start_matches(is_name).len();
        let (name, words) = inside.split_at(name);
        match default_in(words) {
            _ if name.is_empty() || words.is_empty() => filled.push_str(whole),
            Some(default) if depth > 0 => filled.push_str(&fill(default, depth - 1)),
            Some(_) => filled.push_str(whole),
            // What stands there is an error's text, or a value for another case.
            None => {
                filled.push_str("${");
                filled.push_str(name);
                filled.push('}');
            }
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

/// What stands behind `:-`, `-`, `:=` or `=`.
fn default_in(words: &str) -> Option<&str> {
    let words = words.strip_prefix(':').unwrap_or(words);
    words.strip_prefix(['-', '='])
}

/// Where the brace closes that the text begins with, as `${`.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let bytes = text.as_bytes();
    for at in memchr::memchr2_iter(b'{', b'}', bytes) {
        match bytes[at] {
            b'{' if at > 0 && bytes[at - 1] == b'$' => open += 1,
            b'}' if open == 1 => return Some(at),
            b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_stand_in_the_place_of_their_variables() {
        let cases = [
            ("${IMAGE:-shop/api:v1}", "shop/api:v1"),
            ("${IMAGE-shop/api:v1}", "shop/api:v1"),
            ("${IMAGE:=shop/api:v1}", "shop/api:v1"),
            ("${REGISTRY:-r.example.com}/shop/api:${TAG-v1}", "r.example.com/shop/api:v1"),
            ("${A:-${B:-shop/api}:v1}", "shop/api:v1"),
            ("shop/api:${TAG:?say which}", "shop/api:${TAG}"),
            ("shop/api:${TAG:+x}", "shop/api:${TAG}"),
        ];
        for (text, expected) in cases {
            assert_eq!(with_defaults(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_has_no_default_stays() {
        for text in ["${IMAGE}", "$IMAGE", "shop/api:${TAG}", "${:-x}", "${A:-x", "a}b", ""] {
            assert_eq!(with_defaults(text), None, "{text}");
        }
    }

    #[test]
    fn so_many_defaults_are_taken_out_of_each_other_and_no_more() {
        let nested = |depth: usize| format!("{}x{}", "${A:-".repeat(depth), "}".repeat(depth));
        assert_eq!(with_defaults(&nested(DEPTH_MAX)).as_deref(), Some("x"));
        assert_eq!(with_defaults(&nested(DEPTH_MAX + 1)).as_deref(), Some("${A:-x}"));
    }
}
