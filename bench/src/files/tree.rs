//! The trees: files as a team's repositories hold them, the same in every run.
//!
//! ```text
//! app000/base/file0.yaml … app099/docs/file99.go    ten thousand files, 22 MB, 19 000 references
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

const FOLDERS: usize = 100;
const FILES: usize = 100;
/// References of the tree that is pinned. Source: DESIGN §10.
const PINS: usize = 188;

/// What was written.
pub(super) struct Made {
    pub(super) files: usize,
    pub(super) bytes: usize,
    pub(super) references: usize,
}

/// Writes the large tree: four of ten files name images in Kubernetes, two in other formats, four name none.
pub(super) fn write(folder: &Path) -> Result<Made> {
    let mut made = Made { files: 0, bytes: 0, references: 0 };
    for app in 0..FOLDERS {
        let base = folder.join(format!("app{app:03}/base"));
        fs::create_dir_all(&base)?;
        for file in 0..FILES {
            let (name, text, references) = match file % 10 {
                0..4 => ("yaml", deployment(app, file), 2),
                4..6 => ("config.yaml", config(), 0),
                6 => ("compose.yaml", compose(), 8),
                // `scratch` and the copies from the stage are no references to count.
                7 => ("Dockerfile", dockerfile(), 3),
                _ => ("go", "// some source code of no interest\n".repeat(100), 0),
            };
            made.files += 1;
            made.bytes += text.len();
            made.references += references;
            fs::write(base.join(format!("file{file}.{name}")), text)?;
        }
    }
    Ok(made)
}

/// Writes one file with as many references as are pinned; gives their number.
pub(super) fn write_references(folder: &Path, host: &str) -> Result<usize> {
    fs::create_dir_all(folder)?;
    let mut text = String::from("services:\n");
    for at in 0..PINS {
        let _ = writeln!(text, "  s{at}:\n    image: {host}/shop/s{at}:v{at}.1");
    }
    fs::write(folder.join("compose.yaml"), text)?;
    Ok(PINS)
}

fn deployment(app: usize, file: usize) -> String {
    let mut text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api-{app}-{file}\n  labels: {{app: api, tier: backend}}\n\
         spec:\n  replicas: 3\n  selector: {{matchLabels: {{app: api}}}}\n  template:\n    metadata:\n      labels: {{app: api}}\n\
         \x20   spec:\n      containers:\n      - name: api\n        image: registry.example.com/shop/api{app}-{file}:1.{file}.{app}\n        env:\n"
    );
    for at in 0..33 {
        let _ = writeln!(
            text,
            "        - name: VARIABLE_{at}\n          value: \"some value {at} of {file}\""
        );
    }
    text.push_str("      - name: sidecar\n        image: docker.io/envoyproxy/envoy:v1.30.1\n");
    text
}

fn config() -> String {
    let mut text = String::from("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n");
    for at in 0..60 {
        let _ = writeln!(text, "  key{at}: value {at} and more of it");
    }
    text
}

fn compose() -> String {
    let mut text = String::from("services:\n");
    for at in 0..8 {
        let _ = writeln!(
            text,
            "  s{at}:\n    image: shop/s{at}:v{at}\n    environment:\n      A: b\n      C: d"
        );
    }
    text
}

fn dockerfile() -> String {
    let stage = "FROM debian:12-slim AS build\nRUN apt-get update && apt-get install -y \\\n  a \\\n  b\nCOPY . .\nFROM scratch\nCOPY --from=build /a /a\n";
    stage.repeat(3)
}
