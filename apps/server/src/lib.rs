//! The server: the registry at `/v2/`, the API at `/api/v1/`, one data folder, one socket.
//!
//! ```text
//! listener -> entry -> v2 (oci::Route)  -> store
//!                   -> api (axum)       -> store
//! ```
//! [`serve()`] starts one, in a process of its own or inside a test. Errors become answers in `reply.rs` alone.

mod access;
mod activity;
mod api;
mod app;
mod body;
mod entry;
mod listener;
mod metrics;
mod options;
mod reply;
mod scrape;
mod serve;
mod v2;

pub use api::api_paths;
pub use options::{
    API_BODY_BYTES_MAX, Anonymous, BODY_BYTES_PER_SECOND_MIN, CLAIMS_BODY_BYTES_MAX,
    IMPORT_BODY_BYTES_MAX, LOG_PAGE_BYTES_MAX, Limits, Options, Serves,
};
pub use scrape::{Numbers, scrape};
pub use serve::{Running, ServeError, serve};
