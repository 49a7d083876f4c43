//! What a merge of an edit would restart: whoever uses a reference that changes.
//!
//! ```text
//! a Deployment `api` in deploy/api.yaml -> deployment/api       a Compose service `web` -> service/web
//! an entry of a kustomization           -> what kustomization.yaml gives shop/api to
//! ```
//! A Dockerfile or a pipeline restarts nothing: its change shows in the next build.

use pin::{Format, Purpose, Site};
use std::collections::BTreeSet;

/// Adds who uses this place.
pub(super) fn add(all: &mut BTreeSet<String>, shown: &str, format: Format, site: &Site) {
    let context = &site.context;
    if site.purpose != Purpose::Workload {
        return;
    }
    if format == Format::Kustomize {
        let image = context.container.as_deref().unwrap_or(&site.text);
        all.insert(format!("what {shown} gives {image} to"));
    } else if format == Format::Compose {
        all.extend(context.container.iter().map(|name| format!("service/{name}")));
        // `services.web.image`: another service that takes its value from here.
        let users = site.aliases.iter().filter_map(|alias| alias.path.split('.').nth(1));
        all.extend(users.map(|name| format!("service/{name}")));
    } else if let (Some(kind), Some(name)) = (&context.kind, &context.workload) {
        all.insert(format!("{}/{name}", kind.to_lowercase()));
    } else {
        all.insert(format!("what {shown} describes"));
    }
}
