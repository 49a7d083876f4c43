//! What strace wrote, as calls: who, which, with what, when it began and when it ended.
//!
//! ```text
//! 26094 pwrite64(5<\x2f\x74…>, "\x0d\x00…", 4096, 0 <unfinished ...>
//! 26095 fdatasync(6<\x2f…>)            = 0
//! 26094 <... pwrite64 resumed>)        = 4096
//! ```
//! Every string is in hexadecimal (`-xx`), so that no quote, comma or bracket in it is taken for one of
//! the line. Written from strace's manual, section "Tracing output".

use std::collections::HashMap;

/// One system call that returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The line on which it began; numbered from 0 over all traces of a recording.
    pub(super) started: usize,
    /// The line on which it ended; the same where no other call came in between.
    pub(super) ended: usize,
    pub(super) name: String,
    arguments: Vec<String>,
    pub(super) result: i64,
}

/// Reads a whole trace; `first` is the number of its first line.
pub(super) fn read(text: &str, first: usize) -> Vec<Call> {
    let mut open: HashMap<&str, (usize, String)> = HashMap::new();
    let mut calls = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line_number = first + at;
        let (process, rest) = line.split_once(' ').expect("each line begins with a process");
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            open.insert(process, (line_number, start.to_owned()));
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let (_, end) = resumed.split_once(" resumed>").expect("a resumed call");
            let (started, start) = open.remove(process).expect("a call that had begun");
            calls.extend(call(started, line_number, &format!("{start}{end}")));
        } else {
            calls.extend(call(line_number, line_number, rest));
        }
    }
    calls
}

/// None: the call did not return, because its process ended.
fn call(started: usize, ended: usize, text: &str) -> Option<Call> {
    let (head, result) = text.rsplit_once(" = ")?;
    // A result may carry a path or the name of an error.
    let number = result.split([' ', '<']).next().unwrap_or_default();
    let (name, arguments) = head.trim_end().strip_suffix(')')?.split_once('(')?;
    Some(Call {
        started,
        ended,
        name: name.to_owned(),
        arguments: split(arguments),
        result: number.parse().ok()?,
    })
}

/// Splits at commas that stand in no bracket; strings have none.
fn split(arguments: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for character in arguments.chars() {
        match character {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is always a last part").push(character);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

impl Call {
    /// A plain number, or the number of a descriptor.
    pub(super) fn number(&self, at: usize) -> i64 {
        let text = self.arguments[at].split('<').next().unwrap_or_default();
        text.parse().unwrap_or_else(|_| panic!("no number at {at}: {self:?}"))
    }

    /// What a descriptor stands for: a path, or `socket:[4711]`.
    pub(super) fn behind(&self, at: usize) -> Option<String> {
        let text = self.arguments.get(at)?;
        let inside = text.split_once('<')?.1.split_once('>')?.0;
        Some(String::from_utf8(unhex(inside)).expect("paths of this test are text"))
    }

    /// A string, or the strings of a list one after the other.
    pub(super) fn bytes(&self, at: usize) -> Vec<u8> {
        let strings = self.arguments[at].split('"').skip(1).step_by(2);
        strings.flat_map(unhex).collect()
    }

    /// A path.
    pub(super) fn path(&self, at: usize) -> String {
        String::from_utf8(self.bytes(at)).expect("paths of this test are text")
    }

    /// Whether a flag stands in that argument.
    pub(super) fn has(&self, at: usize, flag: &str) -> bool {
        let flags = self.arguments.get(at).map_or("", String::as_str);
        flags.split('|').any(|known| known == flag)
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    digits.map(|two| u8::from_str_radix(&two[..2], 16).expect("two digits after \\x")).collect()
}

#[test]
fn a_call_that_others_interrupt_is_one_call() {
    let text = "7 pwrite64(5<\\x2f\\x61>, \"\\x0d\\x0a\", 2, 4096 <unfinished ...>\n\
                8 fdatasync(6<\\x2f\\x62>)            = 0\n\
                7 <... pwrite64 resumed>)        = 2\n\
                7 +++ exited with 0 +++\n";
    let calls = read(text, 100);
    assert_eq!(calls.len(), 2);
    assert_eq!((calls[0].name.as_str(), calls[0].started), ("fdatasync", 101));
    let write = &calls[1];
    assert_eq!((write.started, write.ended, write.result), (100, 102, 2));
    assert_eq!(write.behind(0).unwrap(), "/a");
    assert_eq!((write.bytes(1), write.number(3)), (b"\r\n".to_vec(), 4096));
}

#[test]
fn lists_flags_and_errors_are_read() {
    let text = "7 writev(9<\\x73>, [{iov_base=\"\\x61\\x62\", iov_len=2}, {iov_base=\"\\x63\", iov_len=1}], 2) = 3\n\
                7 openat(AT_FDCWD<\\x2f>, \"\\x2f\\x61\", O_RDWR|O_CREAT, 0600) = -1 ENOENT (No such file or directory)\n\
                7 exit_group(0) = ?\n";
    let calls = read(text, 0);
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].bytes(1), b"abc");
    assert_eq!((calls[1].path(1), calls[1].result), ("/a".to_owned(), -1));
    assert!(calls[1].has(2, "O_CREAT") && !calls[1].has(2, "O_TRUNC"));
}
