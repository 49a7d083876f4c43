//! A file for `artifacts:reports:dotenv`.
//!
//! Source: docs.gitlab.com, "artifacts:reports:dotenv", and GitLab's `parse_dotenv_artifact_service.rb`: one
//! `NAME=value` a line, no quotes, comments or empty lines, values trimmed, and `$NAME` in them expanded.

use super::{Output, OutputError};

/// The report is smaller than this. Source: GitLab's default limit `dotenv_size`, 5 KiB.
pub const DOTENV_BYTES_MAX: usize = 5 * 1024;
/// The most variables. Source: GitLab's default limit `dotenv_variables`, 20.
pub const DOTENV_VARIABLES_MAX: usize = 20;

pub(super) fn render(outputs: &[Output]) -> Result<String, OutputError> {
    if outputs.len() > DOTENV_VARIABLES_MAX {
        return Err(OutputError::DotenvVariables { found: outputs.len() });
    }
    let mut text = String::new();
    for output in outputs {
        let value = output.joined();
        if value.contains('$') || value.trim() != value {
            return Err(OutputError::GitLabChanges { name: output.name });
        }
        let name = output.name.to_ascii_uppercase();
        text.push_str(&format!("INDELIBLE_{name}={value}\n"));
    }
    if text.len() >= DOTENV_BYTES_MAX {
        return Err(OutputError::DotenvBytes { found: text.len() });
    }
    Ok(text)
}
