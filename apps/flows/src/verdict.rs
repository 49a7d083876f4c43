//! How an error of a flow ends a command.

/// What an error means to the person or pipeline that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No: a rule or a person's decision speaks against it.
    Refused,
    /// It could not be found out, or the input was wrong.
    Unknown,
    /// A tag is taken by other bytes.
    Taken,
}

/// An error that says how the command ends and, where there is one, the command that fixes it.
pub trait Explain: std::error::Error + Send + Sync + 'static {
    /// How the command ends.
    fn verdict(&self) -> Verdict;

    /// A command to copy, or one sentence.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// An error with its causes in one line, each once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}
