//! `indelible token create|list|revoke`

use super::rule::{api, of_api};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::{plain, table};
use clap::Subcommand;
use domain::{Pattern, RegistryHost};
use record::claim::Right;
use serde::Serialize;
use vendors::{Api, TokenListed};

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
        /// pull, push-new-tags, move-alias, delete, unlock, claims, decisions, runs or admin
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
    /// Told once; none with `--dry-run`.
    token: Option<String>,
    dry_run: bool,
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
    dry_run: bool,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.what {
        What::Create { name, right, repository, registry } => {
            create(global, &registry, name, right, repository).await?;
        }
        What::List { registry } => list(global, &registry).await?,
        What::Revoke { name, registry } => revoke(global, &registry, name).await?,
    }
    Ok(Exit::Done)
}

async fn create(
    global: &Global,
    registry: &RegistryHost,
    name: String,
    rights: Vec<Right>,
    repositories: Pattern,
) -> Result<(), Failure> {
    let api = api(global, registry).await?;
    let there = api.tokens().await.map_err(of_api)?;
    let wire = if global.dry_run {
        check_name(&name)?;
        if there.iter().any(|token| token.name == name) {
            let taken = format!("{registry} has a token `{}` already", plain(&name));
            return Err(Failure::usage(taken).with_exit(Exit::No));
        }
        WireCreated { name, rights, repositories, token: None, dry_run: true }
    } else {
        let made = api.create_token(&name, &rights, &repositories).await.map_err(of_api)?;
        WireCreated {
            name: made.name.clone(),
            rights: made.rights.clone(),
            repositories: made.repositories.clone(),
            token: Some(made.secret().expose().to_owned()),
            dry_run: false,
        }
    };
    global.output().data("token create", &wire, || match &wire.token {
        Some(token) => format!("{token}\n"),
        None => {
            let rights: Vec<&str> = wire.rights.iter().map(|right| right.name()).collect();
            let (name, rights) = (plain(&wire.name), rights.join(","));
            format!("{name}: would be made, with {rights} in {}\n", wire.repositories)
        }
    });
    if !wire.dry_run {
        global.output().talk("this is shown once; the server keeps a hash of it");
    }
    if there.is_empty() {
        global.output().talk(
            "warning: with its first token the server lets nobody in without one any more, also on this machine; \
             admin.token in its data folder is the administrator's (INDELIBLE_TOKEN carries one)",
        );
    }
    Ok(())
}

/// The server's own rule for names, for a plan that does not ask it to make one.
fn check_name(name: &str) -> Result<(), Failure> {
    let fits = (1..=store::TOKEN_NAME_LEN_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        return Ok(());
    }
    let most = store::TOKEN_NAME_LEN_MAX;
    Err(Failure::usage(format!(
        "`{}` is no token's name: 1 to {most} visible ASCII characters",
        plain(name)
    )))
}

async fn listed(api: &Api, name: &str) -> Result<Option<TokenListed>, Failure> {
    let tokens = api.tokens().await.map_err(of_api)?;
    Ok(tokens.into_iter().find(|token| token.name == name))
}

async fn revoke(global: &Global, registry: &RegistryHost, name: String) -> Result<(), Failure> {
    let api = api(global, registry).await?;
    if global.dry_run {
        let unknown = || format!("{registry} has no token `{}`", plain(&name));
        let token = listed(&api, &name).await?;
        let token = token.ok_or_else(|| Failure::usage(unknown()))?;
        let word = if token.revoked.is_some() { "revoked already" } else { "would be revoked" };
        let wire = WireRevoked { name, revoked: token.revoked.is_some(), dry_run: true };
        global.output().data("token revoke", &wire, || format!("{}: {word}\n", plain(&wire.name)));
        return Ok(());
    }
    api.revoke_token(&name).await.map_err(of_api)?;
    let wire = WireRevoked { name, revoked: true, dry_run: false };
    global.output().data("token revoke", &wire, || format!("{}: revoked\n", plain(&wire.name)));
    Ok(())
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
