//! Logging commands for Azure's agent, which reads them from stdout.
//!
//! Source: learn.microsoft.com, "Logging commands"; the escapes are those of azure-pipelines-task-lib,
//! `node/taskcommand.ts`. `isOutput=true` needs a `name:` on the step: `$(publish.digest)`.

use super::Output;

pub(super) fn render(outputs: &[Output]) -> String {
    let command = |output: &Output| {
        format!(
            "##vso[task.setvariable variable={};isOutput=true]{}\n",
            output.name,
            escape(&output.joined())
        )
    };
    outputs.iter().map(command).collect()
}

/// Escapes a message: `%` first, or it would escape the escapes.
fn escape(value: &str) -> String {
    value.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")
}
