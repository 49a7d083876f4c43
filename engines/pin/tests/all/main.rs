//! The public face of the engine: text in, findings and texts out.

mod compose;
mod dockerfile;
mod fixtures;
mod helm;
mod judging;
mod kubernetes;
mod kustomize;
mod languages;
mod limits;
mod pipelines;
mod planning;
mod properties;
mod support;
mod torture;
