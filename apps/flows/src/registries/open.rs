//! How clients are made: credentials, the token of the environment, proxies, the docker daemon.

use super::error::RegistryError;
use super::{Inner, Registries};
use crate::app::App;
use crate::settings::RecordPlace;
use crate::surroundings::Surroundings;
use domain::{RegistryHost, Secret};
use remote::place::Opener;
use remote::registry::{Proxies, RegistrySettings};
use remote::{Credential, Credentials, DockerConfig};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// The variable that carries a token of our server. Source: DESIGN §12, "Tokens".
pub const TOKEN_VARIABLE: &str = "INDELIBLE_TOKEN";
/// The variable that names the only host that gets the token; else the command's and the settings' hosts do.
pub(super) const TOKEN_HOST_VARIABLE: &str = "INDELIBLE_TOKEN_HOST";

impl Registries {
    pub(crate) fn open(app: &App) -> Result<Self, RegistryError> {
        let surroundings = app.surroundings();
        let mut credentials = Credentials::of(docker_configs(surroundings)?);
        if let Some(token) = surroundings.variable(TOKEN_VARIABLE) {
            // Only to hosts that the settings or the command call ours: a token must not reach a stranger.
            for host in own_hosts(app) {
                credentials = credentials.with(host, Credential::Bearer(Secret::new(token)));
            }
        }
        let docker = surroundings.variable("DOCKER_HOST").map(str::parse).transpose();
        let registry = RegistrySettings { credentials, ..client_settings(app) };
        let opener = Opener {
            registry,
            docker: docker
                .map_err(|error: remote::daemon::DockerHostError| {
                    RegistryError::DockerHost(error.into())
                })?
                .unwrap_or_default(),
            temp: surroundings.variable("TMPDIR").map_or_else(std::env::temp_dir, Into::into),
        };
        let (clients, owners) = (Mutex::default(), Mutex::default());
        let mirrors = app.loaded().map(|loaded| loaded.settings.mirrors.clone());
        let mirrors = mirrors.unwrap_or_default();
        Ok(Self { inner: Arc::new(Inner { opener, mirrors, clients, owners }) })
    }
}

/// How anybody is spoken to, without credentials: proxies, and who may be spoken to in clear text.
pub(crate) fn client_settings(app: &App) -> RegistrySettings {
    RegistrySettings {
        plain_http: app.options().plain_http.clone(),
        proxies: proxies(app.surroundings()),
        ..RegistrySettings::default()
    }
}

/// Hosts that get `INDELIBLE_TOKEN`: those that settings push to, the record's, and those that the command names.
fn own_hosts(app: &App) -> BTreeSet<RegistryHost> {
    if let Some(only) = app.surroundings().variable(TOKEN_HOST_VARIABLE) {
        return only.parse().into_iter().collect();
    }
    let mut hosts: BTreeSet<RegistryHost> = app.options().own_hosts.iter().cloned().collect();
    // An address that cannot be read is told where the record is opened.
    if let Ok(RecordPlace::Server(address)) = app.record_place() {
        hosts.insert(address.host);
    }
    if let Some(loaded) = app.loaded() {
        let settings = &loaded.settings;
        hosts.extend(settings.images.values().map(|image| image.repository.host().clone()));
        let own = settings.environments.iter().flat_map(|environment| environment.images.values());
        hosts.extend(own.map(|repository| repository.host().clone()));
    }
    hosts
}

/// The docker config of the user. Source: docker/cli: `$DOCKER_CONFIG`, else `~/.docker`.
fn docker_configs(surroundings: &Surroundings) -> Result<Vec<DockerConfig>, RegistryError> {
    let folder = surroundings.variable("DOCKER_CONFIG").map(std::path::PathBuf::from);
    let home =
        || surroundings.variable("HOME").map(|home| std::path::Path::new(home).join(".docker"));
    let Some(folder) = folder.or_else(home) else {
        return Ok(Vec::new());
    };
    let path = folder.join("config.json");
    let wrong = |source: Box<dyn std::error::Error + Send + Sync>| RegistryError::Config {
        path: path.display().to_string(),
        source,
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(vec![DockerConfig::read(&text).map_err(|error| wrong(error.into()))?]),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(wrong(error.into())),
    }
}

/// The proxies that the variables name, in either spelling, as other tools for registries read them.
fn proxies(surroundings: &Surroundings) -> Proxies {
    let first = |names: [&str; 2]| names.iter().find_map(|name| surroundings.variable(name));
    Proxies {
        http: first(["HTTP_PROXY", "http_proxy"]).map(Secret::new),
        https: first(["HTTPS_PROXY", "https_proxy"]).map(Secret::new),
        without: first(["NO_PROXY", "no_proxy"]).unwrap_or_default().to_owned(),
    }
}
