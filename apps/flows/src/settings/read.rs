//! From the text of `indelible.yaml` to settings.

use super::check::check;
use super::cluster;
use super::mirrors;
use super::pull_requests;
use super::shape::{At, shape};
use super::wire::{self, DeployWord, EventWord, RolloutWord, VerifiedWord};
use super::{
    Builds, CheckLevel, DeployMode, EnvironmentSettings, GitTarget, ImageSettings, RecordPlace,
    RolloutOrder, Settings, Webhook,
};
use crate::record_http::AddressError;
use ::record::when::parse_length;
use domain::{EnvironmentName, Pattern, Rule};
use release::VerifiedThere;
use tagging::{EnvironmentRule, EventKind, Scheme};

/// The longest settings file, in bytes.
pub const SETTINGS_BYTES_MAX: usize = 1024 * 1024;
/// The branch that is written to where none is named.
const BRANCH_DEFAULT: &str = "main";

/// The most addresses that are called.
const WEBHOOKS_MAX: usize = 8;
/// The longest soak: what was there for a month has shown what it can.
const SOAK_MS_MAX: i64 = 31 * 86_400_000;

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Too long.
    #[error("settings have at most {SETTINGS_BYTES_MAX} bytes, found {found}")]
    Length {
        /// The length in bytes.
        found: usize,
    },
    /// No YAML, a wrong shape, or a key or value that is none.
    #[error("{message}{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Shape {
        /// Where, if that can be told.
        at: Option<At>,
        /// What is wrong there.
        message: String,
        /// The known key that is nearest to an unknown one.
        nearest: Option<String>,
    },
    /// Another version of the format.
    #[error("settings of version {found} cannot be read by this program, which reads version 1")]
    Version {
        /// The version.
        found: u64,
    },
    /// A value that is wrong in its place.
    #[error("`{key}`: {why}")]
    Value {
        /// The key.
        key: String,
        /// Why.
        why: String,
    },
}

/// Reads settings.
///
/// # Errors
/// Names the key, and where there is one the nearest known key.
pub fn read(text: &str) -> Result<Settings, SettingsError> {
    if text.len() > SETTINGS_BYTES_MAX {
        return Err(SettingsError::Length { found: text.len() });
    }
    let file: wire::File = serde_saphyr::from_str(text).map_err(|error| shape(text, &error))?;
    if file.version != 1 {
        return Err(SettingsError::Version { found: file.version });
    }
    let images =
        file.images.0.into_iter().map(|(name, image)| (name, image_settings(image))).collect();
    let environments = file.environments.0.into_iter();
    let environments = environments.map(|(name, wire)| environment_settings(name, wire));
    let settings = Settings {
        record: record_place(file.record.as_deref().unwrap_or("local"))?,
        images,
        environments: environments.collect::<Result<_, _>>()?,
        rules: file.rules.into_iter().map(rule).collect(),
        ignore: super::ignore::read(file.ignore)?,
        webhooks: webhooks(file.webhooks)?,
        platforms: file.platforms,
        mirrors: mirrors::read(file.mirrors)?,
    };
    check(&settings)?;
    Ok(settings)
}

/// Whether an address can be called is told when it is first needed; here only what no machine would change.
fn webhooks(wire: Vec<wire::Webhook>) -> Result<Vec<Webhook>, SettingsError> {
    let wrong = |why: String| Err(SettingsError::Value { key: "webhooks".to_owned(), why });
    if wire.len() > WEBHOOKS_MAX {
        return wrong(format!("at most {WEBHOOKS_MAX} addresses, found {}", wire.len()));
    }
    let is_name = |name: &String| {
        let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        !name.is_empty() && name.bytes().all(fits)
    };
    if let Some(name) =
        wire.iter().filter_map(|one| one.token_variable.as_ref()).find(|name| !is_name(name))
    {
        let shown: String = name.chars().take(40).collect();
        let why = format!(
            "`{}` is no name of a variable: the token itself never stands in a file",
            shown.escape_debug()
        );
        return wrong(why);
    }
    let one = |wire: wire::Webhook| Webhook {
        url: domain::Secret::new(wire.url),
        token_variable: wire.token_variable,
    };
    Ok(wire.into_iter().map(one).collect())
}

fn rule(entry: wire::RuleEntry) -> Rule {
    let repositories = entry.repository.unwrap_or_else(Pattern::everything);
    Rule { repositories, tags: entry.tag, class: entry.is }
}

/// Reads where a record is, in the words of the settings.
///
/// # Errors
/// The text is none of them.
pub fn record_place(text: &str) -> Result<RecordPlace, SettingsError> {
    let wrong = |why: String| SettingsError::Value { key: "record".to_owned(), why };
    match text.split_once(':') {
        None if text == "local" => Ok(RecordPlace::Local),
        None if text == "git" => Ok(RecordPlace::Git(None)),
        Some(("git", url)) => {
            let url = git::RemoteUrl::parse(url).map_err(|error| wrong(error.to_string()))?;
            Ok(RecordPlace::Git(Some(url)))
        }
        Some(("file", path)) if !path.is_empty() => Ok(RecordPlace::File(path.into())),
        Some(("http" | "https", _)) => {
            let address: Result<_, AddressError> = text.parse();
            address.map(RecordPlace::Server).map_err(|error| wrong(error.to_string()))
        }
        Some(_) | None => Err(wrong(format!(
            "`{text}` is none of local, git, git:URL, file:PATH and https://HOST"
        ))),
    }
}

fn image_settings(wire: wire::Image) -> ImageSettings {
    let builds = match wire.environments {
        Some(wire::Shared::Shared) => Builds::Shared,
        None => Builds::PerEnvironment,
    };
    let schemes = wire.tags.unwrap_or_else(|| match builds {
        Builds::Shared => vec![Scheme::Timestamp],
        Builds::PerEnvironment => vec![Scheme::TimestampEnv],
    });
    ImageSettings { repository: wire.repository, schemes, builds }
}

fn environment_settings(
    name: EnvironmentName,
    wire: wire::Environment,
) -> Result<EnvironmentSettings, SettingsError> {
    let key = |what: &str| format!("environments.{name}.{what}");
    let deploy = deploy_mode(wire.deploy.unwrap_or(DeployWord::Files));
    let (clusters, namespace) = (wire.clusters, wire.namespace);
    cluster::names(&key("clusters"), &clusters)?;
    cluster::namespace(&key("namespace"), namespace.as_deref())?;
    let workloads = cluster::workloads(&key("workloads"), wire.workloads.0)?;
    let events = wire.events.iter().map(|word| match word {
        EventWord::Manual => EventKind::Manual,
        EventWord::Schedule => EventKind::Schedule,
    });
    let rule =
        EnvironmentRule { name: name.clone(), branches: wire.branches, events: events.collect() };
    let images = wire.images.0.into_iter().map(|(image, own)| (image, own.repository)).collect();
    Ok(EnvironmentSettings {
        rule,
        alias: wire.alias,
        promotes_from: wire.promotes_from,
        verified_there: match wire.verified_there.unwrap_or(VerifiedWord::Warn) {
            VerifiedWord::Required => VerifiedThere::Required,
            VerifiedWord::Warn => VerifiedThere::Warn,
            VerifiedWord::Off => VerifiedThere::Off,
        },
        soak_ms: wire.soak.map_or(Ok(0), |text| soak(&key("soak"), &text))?,
        deploy,
        git: git_target(&key("git"), wire.git)?,
        clusters,
        rollout: match wire.rollout.unwrap_or(RolloutWord::InOrder) {
            RolloutWord::InOrder => RolloutOrder::InOrder,
            RolloutWord::AtOnce => RolloutOrder::AtOnce,
        },
        namespace,
        workloads,
        images,
        check: wire.check.unwrap_or(CheckLevel::Tag),
        name,
    })
}

fn soak(key: &str, text: &str) -> Result<i64, SettingsError> {
    let wrong = |why| SettingsError::Value { key: key.to_owned(), why };
    let shown: String = text.chars().take(80).collect();
    let ms = parse_length(text)
        .ok_or_else(|| wrong(format!("`{shown}` is no length of time: write 10m, 2h or 1d")))?;
    if ms > SOAK_MS_MAX {
        return Err(wrong(format!("`{shown}` is more than {} days", SOAK_MS_MAX / 86_400_000)));
    }
    Ok(ms)
}

fn deploy_mode(word: DeployWord) -> DeployMode {
    match word {
        DeployWord::Files => DeployMode::Files,
        DeployWord::Git => DeployMode::Git,
        DeployWord::Pr => DeployMode::Pr,
        DeployWord::Cluster => DeployMode::Cluster,
        DeployWord::GitCluster => DeployMode::GitCluster,
    }
}

fn git_target(key: &str, wire: Option<wire::Git>) -> Result<GitTarget, SettingsError> {
    let wire = wire.unwrap_or_default();
    let wrong =
        |part: &str, why: String| SettingsError::Value { key: format!("{key}.{part}"), why };
    let repository = wire.repository.map(|url| {
        git::RemoteUrl::parse(&url).map_err(|error| wrong("repository", error.to_string()))
    });
    let branch = wire.branch.as_deref().unwrap_or(BRANCH_DEFAULT);
    let branch =
        branch.parse().map_err(|error: git::RevisionError| wrong("branch", error.to_string()))?;
    let path = wire.path.unwrap_or_default();
    let path = path.trim_end_matches('/').trim_start_matches("./");
    let is_inside = |part: &str| !part.is_empty() && part != "." && part != "..";
    let path = if path == "." { "" } else { path };
    if !path.is_empty() && !path.split('/').all(is_inside) {
        return Err(wrong("path", format!("`{path}` is not a path inside the repository")));
    }
    let at = format!("{key}.pull-requests");
    let pull_requests = wire.pull_requests.map(|wire| pull_requests::read(&at, wire));
    Ok(GitTarget {
        repository: repository.transpose()?,
        branch,
        path: path.to_owned(),
        pull_requests: pull_requests.transpose()?,
        synced_by: cluster::synced_by(&format!("{key}.synced-by"), &wire.synced_by)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"
version: 1
record: git
images:
  api: {repository: registry.example.com/shop/api, tags: [timestamp-env]}
  web: {repository: registry.example.com/shop/web, tags: [timestamp], environments: shared}
environments:
  prod:
    branches: [prod, "*-prod"]
    alias: prod
    promotes-from: uat
    verified-there: warn
    soak: 31d
    deploy: git
    git: {repository: git@git.example.com:shop/config.git, branch: main, path: apps/prod}
    clusters: [prod-eu, prod-us]
    namespace: shop
    workloads: {api: [deployment/api]}
    images: {api: {repository: registry-prod.example.com/shop/api}}
    check: digest
  uat:
    branches: ["**"]
    alias: uat
    deploy: files
rules:
  - {tag: "{latest,*-cache}", is: alias}
"#;

    #[test]
    fn webhooks_name_their_token_s_variable_and_are_as_many_as_the_limit() {
        let many = |count: usize| {
            let one = "\n- {url: \"https://hooks.example.com/x\", token-variable: HOOK_TOKEN}";
            read(&format!("version: 1\nwebhooks:{}\n", one.repeat(count)))
        };
        let settings = many(WEBHOOKS_MAX).unwrap();
        assert_eq!(settings.webhooks.len(), WEBHOOKS_MAX);
        assert_eq!(settings.webhooks[0].token_variable.as_deref(), Some("HOOK_TOKEN"));
        assert!(
            !format!("{settings:?}").contains("hooks.example.com"),
            "some addresses are secrets"
        );
        assert!(many(WEBHOOKS_MAX + 1).is_err());
        let pasted = "version: 1\nwebhooks:\n- {url: \"https://a.example.com\", token-variable: xoxb-secret}\n";
        let error = read(pasted).unwrap_err().to_string();
        assert!(error.contains("no name of a variable"), "{error}");
    }

    #[test]
    fn the_design_s_example_is_read() {
        let settings = read(FULL).unwrap();
        let names: Vec<_> = settings.environments.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(names, ["prod", "uat"], "the order of the file decides");
        let prod = &settings.environments[0];
        assert_eq!(prod.check, CheckLevel::Digest);
        assert_eq!(prod.git.path, "apps/prod");
        let soaks = settings.environments.iter().map(|one| one.soak_ms).collect::<Vec<_>>();
        assert_eq!(soaks, [31 * 86_400_000, 0]);
        assert_eq!((prod.clusters.len(), prod.namespace.as_deref()), (2, Some("shop")));
        let workloads = &prod.workloads[&"api".parse().unwrap()];
        assert_eq!(workloads, &["deployment/api".parse().unwrap()]);
        let api = "api".parse().unwrap();
        assert_eq!(
            settings.repository(prod, &api).unwrap().to_string(),
            "registry-prod.example.com/shop/api"
        );
        assert_eq!(settings.first_of_chain(prod).name.as_str(), "uat");
        assert_eq!(
            settings.image_of(&"registry-prod.example.com/shop/api".parse().unwrap()),
            Some(&api)
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_our_words_with_its_place() {
        let cases = [
            ("version: 1\nimagez: {}\n", (2, 1), "unknown key `imagez`; did you mean `images`?"),
            (
                "version: 1\nzzz: {}\n",
                (2, 1),
                "unknown key `zzz`; known are version, record, images, environments, rules, ignore, webhooks, platforms, mirrors",
            ),
            (
                "version: 1\nenvironments:\n  prod:\n    deploy: gitt\n",
                (4, 13),
                "`deploy`: unknown word `gitt`; did you mean `git`?",
            ),
            ("version: one\n", (1, 10), "`version`: a whole number is expected here"),
            (
                "version: 1\nenvironments: {prod: {branches: prod}}\n",
                (2, 33),
                "`branches`: a list is expected here, such as [a, b]",
            ),
            ("version: 1\nimages: [\n", (2, 9), "`images`: keys with values are expected here"),
            ("version: 1\nimages: {api: {}}\n", (2, 15), "`repository` is missing in `api`"),
            ("version: 1\nversion: 1\n", (2, 1), "`version` stands here twice"),
            (
                "version: 1\n---\nversion: 1\n",
                (3, 1),
                "a second document begins here, and settings are one",
            ),
            (
                "version: 1\nimages:\n  api: {repository: 'a.example.com/b:1'}\n",
                (3, 21),
                "`repository`: `a.example.com/b:1` names a tag or a digest, a repository was expected",
            ),
            (
                "version: 1\nenvironments:\n  prod:\n   alias: x\n  uat\n",
                (5, 3),
                "the YAML is broken here: look for a missing `:`, quote or bracket, and at the indentation",
            ),
        ];
        for (text, (line, column), expected) in cases {
            let error = read(text).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text}");
            let SettingsError::Shape { at, .. } = error else { panic!("{text}") };
            assert_eq!(at, Some(At { line, column }), "{text}");
        }
    }

    fn error_of(change: (&str, &str)) -> SettingsError {
        assert!(FULL.contains(change.0), "{}", change.0);
        read(&FULL.replacen(change.0, change.1, 1)).unwrap_err()
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let error = error_of(("promotes-from", "promote-from")).to_string();
        assert!(error.ends_with("did you mean `promotes-from`?"), "{error}");
        let error = error_of(("alias: prod", "aliases: prod")).to_string();
        assert!(error.contains("did you mean `alias`?"), "{error}");
    }

    #[test]
    fn wrong_values_are_named() {
        let cases = [
            (("version: 1", "version: 2"), "version 2"),
            (("deploy: git", "deploy: git+helm"), "`git+helm`"),
            (("deploy: files", "deploy: cluster"), "`environments.uat.clusters`"),
            (("clusters: [prod-eu, prod-us]", "clusters: [prod-eu, prod-eu]"), "twice"),
            (("clusters: [prod-eu, prod-us]", "clusters: [\"\"]"), "no context"),
            (("namespace: shop", "namespace: Shop"), "not a namespace"),
            (("alias: uat", "soak: 32d"), "more than 31 days"),
            (("alias: uat", "soak: soon"), "no length of time"),
            (("[deployment/api]", "[replicaset/api]"), "keeps the pods"),
            (("[deployment/api]", "[deployment/api, deployment/api]"), "twice"),
            (("[deployment/api]", "[]"), "at least one"),
            (("workloads: {api:", "workloads: {job:"), "there is no image `job`"),
            (
                ("record: git", "record: https://indelible.example.com/shop"),
                "nothing behind the host",
            ),
            (("record: git", "record: ftp://indelible.example.com"), "https://HOST"),
            (("path: apps/prod", "path: ../prod"), "not a path inside"),
            (("branch: main", "branch: -d"), "not the name of a branch"),
            (("promotes-from: uat", "promotes-from: qa"), "qa"),
            (("promotes-from: uat", "promotes-from: prod"), "prod"),
            (("  uat:\n", "  eu-prod:\n"), "eu-prod"),
            (("{api: {repository: registry-prod", "{job: {repository: registry-prod"), "job"),
            (("shop/web", "shop/web:1"), "tag or a digest"),
            (("record: git\n", "record: git\nplatforms: [linux]\n"), "`linux` is not a platform"),
        ];
        for (change, expected) in cases {
            let error = error_of(change).to_string();
            assert!(error.contains(expected), "{change:?}: {error}");
        }
    }

    #[test]
    fn the_longest_settings_are_read_and_one_more_byte_is_not() {
        let fill = |len: usize| format!("version: 1\n#{}", "x".repeat(len - 12));
        assert!(read(&fill(SETTINGS_BYTES_MAX)).is_ok());
        let found = SETTINGS_BYTES_MAX + 1;
        assert_eq!(read(&fill(found)), Err(SettingsError::Length { found }));
    }
}
