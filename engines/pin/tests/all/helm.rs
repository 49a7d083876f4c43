//! Charts: what their templates say of where a digest goes, and the values that get one.

use crate::support::{NINES, answers, word};
use pin::helm::usage;
use pin::{Format, Knowledge, Plan, Skip, Style, apply, plan_pin, plan_unpin, scan_with};

const V: Format = Format::HelmValues;

fn plan(values: &str, templates: &[&str]) -> (pin::Scan, Plan) {
    let knowledge = Knowledge::with_chart(usage(templates.iter().copied()));
    let scan = scan_with(V, values, &knowledge).unwrap_or_else(|why| panic!("{why}: {values}"));
    let plan = plan_pin(&scan, &answers(&scan.sites), Style::TagDigest);
    (scan, plan)
}

fn pinned(values: &str, templates: &[&str]) -> String {
    let (_, plan) = plan(values, templates);
    apply(V, values, &plan.edits).unwrap_or_else(|why| panic!("{why}: {values}"))
}

fn left(values: &str, templates: &[&str]) -> String {
    let (_, plan) = plan(values, templates);
    assert!(plan.edits.is_empty(), "{:?}", plan.edits);
    plan.skipped[0].why.to_string()
}

const VALUES: &str =
    "image:\n  repository: shop/api\n  tag: \"1.4\"  # by CI\n  pullPolicy: Always\n";
const JOINED: &str = "image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"\n";

#[test]
fn a_tag_that_is_only_in_an_image_takes_the_digest() {
    assert_eq!(pinned(VALUES, &[JOINED]), VALUES.replace("\"1.4\"", &format!("\"1.4@{NINES}\"")));
}

#[test]
fn a_tag_that_is_in_a_label_too_is_left_with_the_reason() {
    let label = "labels:\n  app.kubernetes.io/version: {{ .Values.image.tag | quote }}\n";
    assert_eq!(
        left(VALUES, &[JOINED, label]),
        "the chart reads no `digest`, and writes the tag into a label, which a digest would break"
    );
    let compared = "{{ if semverCompare \">=1.2\" .Values.image.tag }}a: b{{ end }}\n";
    assert!(left(VALUES, &[JOINED, compared]).contains("compares the tag as a version"));
    assert!(left(VALUES, &["a: b\n"]).contains("do not say how the tag is used"));
}

#[test]
fn values_that_share_their_parts_again_and_again_end_and_leave_the_tag_alone() {
    let mut chart = String::from("{{ $x0 := dict \"a\" .Values \"b\" .Values }}\n");
    for n in 1..=60 {
        let m = n - 1;
        chart.push_str(&format!("{{{{ $x{n} := dict \"a\" $x{m} \"b\" $x{m} }}}}\n"));
    }
    chart.push_str("a: {{ $x60 }}\n");
    assert!(!left(VALUES, &[JOINED, &chart]).is_empty());
}

#[test]
fn a_digest_that_the_chart_reads_gets_its_key_also_where_it_is_not_there_yet() {
    let chart = "image: {{ printf \"%s:%s@%s\" .Values.image.repository .Values.image.tag .Values.image.digest }}\nversion: {{ .Values.image.tag }}\n";
    assert_eq!(
        pinned(VALUES, &[chart]),
        VALUES.replace("# by CI\n", &format!("# by CI\n  digest: {NINES}\n"))
    );
    let flow = "image: {repository: shop/api, tag: v1}\n";
    assert_eq!(pinned(flow, &[chart]), flow.replace("v1}", &format!("v1, digest: {NINES}}}")));
    let crlf = VALUES.replace('\n', "\r\n");
    assert_eq!(
        pinned(&crlf, &[chart]),
        crlf.replace("# by CI\r\n", &format!("# by CI\r\n  digest: {NINES}\r\n"))
    );
}

#[test]
fn digits_alone_are_written_where_the_chart_writes_the_algorithm() {
    let chart = "image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}@sha256:{{ .Values.image.sha }}\"\n";
    let values = "image:\n  repository: shop/api\n  tag: v1\n  sha: \"\"\n";
    let digits = NINES.strip_prefix("sha256:").unwrap();
    let new = pinned(values, &[chart]);
    assert_eq!(new, values.replace("\"\"", &format!("\"{digits}\"")));
    let knowledge = Knowledge::with_chart(usage([chart]));
    let again = scan_with(V, &new, &knowledge).unwrap();
    assert_eq!(again.sites[0].text, format!("shop/api:v1@{NINES}"));
    assert_eq!(word(&again.sites[0]), "pinned");
    assert_eq!(apply(V, &new, &plan_unpin(&again).edits).unwrap(), values);
}

#[test]
fn a_digest_key_that_no_template_reads_is_not_filled() {
    let values = "image:\n  repository: shop/api\n  tag: v1\n  digest: \"\"\n";
    assert_eq!(pinned(values, &[JOINED]), values.replace("v1", &format!("v1@{NINES}")));
}

#[test]
fn an_empty_tag_is_the_charts_own_version() {
    let values = "image: {repository: shop/api, tag: \"\"}\n";
    let (scan, plan) = plan(values, &[JOINED]);
    assert_eq!(word(&scan.sites[0]), "opaque");
    assert_eq!(plan.skipped[0].why, Skip::Opaque(pin::Opaque::AppVersion));
}

#[test]
fn a_whole_name_is_pinned_where_the_chart_writes_it_as_it_is() {
    let values = "image: shop/api\nother: {image: shop/other}\n";
    let chart = "image: {{ .Values.image }}\n---\nimage: {{ .Values.other.image }}:{{ .Chart.AppVersion }}\nname: {{ .Values.other.image }}\n";
    assert_eq!(
        pinned(values, &[chart]),
        values.replace("image: shop/api", &format!("image: shop/api@{NINES}"))
    );
    let (scan, _) = plan(values, &[]);
    assert_eq!(scan.sites.iter().map(word).collect::<Vec<_>>(), ["opaque", "opaque"]);
}

#[test]
fn entries_of_lists_are_found_in_loops() {
    let chart = "{{- range .Values.sidecars }}\n- image: \"{{ .image.repository }}:{{ .image.tag }}\"\n{{- end }}\n";
    let values = "sidecars:\n- image: {repository: shop/a, tag: v1}\n- image: {repository: shop/b, tag: v2}\n";
    assert_eq!(pinned(values, &[chart]).matches(NINES).count(), 2);
}
