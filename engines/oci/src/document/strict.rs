//! One pass over JSON that refuses what two parsers could read differently.
//!
//! ```text
//! {"a":1,"a":2}            duplicate key: Go takes the last, others the first
//! {"a":1,"\u0061":2}       the same key, spelled twice
//! {"Layers":[]}            Go reads it as `layers`, most others do not
//! {"a":1} x                bytes after the document
//! ```
//! Builds nothing: memory is bounded by the keys of the objects that are open.

use super::DocumentError;
use crate::limit::{JSON_DEPTH_MAX, JSON_KEYS_MAX};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// Checks that the bytes are one JSON value, in one reading only.
///
/// # Errors
/// No UTF-8, a byte-order mark, a duplicate key, nesting, too many keys, bytes after the value, or no JSON.
pub(super) fn check(bytes: &[u8]) -> Result<(), DocumentError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|wrong| DocumentError::NotUtf8 { offset: wrong.valid_up_to() })?;
    if text.starts_with('\u{feff}') {
        return Err(DocumentError::ByteOrderMark);
    }
    let mut json = serde_json::Deserializer::from_str(text);
    Once { depth: 0 }
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|wrong| DocumentError::Json { reason: wrong.to_string() })
}

/// Checks that a key which a case-blind parser takes for one of ours is exactly ours.
///
/// Go's `encoding/json` matches keys under Unicode simple folding, which takes `ſ` for `s` and the Kelvin
/// sign for `k`. Source: Go `encoding/json`, `foldName`.
pub(super) fn check_key(key: &str, known: &[&'static str]) -> Result<(), DocumentError> {
    if known.contains(&key) {
        return Ok(());
    }
    let folded: String = key
        .chars()
        .map(|c| match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            other => other.to_ascii_lowercase(),
        })
        .collect();
    match known.iter().find(|name| name.eq_ignore_ascii_case(&folded)) {
        None => Ok(()),
        Some(name) => {
            Err(DocumentError::KeyCase { found: key.chars().take(64).collect(), meant: name })
        }
    }
}

/// Reads one value and keeps nothing of it.
struct Once {
    depth: usize,
}

impl Once {
    fn inside<E: serde::de::Error>(&self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > JSON_DEPTH_MAX {
            return Err(E::custom(format_args!("nested deeper than {JSON_DEPTH_MAX}")));
        }
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Once {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while values.next_element_seed(self.inside::<A::Error>()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen: HashSet<Cow<'de, str>> = HashSet::new();
        while let Some(Key(key)) = entries.next_key()? {
            if seen.len() == JSON_KEYS_MAX {
                return Err(A::Error::custom(format_args!(
                    "an object with more than {JSON_KEYS_MAX} keys"
                )));
            }
            if seen.contains(&key) {
                let key: String = key.chars().take(64).collect();
                return Err(A::Error::custom(format_args!("duplicate key {key:?}")));
            }
            seen.insert(key);
            entries.next_value_seed(self.inside::<A::Error>()?)?;
        }
        Ok(())
    }
}

/// A key, borrowed where it holds no escape.
struct Key<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        json.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        check(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn one_reading_passes() {
        for text in ["{}", " {\"a\":[1,-2,0.5,true,null,\"x\"],\"b\":{\"a\":1}} \n", "[]", "1"] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_key_twice_is_refused_at_any_level_and_in_any_spelling() {
        for text in
            [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"{"x":[{"y":{"a":1,"b":2,"a":3}}]}"#]
        {
            assert!(refused(text).contains("duplicate key \"a\""), "{text}");
        }
    }

    #[test]
    fn nesting_is_read_64_deep_and_refused_at_65() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(nested(JSON_DEPTH_MAX).as_bytes()), Ok(()));
        assert!(refused(&nested(JSON_DEPTH_MAX + 1)).contains("nested deeper than 64"));
        let objects = |depth: usize| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
        assert_eq!(check(objects(JSON_DEPTH_MAX).as_bytes()), Ok(()));
        assert!(refused(&objects(JSON_DEPTH_MAX + 1)).contains("nested deeper than 64"));
        assert!(refused(&"[".repeat(1_000_000)).contains("nested deeper than 64"));
    }

    #[test]
    fn an_object_has_10000_keys_and_not_one_more() {
        let object = |keys: usize| {
            let entries: Vec<String> = (0..keys).map(|key| format!("\"{key}\":0")).collect();
            format!("{{{}}}", entries.join(","))
        };
        assert_eq!(check(object(JSON_KEYS_MAX).as_bytes()), Ok(()));
        assert!(refused(&object(JSON_KEYS_MAX + 1)).contains("more than 10000 keys"));
    }

    #[test]
    fn what_is_not_one_json_text_is_refused() {
        assert_eq!(check(b"\xef\xbb\xbf{}"), Err(DocumentError::ByteOrderMark));
        assert_eq!(check(b"{\"a\":\"\xff\"}"), Err(DocumentError::NotUtf8 { offset: 6 }));
        for text in [
            "",
            "{} {}",
            "{}x",
            "{}\0",
            "{",
            "{\"a\":}",
            "{'a':1}",
            "[1,]",
            "// c\n{}",
            "NaN",
            "\"\\ud800\"",
        ] {
            assert!(matches!(check(text.as_bytes()), Err(DocumentError::Json { .. })), "{text}");
        }
    }

    #[test]
    fn a_key_in_another_case_is_refused() {
        let known = ["layers", "mediaType", "K"];
        assert_eq!(check_key("layers", &known), Ok(()));
        assert_eq!(check_key("other", &known), Ok(()));
        for key in ["Layers", "LAYERS", "layer\u{17f}", "mediatype", "\u{212a}"] {
            assert!(check_key(key, &known).is_err(), "{key}");
        }
    }
}
