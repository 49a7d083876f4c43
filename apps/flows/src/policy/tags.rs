//! Which tags are an environment's own, and which say that they are of another.
//!
//! ```text
//! images api (timestamp-env), environments prod and uat (alias uat)
//!   -> of prod: own ^[0-9]{8}-[0-9]{6}-prod$     of uat: ^[0-9]{8}-[0-9]{6}-uat$, ^uat$
//! ```

use crate::settings::{EnvironmentSettings, Settings};
use domain::EnvironmentName;
use std::collections::BTreeSet;
use tagging::{literal, pattern_of};

/// The patterns of this environment's tags: its schemes' and its alias.
pub(super) fn own(settings: &Settings, environment: &EnvironmentSettings) -> BTreeSet<String> {
    let schemes = settings.images.values().flat_map(|image| &image.schemes);
    let written = schemes.filter_map(|scheme| pattern_of(scheme, &environment.name));
    let alias = environment.alias.iter().map(|alias| format!("^{}$", literal(alias.as_str())));
    written.chain(alias).collect()
}

/// The patterns of every other environment's tags, with its name; those that are its own too say nothing.
pub(super) fn others(
    settings: &Settings,
    environment: &EnvironmentSettings,
) -> BTreeSet<(EnvironmentName, String)> {
    let own_tags = own(settings, environment);
    let others = settings.environments.iter().filter(|other| other.name != environment.name);
    let of = |other: &EnvironmentSettings| {
        let name = other.name.clone();
        own(settings, other).into_iter().map(move |pattern| (name.clone(), pattern))
    };
    others.flat_map(of).filter(|(_, pattern)| !own_tags.contains(pattern)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::read;

    const SETTINGS: &str = "
version: 1
record: local
images:
  api: {repository: registry.example.com/shop/api, tags: [timestamp-env]}
  web: {repository: registry.example.com/shop/web, tags: [semver, \"{branch}-{env}\"]}
environments:
  prod: {branches: [prod], alias: stable}
  uat: {branches: [\"**\"], alias: uat.1}
  dev: {branches: [dev], alias: stable}
";

    #[test]
    fn the_tags_of_others_are_those_of_their_schemes_and_their_alias() {
        let settings = read(SETTINGS).unwrap();
        let prod = settings.environment(&"prod".parse().unwrap()).unwrap();
        let own: Vec<_> = own(&settings, prod).into_iter().collect();
        assert_eq!(own, ["^.+-prod$", "^[0-9]{8}-[0-9]{6}-prod$", "^stable$"]);
        let others = others(&settings, prod);
        let others: Vec<_> = others.iter().map(|(of, what)| format!("{of} {what}")).collect();
        // The alias that both have is nobody's sign.
        assert_eq!(
            others,
            [
                "dev ^.+-dev$",
                "dev ^[0-9]{8}-[0-9]{6}-dev$",
                "uat ^.+-uat$",
                "uat ^[0-9]{8}-[0-9]{6}-uat$",
                r"uat ^uat\.1$",
            ]
        );
    }
}
