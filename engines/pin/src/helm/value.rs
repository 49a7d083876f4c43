//! What a value in a template is made of, and what the names in a body stand for.
//!
//! ```text
//! .Values.image.tag | default .Chart.AppVersion   ->  made of Values.image.tag and Chart.AppVersion
//! dict "root" .Values.image                       ->  root: Values.image
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// Values that one text is made of at most.
pub(super) const MADE_MAX: usize = 64;

/// Values inside of one value at most, a shared one counted each time.
const PARTS_MAX: usize = 4_096;

/// A value: of what it is made, by paths from the root (`Values.image.tag`), each as it is or behind `@sha256:`.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Made(BTreeSet<(Rc<str>, Digits)>),
    Dict(Rc<BTreeMap<String, Value>>),
    List(Rc<Vec<Value>>),
}

/// Whether the algorithm of a digest was written before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Digits {
    AsTheyAre,
    BehindSha256,
}

impl Value {
    pub(super) fn path(path: &str) -> Self {
        Self::Made(BTreeSet::from([(path.into(), Digits::AsTheyAre)]))
    }

    pub(super) fn nothing() -> Self {
        Self::Made(BTreeSet::new())
    }

    /// Whether it has so few parts, each counted as often as it stands in it, that they can be walked.
    pub(super) fn is_bounded(&self) -> bool {
        self.fits(&mut { PARTS_MAX })
    }

    fn fits(&self, left: &mut usize) -> bool {
        let Some(rest) = left.checked_sub(1) else { return false };
        *left = rest;
        match self {
            Self::Made(_) => true,
            Self::Dict(dict) => dict.values().all(|value| value.fits(left)),
            Self::List(list) => list.iter().all(|value| value.fits(left)),
        }
    }

    /// Everything it is made of.
    pub(super) fn parts(&self, into: &mut BTreeSet<(Rc<str>, Digits)>) {
        match self {
            Self::Made(parts) => into.extend(parts.iter().take(MADE_MAX).cloned()),
            Self::Dict(dict) => dict.values().for_each(|value| value.parts(into)),
            Self::List(list) => list.iter().for_each(|value| value.parts(into)),
        }
    }

    pub(super) fn union<'v>(values: impl IntoIterator<Item = &'v Self>) -> Self {
        let mut parts = BTreeSet::new();
        values.into_iter().for_each(|value| value.parts(&mut parts));
        Self::Made(parts)
    }

    /// What stands below it under a key.
    pub(super) fn field(&self, key: &str) -> Self {
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

    pub(super) fn fields(&self, chain: &str) -> Self {
        let keys = chain.split('.').filter(|key| !key.is_empty());
        keys.fold(self.clone(), |value, key| value.field(key))
    }
}

impl Value {
    /// The one value itself, so that it can be gone into; else this.
    pub(super) fn or_only(self, mut values: Vec<Self>) -> Self {
        if values.len() == 1 { values.swap_remove(0) } else { self }
    }
}

/// The dot, the root and the variables of a body.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) dot: Value,
    pub(super) variables: HashMap<String, Value>,
}

impl Scope {
    pub(super) fn of(dot: Value) -> Self {
        let variables = HashMap::from([("$".to_owned(), dot.clone())]);
        Self { dot, variables }
    }

    pub(super) fn inside(&self, dot: Value) -> Self {
        Self { dot, variables: self.variables.clone() }
    }

    /// What a block changed of variables that were there before.
    pub(super) fn take_back(&mut self, inner: &Self) {
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
pub(super) fn join(one: &Value, other: &Value) -> Value {
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

/// What a template of another chart writes, where it is known.
/// Source: bitnami/common, templates/_images.tpl, `common.images.image`.
pub(super) fn elsewhere(name: &str, context: &Value) -> Value {
    let Some(root) = name.ends_with("images.image").then(|| context.field("imageRoot")) else {
        return Value::union([context]);
    };
    let keys = ["registry", "repository", "tag", "digest"].map(|key| root.field(key));
    Value::union(keys.iter())
}

/// `%s@sha256:%s`: which of the values stands behind the algorithm.
pub(super) fn printf(format: &str, values: &[Value]) -> Value {
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

/// `.a.b`, `$.a`, `$x.a`, or a number.
pub(super) fn read(word: &str, scope: &Scope) -> Value {
    if let Some(chain) = word.strip_prefix('.') {
        return scope.dot.fields(chain);
    }
    if word.starts_with('$') {
        let (name, chain) = word.split_once('.').unwrap_or((word, ""));
        return scope.variables.get(name).map_or_else(Value::nothing, |value| value.fields(chain));
    }
    Value::nothing()
}
