//! Flows over real adapters: the record in SQLite, on a git branch and on a server, under one contract.
#![cfg(test)]

mod asked;
mod conformance;
mod git_record;
mod http_record;
mod moving;
mod opened;
mod served;
mod tags_together;
