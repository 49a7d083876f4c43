//! `indelible rule set|list|explain`: which tags of a registry may move.

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::{plain, table};
use crate::process;
use clap::Subcommand;
use domain::{Pattern, RegistryHost, Rule, TagClass, TaggedRef};
use flows::registries::{Registries, RegistryError};
use serde::Serialize;
use vendors::Api;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Set a rule; it is asked before all others
    Set {
        /// Repositories by their path: `**`, `shop/*`
        repositories: Pattern,
        /// Tags: `{uat,prod}`, `*-cache`
        tags: Pattern,
        /// immutable, alias or append
        class: TagClass,
        /// The registry
        #[arg(long, value_name = "HOST", default_value = "127.0.0.1:5080")]
        registry: RegistryHost,
    },
    /// List the rules in the order in which they are asked
    List {
        /// The registry
        #[arg(long, value_name = "HOST", default_value = "127.0.0.1:5080")]
        registry: RegistryHost,
    },
    /// Say which class a tag has, and why
    Explain {
        /// REPO:TAG
        #[arg(value_name = "REPO:TAG")]
        reference: TaggedRef,
    },
}

#[derive(Serialize)]
struct WireRules<'a> {
    registry: String,
    rules: &'a [Rule],
}

#[derive(Serialize)]
struct WireSet<'a> {
    registry: String,
    rules: &'a [Rule],
    /// Whether it is the first rule already, so that nothing changes.
    same: bool,
    dry_run: bool,
}

#[derive(Serialize)]
struct WireExplained {
    reference: String,
    class: TagClass,
    fixed: bool,
    explained: serde_json::Value,
}

/// The API of a registry of ours, with what proves us there.
pub(super) async fn api(global: &Global, host: &RegistryHost) -> Result<Api, Failure> {
    let app = process::app_at(global, [host.clone()])?;
    Ok(Registries::of(&app)?.api(host).await?)
}

pub(super) fn of_api(error: vendors::ApiError) -> Failure {
    RegistryError::from(error).into()
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.what {
        What::Set { repositories, tags, class, registry } => {
            set(global, &registry, &Rule { repositories, tags, class }).await?;
        }
        What::List { registry } => {
            let rules = api(global, &registry).await?.rules().await.map_err(of_api)?;
            let wire = WireRules { registry: registry.to_string(), rules: &rules };
            global.output().data("rule list", &wire, || rules_text(&rules));
        }
        What::Explain { reference } => explain(global, &reference).await?,
    }
    Ok(Exit::Done)
}

async fn set(global: &Global, registry: &RegistryHost, rule: &Rule) -> Result<(), Failure> {
    let api = api(global, registry).await?;
    // Rules are asked in order: the same one further down would not decide the same.
    let same = api.rules().await.map_err(of_api)?.first() == Some(rule);
    if !global.dry_run && !same {
        api.set_rule(rule).await.map_err(of_api)?;
    }
    let (dry_run, rules) = (global.dry_run, std::slice::from_ref(rule));
    let wire = WireSet { registry: registry.to_string(), rules, same, dry_run };
    global.output().data("rule set", &wire, || {
        let (would, already) = match (same, dry_run) {
            (true, _) => ("", " already"),
            (false, true) => ("would be ", ""),
            (false, false) => ("", ""),
        };
        format!(
            "{registry}: tags {} in {} {would}{}{already}\n",
            rule.tags, rule.repositories, rule.class
        )
    });
    Ok(())
}

fn rules_text(rules: &[Rule]) -> String {
    let row = |rule: &Rule| {
        vec![rule.repositories.to_string(), rule.tags.to_string(), rule.class.to_string()]
    };
    let mut rows: Vec<Vec<String>> = rules.iter().map(row).collect();
    for (tags, class) in
        [("sha256-*", "append"), ("{latest,*-cache,buildcache}", "alias"), ("**", "immutable")]
    {
        rows.push(vec!["**".to_owned(), tags.to_owned(), format!("{class} (built in)")]);
    }
    table(&["REPOSITORIES", "TAGS", "CLASS"], &rows)
}

async fn explain(global: &Global, reference: &TaggedRef) -> Result<(), Failure> {
    let host = reference.repository.host();
    let found = api(global, host)
        .await?
        .rule_of(reference.repository.path(), &reference.tag)
        .await
        .map_err(of_api)?;
    let found = found
        .ok_or_else(|| Failure::usage(format!("{host} is no Indelible server: it has no rules")))?;
    let wire = WireExplained {
        reference: reference.to_string(),
        class: found.class,
        fixed: found.fixed,
        explained: found.explained.clone(),
    };
    global.output().data("rule explain", &wire, || {
        let by = match found.explained.get("by").and_then(serde_json::Value::as_str) {
            Some("rule") => {
                let tags =
                    found.explained.pointer("/rule/tags").and_then(serde_json::Value::as_str);
                format!("the rule for tags {}", plain(tags.unwrap_or("?")))
            }
            Some("built-in") => "a built-in rule".to_owned(),
            Some(_) | None => "no rule: the default".to_owned(),
        };
        let fixed = if found.fixed { "; it was written, so its class stays" } else { "" };
        format!("{reference} is {}: {by}{fixed}\n", found.class)
    });
    Ok(())
}
