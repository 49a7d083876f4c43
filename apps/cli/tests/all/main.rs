//! The binary as a person meets it: commands in, transcripts out.
#![cfg(test)]

mod check;
mod demo;
mod deploy;
mod docs;
mod pin;
mod sandbox;
mod scripted;
mod set;
mod transcript;
