//! One commit, made without an index and without files: the text that `git fast-import` reads.
//!
//! ```text
//! commit refs/indelible/made/…   from <tip>   M 100644 inline "events/…json"   data 42
//! ```
//! One process makes the blobs, the folders and the commit, however many files there are. The branch
//! that fast-import insists on is removed in the same stream; what remains is the commit, by its id.
//! Source: git-fast-import(1); `reset` with a null `from` removes a ref, see fast-import.c.

use crate::message::Message;
use crate::signature::Signature;
use crate::tree_path::TreePath;
use domain::CommitId;

/// A file to be put into a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Where.
    pub path: TreePath,
    /// Its bytes, exactly.
    pub bytes: Vec<u8>,
}

/// The mode of a file in a commit, as git writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileMode {
    Plain,
    Executable,
}

/// The whole stream for one commit; `parent` is absent on a branch that does not exist yet.
pub(crate) fn stream(
    parent: Option<&CommitId>,
    files: &[(&NewFile, FileMode)],
    signature: &Signature,
    message: &Message,
    unique: &str,
) -> Vec<u8> {
    let made = format!("refs/indelible/made/{unique}");
    let who = signature.line();
    let message = message.to_string();
    let mut out = Vec::new();
    let mut line = |text: &str| {
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    };
    line("feature done");
    line(&format!("commit {made}"));
    line("mark :1");
    line(&format!("author {who}"));
    line(&format!("committer {who}"));
    line(&format!("data {}", message.len()));
    line(&message);
    if let Some(parent) = parent {
        line(&format!("from {parent}"));
    }
    for (file, mode) in files {
        let mode = match mode {
            FileMode::Plain => "100644",
            FileMode::Executable => "100755",
        };
        let head = format!("M {mode} inline {}\ndata {}\n", quoted(&file.path), file.bytes.len());
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&file.bytes);
        out.push(b'\n');
    }
    let digits = parent.map_or(40, |parent| parent.as_str().len());
    let null = "0".repeat(digits);
    let tail = format!("get-mark :1\nreset {made}\nfrom {null}\n\ndone\n");
    out.extend_from_slice(tail.as_bytes());
    out
}

/// A path in C's quotes; a `TreePath` holds no control characters.
fn quoted(path: &TreePath) -> String {
    format!("\"{}\"", path.as_str().replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    #[test]
    fn a_stream_is_one_commit_and_no_branch() {
        let at = Timestamp::from_millis(1000);
        let ann = Signature::new("Ann", "a@b", at).unwrap();
        let message = Message::new("x").unwrap();
        let file = NewFile { path: "a \"b\".txt".parse().unwrap(), bytes: b"1\n2".to_vec() };
        let files = [(&file, FileMode::Executable)];
        let text = String::from_utf8(stream(None, &files, &ann, &message, "u")).unwrap();
        assert_eq!(
            text,
            "feature done\ncommit refs/indelible/made/u\nmark :1\n\
             author Ann <a@b> 1 +0000\ncommitter Ann <a@b> 1 +0000\ndata 2\nx\n\n\
             M 100755 inline \"a \\\"b\\\".txt\"\ndata 3\n1\n2\n\
             get-mark :1\nreset refs/indelible/made/u\n\
             from 0000000000000000000000000000000000000000\n\ndone\n"
        );
    }
}
