//! Real peers for tests: programs that were not written here, found, started, awaited and stopped.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let Ok(crane) = testbed::peer("crane") else {
//!     return Ok(testbed::skip("crane_pushes", "crane is not installed"));
//! };
//! let registry = testbed::Distribution::start()?;
//! let pushed = crane.command().args(["catalog", registry.host()]).output()?;
//! assert!(pushed.status.success(), "with {}", crane.version());
//! # Ok(())
//! # }
//! ```
//!
//! `cargo xtask setup` installs the peers; `cargo xtask test` says where they are. Blocking, and
//! without any crate of this workspace: every crate's tests may use it.
#![expect(
    clippy::disallowed_methods,
    reason = "tests are told where the peers are by environment variables, and start them"
)]

mod cluster;
mod deadline;
mod distribution;
mod dockerd;
mod peer;
mod port;
mod running;
mod skip;
mod under_test;

pub use cluster::{
    Cluster, KWOK_DIGEST, KWOK_NODE, Machine, Mark, NODES, Nodes, Started, Traces, stop_in,
};
pub use deadline::{wait_until, wait_until_within};
pub use distribution::Distribution;
pub use dockerd::Dockerd;
pub use peer::{BUILT_PEERS, Missing, Peer, definition, peer};
pub use port::{answers_http, free_port};
pub use running::Running;
pub use skip::{long, skip};
pub use under_test::indelible_bin;
