//! The real binary against programs that nobody here wrote, against many writers at once, against
//! `kill -9` and against power cuts.
#![cfg(test)]

mod clients;
mod cluster;
mod crash;
mod full_disk;
mod power_cut;
mod proxy;
mod race;
mod same_facts;
mod situations;
mod tls;
