//! How a chart uses its values, by its templates: whether a digest has a key, and what a digest in the tag would break.
//!
//! ```text
//! image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"     ->  image.tag: in an image
//! app.kubernetes.io/version: {{ .Values.image.tag | quote }}          ->  image.tag: in a label
//! {{ printf "%s@sha256:%s" $name .Values.image.sha }}                 ->  image.sha: hex digits of a digest
//! ```
//! Nothing is rendered: every branch is looked at, and where a value goes is told by the text around it.

mod evaluate;
mod place;
mod template;
mod value;
mod words;

use crate::site::{Form, NoRoom, Room};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of templates that are read of one chart at most.
pub const TEMPLATES_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Use {
    /// Into a reference.
    Image,
    /// Into a reference, behind `@sha256:`.
    Hex,
    /// Into a label.
    Label,
    /// Into a comparison of versions.
    Compared,
    /// Somewhere else.
    Elsewhere,
}

/// How a chart uses its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// By the path below `.Values`; `*` is any key or entry.
    uses: BTreeMap<String, BTreeSet<Use>>,
    /// Whether everything was looked at.
    is_complete: bool,
}

/// Keys of digests, and how charts write them where the templates do not say.
pub(crate) const DIGEST_KEYS: [(&str, Form); 4] = [
    ("digest", Form::Whole),
    ("sha", Form::Hex),
    ("sha256", Form::Hex),
    ("imageDigest", Form::Whole),
];

/// Reads how the templates of one chart use its values; what is longer than [`TEMPLATES_BYTES_MAX`] is left out, and then
/// nothing is known of what was not met.
#[must_use]
pub fn usage<'t>(templates: impl IntoIterator<Item = &'t str>) -> Usage {
    let mut all = template::Templates::default();
    let (mut bytes, mut is_complete) = (0_usize, true);
    for text in templates {
        bytes += text.len();
        if bytes > TEMPLATES_BYTES_MAX {
            is_complete = false;
            break;
        }
        all.read(text);
    }
    let found = evaluate::uses(&all);
    Usage { uses: found.uses, is_complete: is_complete && found.is_complete }
}

impl Usage {
    /// Where the value at a path goes, also as a part of what is above it.
    fn of(&self, path: &str) -> BTreeSet<Use> {
        let steps: Vec<&str> = path.split('.').collect();
        let mut all = BTreeSet::new();
        for (known, uses) in &self.uses {
            match meets(known, &steps) {
                Some(Meets::Same) => all.extend(uses),
                // Something writes all of it, as `toYaml` does.
                Some(Meets::Above) => {
                    all.insert(Use::Elsewhere);
                }
                None => {}
            }
        }
        all
    }

    /// How a digest is written at a path; nothing where no template puts it into a reference.
    pub(crate) fn digest_form(&self, path: &str) -> Option<Form> {
        let uses = self.of(path);
        if uses.contains(&Use::Hex) {
            return Some(Form::Hex);
        }
        uses.contains(&Use::Image).then_some(Form::Whole)
    }

    /// Whether the tag at a path may hold a digest.
    pub(crate) fn tag_room(&self, path: &str) -> Room {
        match self.of(path) {
            _ if !self.is_complete => Room::Nowhere(NoRoom::NoTemplates),
            uses if uses.is_empty() => Room::Nowhere(NoRoom::Unused),
            uses if uses.contains(&Use::Label) => Room::Nowhere(NoRoom::Label),
            uses if uses.contains(&Use::Compared) => Room::Nowhere(NoRoom::Compared),
            uses if uses.contains(&Use::Elsewhere) => Room::Nowhere(NoRoom::Elsewhere),
            _ => Room::Tag,
        }
    }

    /// Adds how a chart inside this one uses the values below its name.
    pub fn add_subchart(&mut self, name: &str, usage: Self) {
        self.is_complete &= usage.is_complete;
        for (path, uses) in usage.uses {
            let path = if path.starts_with("global.") { path } else { format!("{name}.{path}") };
            self.uses.entry(path).or_default().extend(uses);
        }
    }

    /// Whether a value is a reference for itself: it goes into images and nowhere else.
    pub(crate) fn is_whole(&self, path: &str) -> bool {
        let uses = self.of(path);
        !uses.is_empty() && uses.iter().all(|one| *one == Use::Image)
    }
}

/// How a used path stands to another one.
enum Meets {
    Same,
    Above,
}

fn meets(known: &str, steps: &[&str]) -> Option<Meets> {
    let mut count = 0;
    for step in known.split('.') {
        if step != "*" && steps.get(count) != Some(&step) {
            return None;
        }
        count += 1;
    }
    match count.cmp(&steps.len()) {
        std::cmp::Ordering::Equal => Some(Meets::Same),
        std::cmp::Ordering::Less => Some(Meets::Above),
        std::cmp::Ordering::Greater => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room_of(usage: &Usage, holder: &str) -> Room {
        let below = |key: &str| format!("{holder}.{key}");
        let digest = DIGEST_KEYS
            .iter()
            .find_map(|(key, _)| Some(Room::Key(key, usage.digest_form(&below(key))?)));
        digest.unwrap_or_else(|| usage.tag_room(&below("tag")))
    }

    fn room(templates: &str) -> Room {
        room_of(&usage([templates]), "image")
    }

    #[test]
    fn a_digest_key_is_used_where_the_chart_reads_one() {
        let cases = [
            (
                "image: \"{{ .Values.image.repository }}@{{ .Values.image.digest }}\"",
                Room::Key("digest", Form::Whole),
            ),
            (
                "image: {{ .Values.image.repository }}:{{ .Values.image.tag }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ end }}",
                Room::Key("digest", Form::Whole),
            ),
            (
                "image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}@sha256:{{ .Values.image.sha }}\"",
                Room::Key("sha", Form::Hex),
            ),
            (
                "image: {{ printf \"%s:%s@sha256:%s\" .Values.image.repository .Values.image.tag .Values.image.digest }}",
                Room::Key("digest", Form::Hex),
            ),
            (
                "{{- with .Values.image }}\nimage: {{ .repository }}@{{ .digest }}\n{{- end }}",
                Room::Key("digest", Form::Whole),
            ),
            // A template of another chart.
            (
                "image: {{ include \"common.images.image\" (dict \"imageRoot\" .Values.image \"global\" .Values.global) }}",
                Room::Key("digest", Form::Whole),
            ),
        ];
        for (templates, expected) in cases {
            assert_eq!(room(templates), expected, "{templates}");
        }
    }

    #[test]
    fn a_tag_takes_a_digest_where_it_is_only_in_an_image() {
        let cases = [
            (
                "image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"",
                Room::Tag,
            ),
            (
                "{{ if .Values.image.tag }}x: y{{ end }}\nimage: a:{{ .Values.image.tag }}",
                Room::Tag,
            ),
            (
                "image: a:{{ .Values.image.tag }}\nlabels:\n  app.kubernetes.io/version: {{ .Values.image.tag | quote }}",
                Room::Nowhere(NoRoom::Label),
            ),
            (
                "image: a:{{ .Values.image.tag }}\n{{ if semverCompare \">=1\" .Values.image.tag }}x{{ end }}",
                Room::Nowhere(NoRoom::Compared),
            ),
            (
                "image: a:{{ .Values.image.tag }}\nvalue: {{ .Values.image.tag }}",
                Room::Nowhere(NoRoom::Elsewhere),
            ),
            ("image: a:{{ .Values.other.tag }}", Room::Nowhere(NoRoom::Unused)),
            ("data: {{ toYaml .Values.image }}", Room::Nowhere(NoRoom::Elsewhere)),
            ("sum: {{ toYaml .Values | sha256sum }}\nimage: a:{{ .Values.image.tag }}", Room::Tag),
        ];
        for (templates, expected) in cases {
            assert_eq!(room(templates), expected, "{templates}");
        }
    }

    #[test]
    fn helpers_are_followed_as_bitnami_and_others_write_them() {
        let image = "{{- define \"common.images.image\" -}}
{{- $registryName := default .imageRoot.registry ((.global).imageRegistry) -}}
{{- $repositoryName := .imageRoot.repository -}}
{{- $separator := \":\" -}}
{{- $termination := .imageRoot.tag | toString -}}
{{- if .imageRoot.digest }}
    {{- $separator = \"@\" -}}
    {{- $termination = .imageRoot.digest | toString -}}
{{- end -}}
{{- if $registryName }}
    {{- printf \"%s/%s%s%s\" $registryName $repositoryName $separator $termination -}}
{{- else -}}
    {{- printf \"%s%s%s\" $repositoryName $separator $termination -}}
{{- end -}}
{{- end -}}
{{- define \"nginx.image\" -}}
{{ include \"common.images.image\" (dict \"imageRoot\" .Values.image \"global\" .Values.global) }}
{{- end -}}";
        let pod = "spec:\n  containers:\n    - image: {{ include \"nginx.image\" . }}\n";
        assert_eq!(room_of(&usage([image, pod]), "image"), Room::Key("digest", Form::Whole));
        let own = "{{- define \"x.image\" -}}\n{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}\n{{ .Values.image.repository }}:{{ $tag }}\n{{- end -}}";
        let pod = "      image: {{ template \"x.image\" $ }}\n";
        assert_eq!(room_of(&usage([own, pod]), "image"), Room::Tag);
        let labels = "{{- define \"x.labels\" -}}\napp.kubernetes.io/version: {{ .Values.image.tag }}\n{{- end }}";
        let pod = "labels: {{- include \"x.labels\" . | nindent 4 }}\nimage: {{ template \"x.image\" $ }}\n";
        assert_eq!(room_of(&usage([own, labels, pod]), "image"), Room::Nowhere(NoRoom::Label));
    }

    #[test]
    fn loops_lists_and_variables_are_followed() {
        let text = "{{- range $name, $side := .Values.sidecars }}\n- image: {{ $side.image.repository }}:{{ $side.image.tag }}\n{{- end }}";
        assert_eq!(room_of(&usage([text]), "sidecars.proxy.image"), Room::Tag);
        let text = "{{- range list .Values.a .Values.b }}\n- image: {{ .repository }}:{{ .tag }}\n{{- end }}";
        assert_eq!(room_of(&usage([text]), "b"), Room::Tag);
        let text = "{{- $i := index .Values \"my-image\" -}}\nimage: {{ $i.name }}:{{ $i.tag }}";
        assert_eq!(room_of(&usage([text]), "my-image"), Room::Tag);
        assert!(usage(["image: {{ .Values.image }}"]).is_whole("image"));
        assert!(
            !usage(["image: {{ .Values.image }}\nname: {{ .Values.image }}"]).is_whole("image")
        );
    }

    #[test]
    fn a_subchart_has_its_values_below_its_name() {
        let mut all = usage(["image: a:{{ .Values.image.tag }}"]);
        all.add_subchart(
            "db",
            usage(["image: b:{{ .Values.image.tag }}@{{ .Values.image.digest }}"]),
        );
        assert_eq!(room_of(&all, "image"), Room::Tag);
        assert_eq!(room_of(&all, "db.image"), Room::Key("digest", Form::Whole));
    }

    #[test]
    fn templates_that_include_themselves_end_and_then_nothing_is_known() {
        let text = "{{ define \"a\" }}{{ include \"a\" . }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}image: a:{{ .Values.image.tag }}";
        assert_eq!(room(text), Room::Nowhere(NoRoom::NoTemplates));
    }

    #[test]
    fn so_many_steps_and_variables_are_followed_and_no_more() {
        let image = "image: a:{{ .Values.image.tag }}\n";
        let variables = |count: usize| {
            let set: String =
                (0..count).map(|at| format!("{{{{ $v{at} := .Values.v }}}}")).collect();
            room(&format!("{set}{image}"))
        };
        // One more is the root itself.
        assert_eq!(variables(499), Room::Tag);
        assert_eq!(variables(500), Room::Nowhere(NoRoom::NoTemplates));
        let actions = |count: usize| room(&format!("{image}{}", "{{ .a }}".repeat(count)));
        assert_eq!(actions(40_000), Room::Tag);
        assert_eq!(actions(120_000), Room::Nowhere(NoRoom::NoTemplates));
    }

    #[test]
    fn so_many_bytes_of_templates_are_read_and_no_more() {
        let own = "image: a:{{ .Values.image.tag }}\n";
        let filler = " ".repeat(TEMPLATES_BYTES_MAX - own.len());
        assert_eq!(room_of(&usage([filler.as_str(), own]), "image"), Room::Tag);
        let more = format!(" {filler}");
        assert_eq!(
            room_of(&usage([more.as_str(), own]), "image"),
            Room::Nowhere(NoRoom::NoTemplates)
        );
    }
}
