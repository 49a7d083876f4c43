//! Which environment an image was built for, as far as its name tells.
//!
//! ```text
//! shop/api:20260317-143958-uat in files of prod  ->  of uat, by its tag
//! shop/api:uat                                   ->  of uat, by its alias
//! registry-uat.example.com/shop/api:v1           ->  of uat, by its repository
//! ```
//! A name is what somebody wrote; what the record says of the build is stronger, and is asked elsewhere.

use crate::settings::Settings;
use domain::{EnvironmentName, ImageRef, Repository, Tag};
use std::collections::BTreeMap;
use tagging::Scheme;

/// What the settings say of names.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    environments: Vec<EnvironmentName>,
    aliases: Vec<(Tag, EnvironmentName)>,
    /// Each repository of an image of the settings.
    images: BTreeMap<Repository, Image>,
}

#[derive(Clone, Debug, Default)]
struct Image {
    /// Schemes whose tags say the environment.
    schemes: Vec<Scheme>,
    /// The environments that take the image from here.
    used_by: Vec<EnvironmentName>,
}

impl Origins {
    pub(super) fn of(settings: &Settings) -> Self {
        let mut images: BTreeMap<Repository, Image> = BTreeMap::new();
        for (name, image) in &settings.images {
            let schemes = image.schemes.iter().filter(|scheme| scheme.has_environment());
            let schemes: Vec<Scheme> = schemes.cloned().collect();
            images.entry(image.repository.clone()).or_default().schemes.clone_from(&schemes);
            for environment in &settings.environments {
                if let Some(repository) = settings.repository(environment, name) {
                    let of = images.entry(repository.clone()).or_default();
                    of.schemes.clone_from(&schemes);
                    of.used_by.push(environment.name.clone());
                }
            }
        }
        let aliases = settings.environments.iter();
        let aliases = aliases.filter_map(|one| Some((one.alias.clone()?, one.name.clone())));
        Self {
            environments: settings.environments.iter().map(|one| one.name.clone()).collect(),
            aliases: aliases.collect(),
            images,
        }
    }

    /// The other environment that an image is of, and what tells it; nothing where nothing does.
    pub(super) fn other(
        &self,
        reference: &ImageRef,
        environment: &EnvironmentName,
    ) -> Option<(&EnvironmentName, &'static str)> {
        let image = self.images.get(reference.repository())?;
        if let Some(tag) = reference.tag()
            && let Some((other, why)) = self.by_tag(image, tag)
        {
            // What the tag says decides: a shared repository says nothing then.
            return (other != environment).then_some((other, why));
        }
        let is_own = image.used_by.contains(environment);
        let other = image.used_by.first().filter(|_| !is_own)?;
        Some((other, "by its repository"))
    }

    fn by_tag(&self, image: &Image, tag: &Tag) -> Option<(&EnvironmentName, &'static str)> {
        if let Some((_, other)) = self.aliases.iter().find(|(alias, _)| alias == tag) {
            return Some((other, "its alias"));
        }
        let is_of = |one: &&EnvironmentName| {
            image.schemes.iter().any(|scheme| tagging::is_of(scheme, Some(one), tag))
        };
        self.environments.iter().find(is_of).map(|other| (other, "by its tag"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = "version: 1
images:
  api: {repository: r.example.com/shop/api, tags: [timestamp-env]}
  web: {repository: r.example.com/shop/web, tags: [semver]}
environments:
  prod:
    branches: [prod]
    alias: live
    images: {web: {repository: r-prod.example.com/shop/web}}
  uat: {branches: [uat]}
";

    #[test]
    fn an_image_is_of_the_environment_that_its_name_says() {
        let origins = Origins::of(&crate::settings::read(SETTINGS).unwrap());
        let cases = [
            ("r.example.com/shop/api:20260317-143958-uat", "prod", Some(("uat", "by its tag"))),
            ("r.example.com/shop/api:20260317-143958-prod", "prod", None),
            ("r.example.com/shop/api:live", "uat", Some(("prod", "its alias"))),
            ("r.example.com/shop/api:live", "prod", None),
            ("r.example.com/shop/api:v1.4.2", "prod", None),
            ("r.example.com/shop/api", "prod", None),
            // Another environment's scheme is no scheme of this image.
            ("r.example.com/shop/web:20260317-143958-uat", "uat", None),
            ("r-prod.example.com/shop/web:v1.4.2", "uat", Some(("prod", "by its repository"))),
            ("r-prod.example.com/shop/web:v1.4.2", "prod", None),
            ("r.example.com/shop/web:v1.4.2", "prod", Some(("uat", "by its repository"))),
            ("other.example.com/shop/api:20260317-143958-uat", "prod", None),
        ];
        for (text, environment, expected) in cases {
            let environment = environment.parse().unwrap();
            let found = origins.other(&text.parse().unwrap(), &environment);
            let found = found.map(|(other, why)| (other.as_str(), why));
            assert_eq!(found, expected, "{text} in {environment}");
        }
    }
}
