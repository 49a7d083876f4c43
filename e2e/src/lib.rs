//! What end-to-end tests and measurements stand on: images made by hand, the real binary as a process,
//! and an HTTP client that nobody else's retries or caches stand in front of.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let server = e2e::Server::start(std::path::Path::new("/tmp/somewhere/data"))?;
//! let image = e2e::Image::oci("good evening")?;
//! e2e::push(&mut server.connect()?, "shop/api", "1", &image)?;
//! # Ok(())
//! # }
//! ```
//! Blocking, on the standard library, and without a line of the program under test: an error of ours
//! is not made twice. The tests themselves are in `tests/all`.

mod distribution_api;
mod http;
mod image;
mod layout;
mod server;

pub use distribution_api::{fetch, link_next, push, push_blob, put_manifest, tags};
pub use http::{Answer, Http};
pub use image::{Blob, Image, sha256};
pub use layout::{read_blob, write_layout};
pub use server::Server;
