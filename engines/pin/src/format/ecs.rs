//! Task definitions of Amazon ECS, and `Dockerrun.aws.json` of Elastic Beanstalk.
//!
//! ```text
//! {"family": "shop", "containerDefinitions": [{"name": "api", "image": "shop/api:1.4"}]}
//! {"AWSEBDockerrunVersion": "1", "Image": {"Name": "shop/api:1.4", "Update": "true"}}
//! ```
//! Source: Amazon ECS API reference, `ContainerDefinition`; Elastic Beanstalk guide, "Dockerrun.aws.json".

use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::gather::{About, Gatherer};
use crate::jsonc::{self, Json};
use crate::scan::ScanError;
use crate::site::{Certainty, Context, Purpose, Site};
use jsonc_parser::ast::{StringLit, Value};

pub(super) const SPEC: Spec = Spec {
    format: Format::Ecs,
    name: "ecs",
    purpose: Purpose::Workload,
    reader: Reader::Marked { sites, marks: jsonc::marks },
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    match name.file.as_ref() {
        "dockerrun.aws.json" => Some("it is called Dockerrun.aws.json"),
        "container-definitions.json" | "container_definitions.json" => {
            Some("it is called like the container definitions of a task")
        }
        _ => None,
    }
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    let is_json = look.name.extension() == "json"
        || (look.name.is_nameless() && look.text.trim_start().starts_with('{'));
    (is_json && look.has_key("containerDefinitions")).then_some("it has `containerDefinitions`")
}

fn sites(text: &str) -> Result<Vec<Site>, ScanError> {
    let json = jsonc::read(text)?;
    let mut all = Gatherer::new(text);
    for image in jsonc::values(json.root.as_ref(), "Image") {
        for name in jsonc::values(Some(image), "Name").filter_map(Value::as_string_lit) {
            add(&mut all, &json, name, None);
        }
    }
    if let Some(Value::Array(containers)) = &json.root {
        definitions(&mut all, &json, &containers.elements);
    }
    if let Some(root) = &json.root {
        walk(&mut all, &json, root);
    }
    Ok(all.finish())
}

/// Definitions wherever they stand: what `describe-task-definition` prints wraps them once more.
fn walk(all: &mut Gatherer<'_>, json: &Json<'_>, value: &Value<'_>) {
    if all.is_full() {
        return;
    }
    match value {
        Value::Object(object) => {
            for property in &object.properties {
                let list = property.value.as_array();
                match list.filter(|_| property.name.as_str() == "containerDefinitions") {
                    Some(list) => definitions(all, json, &list.elements),
                    None => walk(all, json, &property.value),
                }
            }
        }
        Value::Array(list) => list.elements.iter().for_each(|value| walk(all, json, value)),
        Value::StringLit(_)
        | Value::NumberLit(_)
        | Value::BooleanLit(_)
        | Value::NullKeyword(_) => {}
    }
}

fn definitions(all: &mut Gatherer<'_>, json: &Json<'_>, containers: &[Value<'_>]) {
    for container in containers {
        for image in jsonc::values(Some(container), "image").filter_map(Value::as_string_lit) {
            if all.is_full() {
                return;
            }
            add(all, json, image, jsonc::text_of(container, "name"));
        }
    }
}

fn add(all: &mut Gatherer<'_>, json: &Json<'_>, image: &StringLit<'_>, name: Option<String>) {
    let path = if name.is_some() { "containerDefinitions.image" } else { "image" };
    let literal = json.literal(image);
    // `<IMAGE1_NAME>` is what CodeDeploy fills in.
    if literal.value.starts_with('<') {
        return;
    }
    all.add(
        &literal,
        About {
            path: path.to_owned(),
            context: Context { kind: Some("task".to_owned()), workload: None, container: name },
            certainty: Certainty::Certain,
            purpose: Purpose::Workload,
        },
    );
}
