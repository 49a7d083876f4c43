//! Kubernetes YAML, beginning with the torture fixture on which other tools were measured.

use crate::support::{NINES, changed, listed, pinned, sites};
use pin::{Certainty, Format, Found, Marker, Opaque};

const K: Format = Format::Kubernetes;

/// Ten references to pin, one pinned, one template, one decoy. Source: `research/pin.md` §1.2.
const TORTURE: &str = include_str!("../../fixtures/torture/kubernetes/lf/agent.yaml");

#[test]
fn the_torture_fixture_is_pinned_ten_of_ten_and_the_decoys_stay() {
    let new = pinned(K, TORTURE);
    assert_eq!(
        changed(TORTURE, &new),
        [
            r#"          image: "shop/quoted:1@NINES""#,
            "          image:   'shop/single:2@NINES'",
            "        - {name: flow, image: shop/flow:3@NINES, args: [a, \"b\"]}",
            "          image: shop/commented:4@NINES  # keep me",
            "          image: shop/floating:latest@NINES",
            "          image: registry.example.com:5000/shop/bare@NINES",
            "            shop/folded:7@NINES",
            "  agentImage: shop/agent:8@NINES",
            "    tag: \"9@NINES\"",
            "  anchored: &img shop/anchored:10@NINES",
        ]
    );
    assert_eq!(pinned(K, &new), new);
}

#[test]
fn a_site_says_whose_image_it_is() {
    let found = sites(K, TORTURE);
    assert_eq!(found[0].path, "spec.template.spec.initContainers[0].image");
    assert_eq!(found[0].context.kind.as_deref(), Some("Deployment"));
    assert_eq!(found[0].context.workload.as_deref(), Some("api"));
    assert_eq!(found[0].context.container.as_deref(), Some("quoted"));
    assert_eq!((found[0].document, found[9].document), (0, 1));
    assert_eq!(found[8].found, Found::Opaque(Opaque::Template));
    assert_eq!(found[9].certainty, Certainty::Likely);
    let anchored = &found[11];
    assert_eq!(anchored.aliases.len(), 1);
    assert_eq!((anchored.aliases[0].line, anchored.aliases[0].column), (44, 12));
    assert_eq!(anchored.aliases[0].path, "spec.sidecar.image");
}

#[test]
fn every_kind_of_workload_is_seen_also_in_a_list() {
    let pod = "{containers: [{name: c, image: a/b:1}]}";
    let text = format!(
        "apiVersion: v1
kind: List
items:
- {{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: s}}, spec: {{template: {{spec: {pod}}}}}}}
- {{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: d}}, spec: {{template: {{spec: {pod}}}}}}}
- {{apiVersion: batch/v1, kind: Job, metadata: {{generateName: j-}}, spec: {{template: {{spec: {pod}}}}}}}
- apiVersion: batch/v1
  kind: CronJob
  metadata: {{name: c}}
  spec: {{jobTemplate: {{spec: {{template: {{spec: {pod}}}}}}}}}
- apiVersion: v1
  kind: Pod
  metadata: {{name: p}}
  spec:
    ephemeralContainers: [{{name: e, image: a/b:2}}]
    volumes:
    - name: data
      image:
        reference: a/volume:3
        pullPolicy: Always
"
    );
    let found = sites(K, &text);
    let seen: Vec<_> = found
        .iter()
        .map(|site| {
            format!(
                "{}/{} {}",
                site.context.kind.as_deref().unwrap(),
                site.context.workload.as_deref().unwrap(),
                site.text
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "StatefulSet/s a/b:1",
            "DaemonSet/d a/b:1",
            "Job/j- a/b:1",
            "CronJob/c a/b:1",
            "Pod/p a/b:2",
            "Pod/p a/volume:3",
        ]
    );
}

#[test]
fn data_labels_and_schemas_are_no_workloads() {
    let text = "apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {image: a/b:1}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: c}
spec: {image: a/b:1, names: {image: x/y:1}}
---
apiVersion: v1
kind: Service
metadata: {name: s, labels: {image: a/b:1}}
spec: {selector: {image: a/b:1}}
---
image: no/object:1
";
    assert_eq!(listed(K, text), [""; 0]);
}

#[test]
fn line_ends_bom_and_a_missing_last_break_stay() {
    let crlf = "\u{feff}apiVersion: v1\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - image: \"a/b:1\" # ä\r\n---\r\napiVersion: v1\r\nkind: Pod\r\nspec: {containers: [{image: c/d:1}]}";
    let expected = crlf
        .replace("a/b:1", &format!("a/b:1@{NINES}"))
        .replace("c/d:1", &format!("c/d:1@{NINES}"));
    assert_eq!(pinned(K, crlf), expected);
    let lone = "apiVersion: v1\rkind: Pod\rspec:\r  containers:\r  - image: a/b:1\r";
    assert_eq!(pinned(K, lone), lone.replace("a/b:1", &format!("a/b:1@{NINES}")));
}

#[test]
fn explicit_keys_tags_and_scalars_over_lines() {
    let text = "apiVersion: v1
kind: Pod
spec:
  containers:
  - ? image
    : !!str a/b:1
    name: explicit
  - \"image\": &x !!str 'c/d:1'
  - image: e/f
      :1
  - image: |
      g/h:1
  - image: \"i/\\x6a:1\"
";
    assert_eq!(
        listed(K, text),
        [
            "6:13 tag a/b:1",
            "8:24 tag c/d:1",
            "9:12 opaque e/f :1",
            "12:7 tag g/h:1",
            "13:12 opaque i/j:1",
        ]
    );
    let new = pinned(K, text);
    assert_eq!(
        changed(text, &new),
        ["    : !!str a/b:1@NINES", "  - \"image\": &x !!str 'c/d:1@NINES'", "      g/h:1@NINES",]
    );
}

#[test]
fn template_lines_are_passed_over_and_literals_between_are_pinned() {
    let text = "{{- if .Values.on }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include \"x.name\" . }}
  labels:
    {{- include \"x.labels\" . | nindent 4 }}
spec:
  containers:
    {{- range .Values.more }}
    - name: {{ .name }}
      image: {{ .image | quote }}
    {{- end }}
    - name: fixed
      image: a/b:1
      {{- with .Values.args }}
      args: {{ toYaml . | nindent 8 }}
      {{- end }}
    - image: \"c/d:{{ .Values.tag }}\"
{{- end }}
";
    assert_eq!(
        listed(K, text),
        [
            "12:14 opaque {{ .image | quote }}",
            "15:14 tag a/b:1",
            "19:15 opaque c/d:{{ .Values.tag }}",
        ]
    );
    assert_eq!(changed(text, &pinned(K, text)), ["      image: a/b:1@NINES"]);
}

#[test]
fn a_comment_can_ask_to_be_left_alone() {
    let text = "apiVersion: v1
kind: Pod
spec:
  containers:
  - image: a/b:1 # indelible: ignore
  # ratchet:exclude
  - image: c/d:1
  - image: e/f:1
";
    let markers: Vec<_> = sites(K, text).iter().map(|site| site.marker).collect();
    assert_eq!(markers, [Some(Marker::Ignore), Some(Marker::RatchetExclude), None]);
    assert_eq!(changed(text, &pinned(K, text)), ["  - image: e/f:1@NINES"]);
    let scanned = pin::scan(K, text).unwrap();
    let to_resolve: Vec<_> = scanned.unpinned().map(ToString::to_string).collect();
    assert_eq!(to_resolve, ["e/f:1"]);
}

#[test]
fn json_is_read_as_the_yaml_that_it_is() {
    let text = "{\n\t\"apiVersion\":\"v1\",\"kind\":\"Pod\",\n\t\"spec\":{\"containers\":[{\"image\":\"a/b:1\"}]}\n}\n";
    assert_eq!(listed(K, text), ["3:34 tag a/b:1"]);
    assert_eq!(pinned(K, text), text.replace("a/b:1", &format!("a/b:1@{NINES}")));
}

#[test]
fn broken_yaml_is_refused_with_its_place() {
    let cases = [
        ("apiVersion: v1\nkind: Pod\nspec: {image: a", "line 3, column 7: a quote or bracket"),
        ("a: b\n   c: d\n", "line 2, column 5: a mapping or sequence cannot begin"),
        ("a:\n\tb: c\n", "line 2, column 2: a tab stands"),
        ("a: \"b\" c\n", "line 1, column 8: text follows"),
        ("a:\n  b: 1\n c: 2\n", "line 3, column 2: the indentation fits neither"),
        ("a: 1\nb\n", "line 2, column 1: a `key:` was expected"),
    ];
    for (text, expected) in cases {
        let error = pin::scan(K, text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
}

#[test]
fn what_only_one_reader_accepts_is_not_edited() {
    // An unknown alias: ours does not mind, the other reader does.
    let text = "apiVersion: v1\nkind: Pod\nx: *nowhere\nspec: {image: a/b:1}\n";
    let plan = crate::support::pin_plan(K, text, pin::Style::TagDigest);
    assert_eq!(plan.edits.len(), 1);
    let refused = pin::apply(K, text, &plan.edits).unwrap_err().to_string();
    assert!(refused.starts_with("line 3, column 4: two YAML readers disagree"), "{refused}");
}

#[test]
fn what_is_no_text_names_no_image() {
    for value in ["null", "~", "", "5", "1.5", "true", "0x1f"] {
        let text =
            format!("apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: {value}}}]}}\n");
        assert!(listed(K, &text).is_empty(), "{value}");
    }
    for (value, expected) in [("\"null\"", "3:30 bare null"), ("'5'", "3:30 bare 5")] {
        let text =
            format!("apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: {value}}}]}}\n");
        assert_eq!(listed(K, &text), [expected], "{value}");
    }
    let fields = |repository: &str| {
        format!(
            "apiVersion: v1\nkind: A\nspec:\n  image:\n    repository: {repository}\n    tag: 5\n    digest: null\n"
        )
    };
    assert!(listed(K, &fields("null")).is_empty());
    assert_eq!(listed(K, &fields("a/b")), ["6:10 tag a/b:5"]);
    let pinned = pinned(K, &fields("a/b"));
    assert_eq!(pinned, fields("a/b").replace("null", NINES), "{pinned}");
}
