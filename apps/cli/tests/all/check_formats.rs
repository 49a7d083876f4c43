//! What `check` prints for other programs, read by readers that were not written here.
//!
//! ```text
//! sarif   -> the schema that OASIS published      gitlab -> what GitLab's documents ask of a report      junit -> an XML reader
//! ```

use crate::sandbox::{NINES, Sandbox, sandbox};
use serde_json::{Value, json};

/// A file that fails, one that is noted, one that nobody can read, and a lock that knows one of the names.
fn everything() -> Sandbox {
    let lock = format!(
        "version: 1\nimages:\n  \"docker.io/shop/api:latest\": {{digest: '{NINES}', at: 2026-03-17T14:39:58.000Z, by: docker.io/shop/api}}\n"
    );
    sandbox()
        .file("images.lock", lock)
        .file(
            "deploy a/compose.yaml",
            "services:\n  api: {image: shop/api} # <kept> & \"quoted\"\n  b: {image: 'shop/b:uat'}\n  c: {image: 'shop/c:${TAG}'}\n",
        )
        .file("Dockerfile", "FROM node:20\nFROM node:20\n")
        .file("docker-compose.yaml", "services:\n  a: {image: [}\n")
}

fn printed(sandbox: &Sandbox, format: &str) -> String {
    let output = sandbox.output(["check", "--format", format], b"");
    assert_eq!(output.status.code(), Some(1), "{format}");
    String::from_utf8(output.stdout).unwrap()
}

/// Source: OASIS SARIF 2.1.0 errata 01, `sarif-schema-2.1.0.json`, as the Go module `go-sarif` carries it.
fn sarif_schema() -> Result<Value, testbed::Missing> {
    let source = std::fs::read_to_string(testbed::definition("sarif-2.1.0")?).unwrap();
    let text = source.split('`').nth(1).expect("the schema stands between backticks");
    Ok(serde_json::from_str(text).unwrap())
}

#[test]
fn sarif_is_what_its_schema_asks_for() {
    let sarif: Value = serde_json::from_str(&printed(&everything(), "sarif")).unwrap();
    let schema = match sarif_schema() {
        Ok(schema) => schema,
        Err(missing) => return testbed::skip("sarif_is_what_its_schema_asks_for", missing),
    };
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(&sarif)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let mut broken = sarif;
    broken["runs"][0]["results"][0]["level"] = json!("worst");
    assert!(!validator.is_valid(&broken), "the schema refuses what is wrong");
}

#[test]
fn sarif_says_where_what_and_how_to_mend_it() {
    let sarif: Value = serde_json::from_str(&printed(&everything(), "sarif")).unwrap();
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    let told: Vec<_> = results
        .iter()
        .map(|one| (one["ruleId"].as_str().unwrap(), one["level"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("moving-tag", "note"),
            ("moving-tag", "note"),
            ("no-tag", "error"),
            ("moving-tag", "error"),
            ("unresolved", "note")
        ]
    );
    let first = &results[2];
    let place = &first["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "deploy%20a/compose.yaml");
    assert_eq!(place["region"], json!({"startLine": 2, "startColumn": 16, "endColumn": 24}));
    let rule = &run["tool"]["driver"]["rules"][first["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!(rule["id"], "no-tag");
    assert!(
        rule["help"]["markdown"]
            .as_str()
            .unwrap()
            .starts_with("[no-tag](docs/findings.md#no-tag): Fails.")
    );
    let replaced = &first["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replaced["insertedContent"]["text"], format!("shop/api@{NINES}"));
    assert_eq!(
        replaced["deletedRegion"],
        json!({"startLine": 2, "startColumn": 16, "endLine": 2, "endColumn": 24})
    );
    assert!(results[3].get("fixes").is_none(), "the lock does not know it");
    let unread = &run["invocations"][0];
    assert_eq!(unread["executionSuccessful"], false);
    assert_eq!(unread["toolExecutionNotifications"].as_array().unwrap().len(), 1);
}

#[test]
fn a_fingerprint_stays_while_lines_move_and_tags_change_and_no_two_are_the_same() {
    let sandbox = everything();
    let prints = |format: &str| -> Vec<String> {
        let sarif: Value = serde_json::from_str(&printed(&sandbox, format)).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap().clone();
        let print =
            |one: &Value| one["partialFingerprints"]["indelible/v1"].as_str().unwrap().to_owned();
        results.iter().map(print).collect()
    };
    let before = prints("sarif");
    let distinct: std::collections::HashSet<&String> = before.iter().collect();
    assert_eq!(distinct.len(), before.len());
    sandbox.write("Dockerfile", "# moved\nFROM node:22\nFROM node:20\n");
    assert_eq!(prints("sarif"), before);
}

/// Source: GitLab docs, "Code Quality", "Code Quality report format": these fields are required, and no others are read.
fn gitlab_schema() -> Value {
    let text = json!({"type": "string", "minLength": 1});
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "properties": {
                "description": text,
                "check_name": text,
                "fingerprint": text,
                "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "properties": {
                        "path": {"type": "string", "not": {"pattern": "^(\\./|/)"}},
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "properties": {"begin": {"type": "integer", "minimum": 1}},
                        },
                    },
                },
            },
        },
    })
}

#[test]
fn a_code_quality_report_is_what_gitlab_asks_for() {
    let report: Value = serde_json::from_str(&printed(&everything(), "gitlab")).unwrap();
    let validator = jsonschema::validator_for(&gitlab_schema()).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let issues = report.as_array().unwrap();
    let told: Vec<_> = issues
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                one["severity"].as_str().unwrap(),
                one["check_name"].as_str().unwrap(),
                one["location"]["path"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "info moving-tag Dockerfile",
            "info moving-tag Dockerfile",
            "major no-tag deploy a/compose.yaml",
            "major moving-tag deploy a/compose.yaml",
            "major unread docker-compose.yaml",
        ]
    );
    let prints: std::collections::HashSet<_> =
        issues.iter().map(|one| one["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), issues.len(), "GitLab shows one of those that share a fingerprint");
}

/// Source: the Jenkins xUnit plugin's junit-10.xsd: which elements stand in which, and which attributes they need.
#[test]
fn junit_has_the_elements_and_numbers_that_its_schema_asks_for() {
    let text = printed(&everything(), "junit");
    let document = roxmltree::Document::parse(&text).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let number = |node: roxmltree::Node<'_, '_>, name: &str| -> usize {
        node.attribute(name).unwrap().parse().unwrap()
    };
    assert_eq!(
        (number(root, "tests"), number(root, "failures"), number(root, "errors")),
        (5, 2, 1)
    );
    let elements =
        |node: roxmltree::Node<'_, '_>| node.children().filter(roxmltree::Node::is_element).count();
    for suite in root.children().filter(roxmltree::Node::is_element) {
        assert_eq!(suite.tag_name().name(), "testsuite");
        assert!(suite.attribute("name").is_some());
        assert_eq!(number(suite, "tests"), elements(suite));
        let of =
            |kind: &str| suite.descendants().filter(|node| node.tag_name().name() == kind).count();
        assert_eq!(
            (number(suite, "failures"), number(suite, "errors"), number(suite, "skipped")),
            (of("failure"), of("error"), of("skipped"))
        );
        for case in suite.children().filter(roxmltree::Node::is_element) {
            assert_eq!(case.tag_name().name(), "testcase");
            assert!(case.attribute("name").is_some() && case.attribute("classname").is_some());
            assert_eq!(elements(case), 1, "one answer for a case");
        }
    }
    let failure = root.descendants().find(|node| node.tag_name().name() == "failure").unwrap();
    assert_eq!(failure.attribute("message"), Some("`shop/api` has no tag: it can move"));
    assert_eq!(
        failure.text(),
        Some("deploy a/compose.yaml:2:16: `shop/api` has no tag: it can move")
    );
}

#[test]
fn a_patch_holds_what_the_lock_knows_and_the_answer_stays_the_same() {
    let output = everything().output(["check", "--format", "diff"], b"");
    assert_eq!(output.status.code(), Some(1));
    let patch = String::from_utf8(output.stdout).unwrap();
    assert!(
        patch.starts_with("--- a/deploy a/compose.yaml\n+++ b/deploy a/compose.yaml\n"),
        "{patch}"
    );
    let changed: Vec<&str> =
        patch.lines().skip(2).filter(|line| line.starts_with(['+', '-'])).collect();
    assert_eq!(
        changed,
        [
            "-  api: {image: shop/api} # <kept> & \"quoted\"".to_owned(),
            format!("+  api: {{image: shop/api@{NINES}}} # <kept> & \"quoted\""),
        ]
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("2 files, 5 references, 0 pinned") && said.contains("\nnext: "),
        "{said}"
    );
}
