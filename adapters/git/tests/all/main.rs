//! The git adapter against the real program and bare repositories in temporary folders.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot go on without may stop it; clippy knows only bodies marked #[test]"
)]

mod branch_store;
mod checkout;
mod hostile;
mod left_behind;
mod past;
mod process;
mod processes;
mod proposal;
mod sandbox;
mod turns;
mod write_back;
