//! The binary as a person meets it: commands in, transcripts out.
#![cfg(test)]

mod ask;
mod asked;
mod check;
mod demo;
mod deploy;
mod deploy_cluster;
mod deploy_cluster_stop;
mod deploy_git;
mod deploy_pr;
mod docs;
mod dry_run;
mod git_host;
mod import_git;
mod no_record;
mod output;
mod partly;
mod pin;
mod pin_offline;
mod pin_update;
mod policy;
mod population;
mod publish;
mod record_docs;
mod refused;
mod sandbox;
mod scripted;
mod scripted_cluster;
mod serve;
mod server;
mod set;
mod status;
mod stocked;
mod team;
mod transcript;
