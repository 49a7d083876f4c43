//! `indelible man`: manual pages, from the same definitions as `--help`.
//!
//! ```text
//! indelible man --output share/man/man1   ->   indelible.1, indelible-check.1, …
//! ```

use crate::arguments::{Arguments as Everything, Global};
use crate::exit::{Exit, Failure};
use clap::CommandFactory as _;
use std::path::PathBuf;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A folder for a page of each command; without it, the program's own page is printed
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let mut command = Everything::command();
    command.build();
    let Some(folder) = arguments.output else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut page);
        rendered.map_err(|error| Failure::usage(format!("cannot write the page: {error}")))?;
        global.output().text(&String::from_utf8_lossy(&page));
        return Ok(Exit::Done);
    };
    let wrong = |error: std::io::Error| {
        Failure::usage(format!("cannot write pages to {}: {error}", folder.display()))
    };
    std::fs::create_dir_all(&folder).map_err(wrong)?;
    clap_mangen::generate_to(command, &folder).map_err(wrong)?;
    Ok(Exit::Done)
}
