//! To be written.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Arguments {}
pub(crate) fn run(_: &Arguments) -> anyhow::Result<crate::Outcome> {
    Ok(crate::Outcome::Bad)
}
