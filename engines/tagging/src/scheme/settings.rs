//! A scheme in the settings: a text, or a map where it has options.
//!
//! ```yaml
//! tags: [timestamp-env, "{date}-{sha12}", {scheme: sha, length: 7, prefix: ""}, {scheme: date-build, width: 4}]
//! ```

use super::{CounterWidth, Scheme, SchemeTextError, Sha};
use serde::de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    scheme: String,
    length: Option<usize>,
    prefix: Option<String>,
    width: Option<usize>,
}

impl Options {
    fn into_scheme(self) -> Result<Scheme, SchemeTextError> {
        let has_no = |option| SchemeTextError::Option { scheme: self.scheme.clone(), option };
        let scheme: Scheme = self.scheme.parse()?;
        let refused = match &scheme {
            Scheme::Sha(_) => self.width.map(|_| "width"),
            Scheme::DateBuild(_) => {
                self.length.map(|_| "length").or(self.prefix.as_ref().map(|_| "prefix"))
            }
            Scheme::TimestampEnv
            | Scheme::Timestamp
            | Scheme::Semver
            | Scheme::SemverSha
            | Scheme::DateSha
            | Scheme::Template(_) => self
                .length
                .map(|_| "length")
                .or(self.prefix.as_ref().map(|_| "prefix"))
                .or(self.width.map(|_| "width")),
        };
        if let Some(option) = refused {
            return Err(has_no(option));
        }
        Ok(match scheme {
            Scheme::Sha(default) => {
                let digits = self.length.unwrap_or(default.digits());
                let prefix = self.prefix.as_deref().unwrap_or(default.prefix());
                Scheme::Sha(Sha::new(digits, prefix)?)
            }
            Scheme::DateBuild(default) => {
                Scheme::DateBuild(CounterWidth::new(self.width.unwrap_or(default.digits()))?)
            }
            plain @ (Scheme::TimestampEnv
            | Scheme::Timestamp
            | Scheme::Semver
            | Scheme::SemverSha
            | Scheme::DateSha
            | Scheme::Template(_)) => plain,
        })
    }
}

struct SchemeVisitor;

impl<'de> Visitor<'de> for SchemeVisitor {
    type Value = Scheme;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tag scheme such as timestamp-env, or a map such as {scheme: sha, length: 7}")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Scheme, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Scheme, M::Error> {
        Options::deserialize(MapAccessDeserializer::new(map))?
            .into_scheme()
            .map_err(M::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Scheme {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SchemeVisitor)
    }
}

impl Serialize for Scheme {
    /// The text where the options are the defaults, else the map.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Sha(sha) if *sha != Sha::default() => {
                let mut map = serializer.serialize_map(Some(3))?;
                map.serialize_entry("scheme", self.name())?;
                map.serialize_entry("length", &sha.digits())?;
                map.serialize_entry("prefix", sha.prefix())?;
                map.end()
            }
            Self::DateBuild(width) if *width != CounterWidth::default() => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("scheme", self.name())?;
                map.serialize_entry("width", &width.digits())?;
                map.end()
            }
            Self::TimestampEnv
            | Self::Timestamp
            | Self::Sha(_)
            | Self::Semver
            | Self::SemverSha
            | Self::DateBuild(_)
            | Self::DateSha
            | Self::Template(_) => serializer.collect_str(self),
        }
    }
}
