//! The `Link` header that leads to the next page of a list.
//!
//! ```text
//! Link: </v2/shop/api/tags/list?n=2&last=v2>; rel="next"
//! ```
//! Source: RFC 8288; OCI distribution-spec 1.1, "Listing Tags".

/// The longest header that is read, in bytes.
const LINK_BYTES_MAX: usize = 8 << 10;

/// Writes the header for the next page.
#[must_use]
pub fn write_next(target: &str) -> String {
    format!("<{target}>; rel=\"next\"")
}

/// Finds the target of the next page; the values are those of all `Link` headers of the answer.
pub fn read_next<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let fitting = values.into_iter().filter(|value| value.len() <= LINK_BYTES_MAX);
    fitting.into_iter().find_map(next_of)
}

fn next_of(value: &str) -> Option<String> {
    let mut rest = value;
    // A target may hold commas and semicolons; only `<` and `>` end it.
    while let Some((_, after)) = rest.split_once('<') {
        let (target, parameters) = after.split_once('>')?;
        let end = find_outside_quotes(parameters, b',');
        if is_next(&parameters[..end]) {
            return Some(target.trim().to_owned());
        }
        rest = &parameters[end..];
    }
    None
}

/// Where that byte first stands outside of quotes, or the end.
fn find_outside_quotes(parameters: &str, wanted: u8) -> usize {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, byte) in parameters.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            found if found == wanted && !is_quoted => return at,
            _ => {}
        }
    }
    parameters.len()
}

fn is_next(parameters: &str) -> bool {
    let mut rest = parameters;
    while !rest.is_empty() {
        let end = find_outside_quotes(rest, b';');
        if is_next_relation(&rest[..end]) {
            return true;
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    false
}

fn is_next_relation(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    let relations = value.trim().trim_matches('"');
    name.trim().eq_ignore_ascii_case("rel")
        && relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let target = "/v2/shop/api/tags/list?n=2&last=v2";
        let written = write_next(target);
        assert_eq!(written, "</v2/shop/api/tags/list?n=2&last=v2>; rel=\"next\"");
        assert_eq!(read_next([written.as_str()]).as_deref(), Some(target));
    }

    #[test]
    fn the_next_link_is_found_among_others() {
        for (value, expected) in [
            ("</a>; rel=next", Some("/a")),
            ("</a>;REL=\"NEXT\"", Some("/a")),
            ("</a>; rel=\"prev\", </b,c;d>; rel=\"next\"", Some("/b,c;d")),
            ("</a>; title=\"x, <no>; rel=next\"; rel=\"prev\", </b>; rel=\"next\"", Some("/b")),
            ("</a>; rel=\"first next\"", Some("/a")),
            ("<https://r.example/v2/x?n=1>; rel=\"next\"", Some("https://r.example/v2/x?n=1")),
            ("</a>; rel=\"prev\"", None),
            ("</a>", None),
            ("</a; rel=\"next\"", None),
            ("", None),
        ] {
            assert_eq!(read_next([value]).as_deref(), expected, "{value}");
        }
        assert_eq!(read_next(["</a>; rel=prev", "</b>; rel=next"]).as_deref(), Some("/b"));
    }

    #[test]
    fn a_header_is_read_at_8_kib_and_passed_over_above() {
        let of_length = |length: usize| write_next(&"x".repeat(length - "<>; rel=\"next\"".len()));
        assert!(read_next([of_length(LINK_BYTES_MAX).as_str()]).is_some());
        assert!(read_next([of_length(LINK_BYTES_MAX + 1).as_str()]).is_none());
    }
}
