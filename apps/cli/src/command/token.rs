//! `indelible token create|list|revoke`

use super::rule::{api, of_api};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::table;
use clap::Subcommand;
use domain::{Pattern, RegistryHost};
use record::claim::Right;
use serde::Serialize;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token; its secret is printed once
    Create {
        /// Its name, which the history shows
        name: String,
        /// pull, push-new-tags, move-alias, delete, unlock, claims or admin
        #[arg(long, value_name = "RIGHT", value_delimiter = ',', required = true)]
        right: Vec<Right>,
        /// In which repositories
        #[arg(long, value_name = "PATTERN", default_value = "**")]
        repository: Pattern,
        /// The registry
        #[arg(long, value_name = "HOST", default_value = "127.0.0.1:5080")]
        registry: RegistryHost,
    },
    /// List tokens, without their secrets
    List {
        /// The registry
        #[arg(long, value_name = "HOST", default_value = "127.0.0.1:5080")]
        registry: RegistryHost,
    },
    /// Make a token useless
    Revoke {
        /// Its name
        name: String,
        /// The registry
        #[arg(long, value_name = "HOST", default_value = "127.0.0.1:5080")]
        registry: RegistryHost,
    },
}

#[derive(Serialize)]
struct WireCreated {
    name: String,
    rights: Vec<Right>,
    repositories: Pattern,
    token: String,
}

#[derive(Serialize)]
struct WireListed {
    tokens: Vec<WireToken>,
}

#[derive(Serialize)]
struct WireToken {
    name: String,
    rights: Vec<Right>,
    repositories: Pattern,
    created: String,
    revoked: Option<String>,
}

#[derive(Serialize)]
struct WireRevoked {
    name: String,
    revoked: bool,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    if global.dry_run {
        return Err(Failure::usage("`token` has no dry run"));
    }
    match arguments.what {
        What::Create { name, right, repository, registry } => {
            let made = api(global, &registry)
                .await?
                .create_token(&name, &right, &repository)
                .await
                .map_err(of_api)?;
            let wire = WireCreated {
                name: made.name.clone(),
                rights: made.rights.clone(),
                repositories: made.repositories.clone(),
                token: made.secret().expose().to_owned(),
            };
            global.output().data("token create", &wire, || format!("{}\n", wire.token));
            global.output().talk("this is shown once; the server keeps a hash of it");
        }
        What::List { registry } => list(global, &registry).await?,
        What::Revoke { name, registry } => {
            api(global, &registry).await?.revoke_token(&name).await.map_err(of_api)?;
            let wire = WireRevoked { name: name.clone(), revoked: true };
            global.output().data("token revoke", &wire, || {
                format!("{}: revoked\n", crate::output::plain(&name))
            });
        }
    }
    Ok(Exit::Done)
}

async fn list(global: &Global, registry: &RegistryHost) -> Result<(), Failure> {
    let tokens = api(global, registry).await?.tokens().await.map_err(of_api)?;
    let tokens: Vec<WireToken> = tokens
        .into_iter()
        .map(|token| WireToken {
            name: token.name,
            rights: token.rights,
            repositories: token.repositories,
            created: token.created.to_string(),
            revoked: token.revoked.map(|at| at.to_string()),
        })
        .collect();
    let wire = WireListed { tokens };
    global.output().data("token list", &wire, || {
        let rows: Vec<Vec<String>> = wire
            .tokens
            .iter()
            .map(|token| {
                let rights: Vec<&str> = token.rights.iter().map(|right| right.name()).collect();
                let revoked = token.revoked.clone().unwrap_or_else(|| "-".to_owned());
                vec![
                    token.name.clone(),
                    rights.join(","),
                    token.repositories.to_string(),
                    token.created.clone(),
                    revoked,
                ]
            })
            .collect();
        table(&["NAME", "RIGHTS", "REPOSITORIES", "CREATED", "REVOKED"], &rows)
    });
    Ok(())
}
