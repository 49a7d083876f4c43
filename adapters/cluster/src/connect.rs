//! From a kubeconfig's context to a client.

use crate::error::ClusterError;
use kube::config::{KubeConfigOptions, Kubeconfig};
use std::path::PathBuf;
use std::time::Duration;

/// Source: DESIGN §12, limits.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Between two bytes of an answer. Source: DESIGN §12, limits.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// Which cluster.
#[derive(Clone, Debug, Default)]
pub struct ConnectTo {
    /// The files of `KUBECONFIG`, else `~/.kube/config`; of two that say the same, the first counts.
    pub kubeconfig: Vec<PathBuf>,
    /// The context; none: the current one.
    pub context: Option<String>,
}

/// A cluster that can be asked.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) client: kube::Client,
    pub(crate) context: String,
    pub(crate) namespace: String,
    pub(crate) server: String,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("context", &self.context).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Reads the kubeconfig and makes a client; nothing is asked yet.
    ///
    /// # Errors
    /// No kubeconfig, no such context, or credentials that cannot be read.
    pub async fn connect(to: &ConnectTo) -> Result<Self, ClusterError> {
        let kubeconfig = read(&to.kubeconfig)?;
        let known = || {
            let names: Vec<_> = kubeconfig.contexts.iter().map(|one| one.name.as_str()).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        let context = match (&to.context, &kubeconfig.current_context) {
            (Some(name), _) => name.clone(),
            (None, Some(name)) if !name.is_empty() => name.clone(),
            (None, _) => return Err(ClusterError::NoCurrentContext { known: known() }),
        };
        if !kubeconfig.contexts.iter().any(|one| one.name == context) {
            return Err(ClusterError::NoContext { name: context, known: known() });
        }
        let options = KubeConfigOptions { context: Some(context.clone()), ..Default::default() };
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(ClusterError::Kubeconfig)?;
        config.connect_timeout = Some(CONNECT_WITHIN);
        config.read_timeout = Some(IDLE_MAX);
        config.reset_reader_on_write = true;
        config.write_timeout = Some(IDLE_MAX);
        let namespace = config.default_namespace.clone();
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = kube::Client::try_from(config)
            .map_err(|error| ClusterError::of(error, &context, "use", || "its API".to_owned()))?;
        Ok(Self { client, context, namespace, server })
    }

    /// The context's name.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The address of its API server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The namespace that the context names, else `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }
}

/// A context of a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextName {
    /// Its name.
    pub name: String,
    /// Its namespace, where it names one.
    pub namespace: Option<String>,
}

/// The contexts of these files, in their order; none where there is no file.
///
/// # Errors
/// A file that is no kubeconfig.
pub fn contexts(kubeconfig: &[PathBuf]) -> Result<Vec<ContextName>, ClusterError> {
    let kubeconfig = match read(kubeconfig) {
        Ok(kubeconfig) => kubeconfig,
        Err(ClusterError::NoKubeconfig { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let named = kubeconfig.contexts.into_iter().map(|one| ContextName {
        name: one.name,
        namespace: one.context.and_then(|context| context.namespace),
    });
    Ok(named.collect())
}

/// Reads and joins the files that are there, as kubectl does.
fn read(paths: &[PathBuf]) -> Result<Kubeconfig, ClusterError> {
    let mut joined: Option<Kubeconfig> = None;
    for path in paths.iter().filter(|path| path.is_file()) {
        let next = Kubeconfig::read_from(path).map_err(ClusterError::Kubeconfig)?;
        joined = Some(match joined {
            Some(first) => first.merge(next).map_err(ClusterError::Kubeconfig)?,
            None => next,
        });
    }
    joined.ok_or_else(|| ClusterError::NoKubeconfig { paths: paths.to_owned() })
}
