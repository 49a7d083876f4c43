//! What is measured. Each has its repository, so that none finds what another one left.

use anyhow::{Context, Result, ensure};
use e2e::{Http, link_next, push_blob, put_manifest, sha256};

use super::load::{self, Measured, Operation};
use super::side::Side;

const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &[u8] = b"{}";
const LAYER_BYTES: usize = 1 << 20;
/// Tags that are there when tags are measured. Source: DESIGN §10.
const TAGS: usize = 2_000;

/// One thing to measure.
pub(super) struct Workload {
    pub(super) name: &'static str,
    /// What ours may take, in milliseconds of CPU. Source: DESIGN §10.
    pub(super) target_ms: f64,
    pub(super) operations: usize,
    prepare: fn(&Side) -> Result<()>,
    operation: Operation,
}

pub(super) const WORKLOADS: [Workload; 6] = [
    Workload {
        name: "push 1 MiB layer + manifest",
        target_ms: 1.8,
        operations: 400,
        prepare: |side| prepare_repository(side, "bench/push"),
        operation: push_layer,
    },
    Workload {
        name: "pull 1 MiB",
        target_ms: 0.3,
        operations: 2_000,
        prepare: prepare_pull,
        operation: pull_layer,
    },
    Workload {
        name: "list of 2 000 tags",
        target_ms: 0.5,
        operations: 400,
        prepare: |side| prepare_tags(side, "bench/list", new_tag_to_list),
        operation: list_tags,
    },
    Workload {
        name: "GET manifest by tag",
        target_ms: 0.04,
        operations: 8_000,
        prepare: |_| Ok(()),
        operation: get_by_tag,
    },
    Workload {
        name: "new tag, own manifest, at 2 000 tags",
        target_ms: 0.15,
        operations: 2_000,
        prepare: |side| prepare_tags(side, "bench/tags", new_tag),
        operation: |http, number| new_tag(http, TAGS + number),
    },
    Workload {
        name: "alias move at 4 000 tags",
        target_ms: 0.15,
        operations: 2_000,
        prepare: |_| Ok(()),
        operation: move_alias,
    },
];

impl Workload {
    /// Prepares one side, and measures it.
    pub(super) fn measure(&self, side: &Side, operations: usize) -> Result<Measured> {
        let in_words = || format!("{}: {}", side.name(), self.name);
        (self.prepare)(side).with_context(in_words)?;
        load::run(side, 0, operations, self.operation).with_context(in_words)
    }
}

/// A manifest of its own for each operation of each workload.
fn manifest(what: &str, number: usize, layer: &str) -> Vec<u8> {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MEDIA_TYPE}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},"layers":[{layer}],"annotations":{{"{what}":"{number}"}}}}"#,
        sha256(CONFIG),
        CONFIG.len()
    )
    .into_bytes()
}

fn put(http: &mut Http, repository: &str, tag: &str, manifest: &[u8]) -> Result<()> {
    put_manifest(http, repository, tag, MEDIA_TYPE, manifest)?.expect(201)?;
    Ok(())
}

fn prepare_repository(side: &Side, repository: &str) -> Result<()> {
    push_blob(&mut side.connect()?, repository, CONFIG)?;
    Ok(())
}

/// Bytes that do not pack, with the number in front: no two layers are the same.
fn layer(number: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(LAYER_BYTES);
    bytes.extend_from_slice(&(number as u64).to_le_bytes());
    while bytes.len() < LAYER_BYTES {
        // xorshift64. Source: Marsaglia, "Xorshift RNGs", 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}

fn push_layer(http: &mut Http, number: usize) -> Result<()> {
    let layer = layer(number);
    push_blob(http, "bench/push", &layer)?;
    let described = format!(
        r#"{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{}","size":{LAYER_BYTES}}}"#,
        sha256(&layer)
    );
    let manifest = manifest("push", number, &described);
    put(http, "bench/push", &format!("1.{number}"), &manifest)
}

fn prepare_pull(side: &Side) -> Result<()> {
    push_blob(&mut side.connect()?, "bench/pull", &layer(0))?;
    Ok(())
}

fn pull_layer(http: &mut Http, _: usize) -> Result<()> {
    // Of `layer(0)`; hashing it each time would measure the client.
    static DIGEST: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let digest = DIGEST.get_or_init(|| sha256(&layer(0)));
    let target = format!("/v2/bench/pull/blobs/{digest}");
    let blob = http.get(&target)?.expect(200)?;
    ensure!(blob.body.len() == LAYER_BYTES, "a layer of another size");
    Ok(())
}

fn prepare_tags(side: &Side, repository: &str, operation: Operation) -> Result<()> {
    prepare_repository(side, repository)?;
    load::run(side, 0, TAGS, operation)?;
    Ok(())
}

fn new_tag_to_list(http: &mut Http, number: usize) -> Result<()> {
    let manifest = manifest("list", number, "");
    put(http, "bench/list", &format!("1.{number}"), &manifest)
}

fn new_tag(http: &mut Http, number: usize) -> Result<()> {
    let manifest = manifest("tags", number, "");
    put(http, "bench/tags", &format!("1.{number}"), &manifest)
}

fn move_alias(http: &mut Http, number: usize) -> Result<()> {
    put(http, "bench/tags", "latest", &manifest("alias", number, ""))
}

fn get_by_tag(http: &mut Http, number: usize) -> Result<()> {
    let target = format!("/v2/bench/list/manifests/1.{}", number % TAGS);
    http.send("GET", &target, &[("Accept", MEDIA_TYPE)], &[])?.expect(200)?;
    Ok(())
}

/// All pages; that there are 2 000 names is seen by their opening quotes.
fn list_tags(http: &mut Http, _: usize) -> Result<()> {
    let mut names = 0;
    let mut target = Some("/v2/bench/list/tags/list".to_owned());
    while let Some(page) = target {
        let answer = http.get(&page)?.expect(200)?;
        names += answer.text().matches("\"1.").count();
        target = link_next(&answer);
    }
    ensure!(names == TAGS, "{names} tags are listed, not {TAGS}");
    Ok(())
}
