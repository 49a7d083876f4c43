//! The public face of `remote`: places that are read and written, against scripted and real peers.

mod archives;
mod auth;
mod daemon;
mod distribution;
mod egress;
mod helpers_of_docker;
mod images;
mod layouts;
mod reads;
mod script;
mod tags;
mod uploads;
