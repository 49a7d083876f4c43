//! Flows over real adapters: the record in SQLite and on a git branch, under one contract.
#![cfg(test)]

mod conformance;
mod git_record;
mod opened;
mod tags_together;
