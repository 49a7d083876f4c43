//! What a walk learns beside the files: the custom kinds that the tree defines, and how each chart uses its values.
//!
//! ```text
//! crds/agents.yaml defines Agent            -> deploy/agent.yaml is looked at once more, with that knowledge
//! charts/shop/Chart.yaml, templates/*       -> charts/shop/values.yaml is read by who knows where its digest goes
//! ```
//! Only files with objects of the groups that were defined are looked at again, not the tree.

use pin::helm::{TEMPLATES_BYTES_MAX, Usage, usage};
use pin::{Format, Knowledge, crd};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Folders between a chart and a file with its values at most.
const CHART_LEVELS_MAX: usize = 3;
/// Files of templates that are read of one chart at most.
const TEMPLATES_MAX: usize = 2_000;
/// Folders inside `templates` at most.
const TEMPLATES_DEPTH_MAX: usize = 6;

/// What was learned so far.
#[derive(Debug, Default)]
pub(super) struct Learned {
    definitions: Mutex<Knowledge>,
    /// Files with objects of custom groups.
    custom: Mutex<Vec<Custom>>,
    charts: Mutex<HashMap<PathBuf, Arc<Knowledge>>>,
}

/// A file with objects of kinds that somebody may define.
#[derive(Clone, Debug)]
pub(super) struct Custom {
    pub(super) path: PathBuf,
    pub(super) shown: String,
    groups: Vec<String>,
}

impl Learned {
    /// Learns from a file that came by, and answers what is known of it at once.
    pub(super) fn meet(
        &self,
        path: &Path,
        shown: &str,
        text: &str,
        format: Format,
    ) -> Arc<Knowledge> {
        if format == Format::HelmValues {
            return self.chart(path);
        }
        if format == Format::Kubernetes {
            self.objects(path, shown, text);
        }
        Arc::default()
    }

    /// Notes what a text with objects defines, and what it would need to know.
    pub(super) fn objects(&self, path: &Path, shown: &str, text: &str) {
        if crd::is_defined_in(text)
            && let Ok(found) = crd::images(text)
        {
            locked(&self.definitions).learn(found);
        }
        let groups = crd::custom_groups(text);
        if !groups.is_empty() {
            let (path, shown) = (path.to_owned(), shown.to_owned());
            locked(&self.custom).push(Custom { path, shown, groups });
        }
    }

    /// The definitions, and the files whose objects they are about.
    pub(super) fn finish(self) -> (Knowledge, Vec<Custom>) {
        let definitions = self.definitions.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut custom = self.custom.into_inner().unwrap_or_else(PoisonError::into_inner);
        custom.retain(|one| one.groups.iter().any(|group| definitions.has_group(group)));
        custom.sort_by(|a, b| a.path.cmp(&b.path));
        custom.dedup_by(|a, b| a.path == b.path);
        (definitions, custom)
    }

    /// How the chart around a file uses its values; a chart is read once.
    fn chart(&self, values: &Path) -> Arc<Knowledge> {
        let mut folders = values.ancestors().skip(1).take(CHART_LEVELS_MAX);
        let Some(chart) = folders.find(|folder| folder.join("Chart.yaml").is_file()) else {
            return Arc::default();
        };
        // Whoever comes while a chart is read waits for it, rather than to read it too.
        let mut charts = locked(&self.charts);
        let own = charts.entry(chart.to_owned()).or_insert_with(|| {
            Arc::new(read_chart(chart).map(Knowledge::with_chart).unwrap_or_default())
        });
        own.clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the templates of a chart and of those inside it; nothing where it has none.
fn read_chart(chart: &Path) -> Option<Usage> {
    let mut all = Templates::default();
    all.below(&chart.join("templates"), 0);
    if all.texts.is_empty() {
        return None;
    }
    let inner = folders(&chart.join("charts"));
    let inner: Vec<(String, Templates)> = inner
        .into_iter()
        .map(|(name, folder)| {
            let mut own = Templates::default();
            own.below(&folder.join("templates"), 0);
            (name, own)
        })
        .collect();
    // Names of templates are known everywhere; files that begin with `_` write nothing themselves.
    let shared = inner
        .iter()
        .flat_map(|(_, own)| own.texts.iter().filter(|(name, _)| name.starts_with('_')));
    let own = all.texts.iter().chain(shared).map(|(_, text)| text.as_str());
    let mut usage_of_all = usage(own);
    for (name, own) in &inner {
        usage_of_all.add_subchart(name, usage(own.texts.iter().map(|(_, text)| text.as_str())));
    }
    Some(usage_of_all)
}

/// Templates with their files' names.
#[derive(Default)]
struct Templates {
    texts: Vec<(String, String)>,
    bytes: usize,
}

impl Templates {
    /// Reads what stands below a folder; one byte more than is looked at tells that there is more.
    fn below(&mut self, folder: &Path, depth: usize) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            if self.bytes > TEMPLATES_BYTES_MAX || self.texts.len() >= TEMPLATES_MAX {
                // What was left out could use a value in any way.
                self.bytes = TEMPLATES_BYTES_MAX + 1;
                self.texts.push((String::new(), " ".repeat(self.bytes)));
                return;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth < TEMPLATES_DEPTH_MAX {
                self.below(&entry.path(), depth + 1);
            } else if kind.is_file()
                && [".yaml", ".yml", ".tpl"].iter().any(|end| name.ends_with(end))
            {
                self.read(name, &entry.path());
            }
        }
    }

    fn read(&mut self, name: String, path: &Path) {
        let left = TEMPLATES_BYTES_MAX + 1 - self.bytes.min(TEMPLATES_BYTES_MAX);
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(left as u64).read_to_end(&mut bytes));
        if read.is_ok() {
            self.bytes += bytes.len();
            self.texts.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

/// The folders in a folder, by name.
fn folders(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let own = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let named = own.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    let mut all: Vec<_> = named.take(TEMPLATES_MAX).collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::super::walk::each_file;
    use super::*;
    use std::fs;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// `path reference` of every place.
    fn places(folder: &Path) -> Vec<String> {
        let walked = each_file(folder, &[PathBuf::from(".")], |file| {
            let scan = file.scan()?;
            let place = |site: &pin::Site| format!("{} {}", file.shown, site.text);
            let places: Vec<_> = scan.sites.iter().map(place).collect();
            // As those who judge and pin do: of a file without places nothing is made.
            Ok((!places.is_empty()).then_some(places))
        });
        walked.unwrap().found.into_iter().flatten().collect()
    }

    const CRD: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  group: example.com\n  names: {kind: Agent}\n  versions:\n  - schema: {openAPIV3Schema: {properties: {spec: {properties: {runner: {type: string, description: Container image of the runner.}, image: {type: string, description: The VM image of the node.}}}}}}\n";

    #[test]
    fn a_kind_that_the_tree_defines_is_known_wherever_its_definition_stands() {
        let object = "apiVersion: example.com/v1\nkind: Agent\nmetadata: {name: a}\nspec: {runner: shop/runner:1}\n";
        let machine = "apiVersion: example.com/v1\nkind: Agent\nmetadata: {name: b}\nspec: {image: ubuntu-24-04}\n";
        let other = "apiVersion: example.com/v1\nkind: Other\nspec: {runner: no/image:1}\n";
        let files =
            [("a.yaml", object), ("b.yaml", machine), ("c.yaml", other), ("z/crd.yaml", CRD)];
        let folder = tree(&files);
        assert_eq!(places(folder.path()), ["a.yaml shop/runner:1"]);
        let without = tree(&files[..3]);
        assert_eq!(places(without.path()), ["b.yaml ubuntu-24-04"]);
    }

    fn pinned(folder: &Path) -> Vec<(String, String)> {
        let paths = [PathBuf::from(".")];
        let sources = super::super::pin::read(folder, &paths).unwrap();
        let draft = super::super::pin::locked(sources, pin::Style::TagDigest, None);
        let left = draft.left.iter().map(|left| (left.path.clone(), left.why.to_string()));
        let changed = draft.rewrites.iter().map(|one| (one.shown.clone(), one.new.clone()));
        left.chain(changed).collect()
    }

    #[test]
    fn values_are_pinned_as_the_templates_of_their_chart_read_them() {
        let values = "image:\n  repository: shop/api\n  tag: v1.4.2\n";
        let deployment = "apiVersion: apps/v1\nkind: Deployment\nspec:\n  image: {{ include \"shop.image\" . }}\n";
        let helper = |digest: &str| {
            format!(
                "{{{{ define \"shop.image\" }}}}{{{{ .Values.image.repository }}}}:{{{{ .Values.image.tag }}}}{digest}{{{{ end }}}}"
            )
        };
        let chart = |helper: &str| {
            tree(&[
                ("shop/Chart.yaml", "name: shop\n"),
                ("shop/values.yaml", values),
                ("shop/templates/deployment.yaml", deployment),
                ("shop/templates/_helpers.tpl", helper),
            ])
        };
        let plain = chart(&helper(""));
        let found = pinned(plain.path());
        assert!(
            found.iter().any(
                |(path, new)| path == "shop/values.yaml" && new.contains("tag: v1.4.2@sha256:")
            ),
            "{found:?}"
        );
        let with_key = chart(&helper("@{{ .Values.image.digest }}"));
        let found = pinned(with_key.path());
        assert!(
            found.iter().any(|(_, new)| new.contains("v1.4.2\n  digest: sha256:")),
            "{found:?}"
        );
        let labelled = chart(&helper(
            "{{ end }}{{ define \"x\" }}\napp.kubernetes.io/version: {{ .Values.image.tag }}",
        ));
        fs::write(labelled.path().join("shop/templates/x.yaml"), "labels: {{ include \"x\" . }}")
            .unwrap();
        let found = pinned(labelled.path());
        assert!(found.iter().any(|(_, why)| why.contains("into a label")), "{found:?}");
        let elsewhere = tree(&[("values.yaml", values)]);
        assert!(pinned(elsewhere.path())[0].1.contains("templates are not here"));
    }

    #[test]
    fn charts_inside_a_chart_are_read_below_their_names() {
        let folder = tree(&[
            ("Chart.yaml", "name: shop\n"),
            ("templates/a.yaml", "a: {{ include \"common.image\" .Values.image }}\n"),
            (
                "charts/common/templates/_image.tpl",
                "{{ define \"common.image\" }}{{ .repository }}:{{ .tag }}{{ end }}",
            ),
            (
                "charts/db/templates/db.yaml",
                "image: {{ .Values.image.repository }}:{{ .Values.image.tag }}\n",
            ),
            ("values.yaml", "db:\n  image: {repository: shop/db, tag: v1}\n"),
        ]);
        let found = pinned(folder.path());
        assert!(found[0].1.contains("tag: v1@sha256:"), "{found:?}");
    }

    #[test]
    fn so_many_templates_are_read_and_no_more() {
        let chart = |files: usize| {
            let folder = tree(&[
                ("Chart.yaml", "name: shop\n"),
                ("templates/z.yaml", "image: a:{{ .Values.image.tag }}"),
            ]);
            for at in 1..files {
                fs::write(folder.path().join(format!("templates/a{at}.yaml")), "").unwrap();
            }
            fs::write(
                folder.path().join("values.yaml"),
                "image: {repository: shop/api, tag: v1}\n",
            )
            .unwrap();
            pinned(folder.path())[0].1.clone()
        };
        assert!(chart(TEMPLATES_MAX).contains("v1@sha256:"));
        assert!(chart(TEMPLATES_MAX + 1).contains("templates are not here"));
    }
}
