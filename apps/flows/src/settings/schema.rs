//! The JSON Schema of `indelible.yaml`, from the same definitions that read it.
//!
//! ```text
//! { "properties": { "version": …, "environments": … }, "additionalProperties": false }
//! ```
//! An editor checks and completes with it. What it accepts is read here too, but for what values mean together.

use super::ordered::Ordered;
use super::wire::File;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use std::borrow::Cow;
use tagging::scheme::SCHEME_NAMES;

/// The schema, in the dialect of 2020-12.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schema_for!(File);
    schema.insert("title".to_owned(), "indelible.yaml".into());
    schema.to_value()
}

impl<K, V: JsonSchema> JsonSchema for Ordered<K, V> {
    fn schema_name() -> Cow<'static, str> {
        format!("MapOf{}", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<V>() })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Schemes: names, templates, or maps with what a scheme can be told.
pub(super) fn schemes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "anyOf": [
            { "type": "string", "examples": SCHEME_NAMES },
            {
                "type": "object",
                "properties": {
                    "scheme": { "enum": SCHEME_NAMES },
                    "length": { "type": "integer" },
                    "prefix": { "type": "string" },
                    "width": { "type": "integer" },
                },
                "required": ["scheme"],
                "additionalProperties": false,
            },
        ] },
    })
}

/// The classes of tags.
pub(super) fn tag_class(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["immutable", "append", "alias"] })
}
