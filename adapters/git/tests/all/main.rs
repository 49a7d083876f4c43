//! The git adapter against the real program and bare repositories in temporary folders.

mod branch_store;
mod checkout;
mod hostile;
mod process;
mod sandbox;
mod write_back;
