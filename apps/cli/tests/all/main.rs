//! The binary as a person meets it: commands in, transcripts out.

mod demo;
mod docs;
mod transcript;
