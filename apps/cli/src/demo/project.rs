//! `examples/shop`, inside this binary, so that an installed one can tell the story too.

use super::DemoError;
use std::path::Path;

/// The registry that the project's files name; the demo puts its own address there.
const REGISTRY: &str = "registry.example.com";
/// The address of the second repository in the project's settings.
const CONFIGURATION: &str = "https://git.example.com/shop/config.git";

/// One file of the project: its path, and its text.
type File = (&'static str, &'static str);

macro_rules! shop {
    ($path:literal) => {
        ($path, include_str!(concat!("../../../../examples/shop/", $path)))
    };
}

/// What the source repository begins with.
const SOURCE: [File; 4] = [
    shop!("indelible.yaml"),
    shop!("api/Dockerfile"),
    shop!("api/prices.json"),
    shop!("api/server.py"),
];
/// What the configuration repository begins with.
const WORKLOADS: [File; 3] = [
    shop!("deploy/uat/api.yaml"),
    shop!("deploy/prod/api.yaml"),
    shop!("deploy/prod/kustomization.yaml"),
];
/// What the story changes.
const CHANGES: [File; 2] = [shop!("changes/tea.patch"), shop!("changes/coffee.patch")];

/// Writes the source, with the addresses of this demo.
pub(super) fn write_source(
    folder: &Path,
    registry: &str,
    configuration: &Path,
) -> Result<(), DemoError> {
    let configuration = configuration.display().to_string();
    write(folder, &SOURCE, &[(REGISTRY, registry), (CONFIGURATION, &configuration)])
}

/// Writes the Kubernetes files, with the address of this demo.
pub(super) fn write_workloads(folder: &Path, registry: &str) -> Result<(), DemoError> {
    write(folder, &WORKLOADS, &[(REGISTRY, registry)])
}

/// Writes the patches.
pub(super) fn write_changes(folder: &Path) -> Result<(), DemoError> {
    write(folder, &CHANGES, &[])
}

fn write(folder: &Path, files: &[File], replaced: &[(&str, &str)]) -> Result<(), DemoError> {
    for (path, text) in files {
        let at = folder.join(path);
        if let Some(parent) = at.parent() {
            std::fs::create_dir_all(parent).map_err(DemoError::io("make", parent))?;
        }
        let text =
            replaced.iter().fold((*text).to_owned(), |text, (from, to)| text.replace(from, to));
        std::fs::write(&at, text).map_err(DemoError::io("write", &at))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_are_read_and_every_address_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        write_source(folder.path(), "127.0.0.1:5080", Path::new("/srv/config.git")).unwrap();
        write_workloads(folder.path(), "127.0.0.1:5080").unwrap();
        let loaded = flows::settings::load(&folder.path().join("indelible.yaml")).unwrap();
        let prod = &loaded.settings.environments[0];
        assert_eq!(prod.git.repository.as_ref().unwrap().to_string(), "/srv/config.git");
        for (path, _) in SOURCE.iter().chain(&WORKLOADS) {
            let text = std::fs::read_to_string(folder.path().join(path)).unwrap();
            assert!(!text.contains("example.com"), "{path}: {text}");
        }
    }

    #[test]
    fn the_settings_as_they_stand_in_the_example_are_read() {
        flows::settings::read(SOURCE[0].1).unwrap();
    }
}
