//! What a publish hands on to later steps of a CI, in the form that this CI reads.
//!
//! ```text
//! GITHUB_OUTPUT=/tmp/outputs  ->  digest=sha256:9f…   tag=20260317-143958-uat   reference=…
//! ```
//! The file is opened before anything is published: a release that later steps cannot name is no use to them.

use crate::arguments::Global;
use crate::exit::Failure;
use flows::App;
use flows::publish::Published;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use tagging::OutputForm;

/// Where the results will go.
pub(super) struct Outputs {
    target: Option<(OutputForm, Target)>,
}

enum Target {
    File(Opened),
    /// Azure reads commands from what a step prints.
    Printed,
}

/// A file that can be written to; removed again if nothing was and it was made for this.
struct Opened {
    path: PathBuf,
    file: File,
    made: Made,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    Here,
    Before,
}

impl Outputs {
    /// Finds and opens the place: the one that was told, else that of the CI.
    pub(super) fn open(global: &Global, app: &App, told: Option<&Path>) -> Result<Self, Failure> {
        let variables = &app.surroundings().variables;
        // What cannot be told here is refused by the publish itself, with its reason.
        let ci = tagging::detect(variables, None).ok().flatten();
        let form = ci.and_then(|ci| OutputForm::of(ci.provider));
        let in_folder = |path: &Path| app.surroundings().cwd.join(path);
        let (form, path) = match (told, form) {
            (Some(told), form) => (form.unwrap_or(OutputForm::GitLab), in_folder(told)),
            (None, None) => return Ok(Self { target: None }),
            (None, Some(OutputForm::Azure)) => {
                return Ok(Self { target: Some((OutputForm::Azure, Target::Printed)) });
            }
            (None, Some(OutputForm::GitLab)) => {
                (OutputForm::GitLab, in_folder(Path::new("indelible.env")))
            }
            (None, Some(OutputForm::GitHub)) => {
                let Some(path) = app.surroundings().variable("GITHUB_OUTPUT") else {
                    global.output().talk(
                        "warning: GITHUB_OUTPUT is not set, so later steps get no outputs; --output-file FILE names a file",
                    );
                    return Ok(Self { target: None });
                };
                (OutputForm::GitHub, in_folder(Path::new(path)))
            }
        };
        Ok(Self { target: Some((form, Target::File(Opened::open(path)?))) })
    }

    /// Gives the results to later steps.
    pub(super) fn write(
        self,
        global: &Global,
        app: &App,
        published: &Published,
    ) -> Result<(), Failure> {
        let Some((form, target)) = self.target else { return Ok(()) };
        let results = tagging::Published {
            digest: published.digest,
            tags: published.tags.iter().map(|done| done.tag.clone()).collect(),
            reference: published.reference(),
            release_time: published.at,
        };
        let delimiter = format!("indelible{:032x}", app.surroundings().random());
        let outputs = results.outputs().map_err(Failure::usage)?;
        let text = form.render(&outputs, &delimiter).map_err(Failure::usage)?;
        match target {
            Target::File(opened) => opened.append(&text),
            // A JSON document on stdout stays whole.
            Target::Printed if global.json => {
                crate::output::say(&text);
                Ok(())
            }
            Target::Printed => {
                global.output().text(&text);
                Ok(())
            }
        }
    }
}

impl Opened {
    fn open(path: PathBuf) -> Result<Self, Failure> {
        let made = OpenOptions::new().append(true).create_new(true).open(&path);
        let opened = match made {
            Ok(file) => Ok((file, Made::Here)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                OpenOptions::new().append(true).open(&path).map(|file| (file, Made::Before))
            }
            Err(error) => Err(error),
        };
        match opened {
            Ok((file, made)) => Ok(Self { path, file, made }),
            Err(error) => Err(wrong(&path, &error)),
        }
    }

    fn append(mut self, text: &str) -> Result<(), Failure> {
        self.made = Made::Before;
        self.file.write_all(text.as_bytes()).map_err(|error| wrong(&self.path, &error))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if self.made == Made::Here {
            // Nothing was published, and what stays behind is empty.
            let _removed = std::fs::remove_file(&self.path);
        }
    }
}

fn wrong(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("cannot write the outputs to {}: {error}", path.display()))
}
