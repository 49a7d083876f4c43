//! A program of some hundred bytes for a container that does nothing: it says one line, then waits, or ends.
//!
//! ```text
//! linux/amd64, "the shop, build A"  ->  an ELF file: write(1, …), then pause() for ever or exit_group(3)
//! ```
//! Written byte by byte, so that the demo needs neither a compiler nor a base image nor a network, and runs on every
//! node of these two architectures. Source: System V ABI, ELF-64; Linux, `arch/x86/entry/syscalls/syscall_64.tbl` and
//! `include/uapi/asm-generic/unistd.h`.

/// The longest line that it says.
pub(in crate::demo) const SAYS_BYTES_MAX: usize = 1_000;

/// Where the file is put in memory.
const BASE: u64 = 0x40_0000;
/// The ELF header and its one program header.
const HEADERS: u64 = 64 + 56;

/// What a node's processor reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Machine {
    Amd64,
    Arm64,
}

/// What the program does when it has said its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Ends {
    /// It waits until it is killed.
    Never,
    /// It ends with this exit code.
    With(u8),
}

/// The bytes of the program.
pub(super) fn program(machine: Machine, says: &str, ends: Ends) -> Vec<u8> {
    let line = format!("{says}\n").into_bytes();
    let length = u16::try_from(line.len()).expect("a line is short");
    let code = match machine {
        Machine::Amd64 => amd64(length, ends),
        Machine::Arm64 => arm64(length, ends),
    };
    let mut bytes = headers(machine, (code.len() + line.len()) as u64);
    bytes.extend(code);
    bytes.extend(line);
    bytes
}

/// One segment with everything, to be read and run.
fn headers(machine: Machine, rest: u64) -> Vec<u8> {
    let number: u16 = match machine {
        Machine::Amd64 => 62,
        Machine::Arm64 => 183,
    };
    // 64 bits, little-endian, version 1, System V.
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend(2_u16.to_le_bytes()); // an executable
    bytes.extend(number.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend((BASE + HEADERS).to_le_bytes()); // the entry
    bytes.extend(64_u64.to_le_bytes()); // program headers
    bytes.extend(0_u64.to_le_bytes()); // section headers
    bytes.extend(0_u32.to_le_bytes()); // flags
    for size in [64_u16, 56, 1, 64, 0, 0] {
        bytes.extend(size.to_le_bytes());
    }
    bytes.extend(1_u32.to_le_bytes()); // PT_LOAD
    bytes.extend(5_u32.to_le_bytes()); // PF_R | PF_X
    for value in [0, BASE, BASE, HEADERS + rest, HEADERS + rest, 0x1_0000] {
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

/// write is 1, pause 34, exit_group 231.
fn amd64(length: u16, ends: Ends) -> Vec<u8> {
    let tail = match ends {
        Ends::Never => vec![
            0xb8, 34, 0, 0, 0, // mov eax, 34
            0x0f, 0x05, // syscall
            0xeb, 0xf7, // jmp to the mov
        ],
        Ends::With(code) => vec![
            0xb8, 231, 0, 0, 0, // mov eax, 231
            0xbf, code, 0, 0, 0, // mov edi, code
            0x0f, 0x05, // syscall
        ],
    };
    // From behind the lea to behind the tail: mov edx, syscall, tail.
    let to_line = 7 + u8::try_from(tail.len()).expect("a tail has a dozen bytes");
    let [low, high] = length.to_le_bytes();
    let mut code = vec![
        0xb8, 1, 0, 0, 0, // mov eax, 1
        0xbf, 1, 0, 0, 0, // mov edi, 1
        0x48, 0x8d, 0x35, to_line, 0, 0, 0, // lea rsi, [rip + to_line]
        0xba, low, high, 0, 0, // mov edx, length
        0x0f, 0x05, // syscall
    ];
    code.extend(tail);
    code
}

/// write is 64, ppoll 73 (there is no pause), exit_group 94.
fn arm64(length: u16, ends: Ends) -> Vec<u8> {
    const SVC: u32 = 0xd400_0001;
    let set = |register: u32, value: u16| 0xd280_0000 | (u32::from(value) << 5) | register;
    let tail = match ends {
        Ends::Never => vec![
            set(0, 0),
            set(1, 0),
            set(2, 0),
            set(3, 0),
            set(8, 73),
            SVC,
            0x17ff_fffa, // b, six back
        ],
        Ends::With(code) => vec![set(0, u16::from(code)), set(8, 94), SVC],
    };
    // From the adr to behind the tail, in bytes: itself, two sets, svc, tail.
    let to_line = 4 * (4 + u32::try_from(tail.len()).expect("a tail has a few words"));
    // A multiple of four: its two low bits, which stand elsewhere, are none.
    let address_of_line = 0x1000_0001 | ((to_line >> 2) << 5);
    let mut code = vec![set(0, 1), address_of_line, set(2, length), set(8, 64), SVC];
    code.extend(tail);
    code.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read by capstone 5 and by a person, and run with qemu-aarch64.
    #[test]
    fn the_words_for_arm_are_the_ones_that_a_disassembler_reads() {
        let bytes = program(Machine::Arm64, "hi", Ends::With(3));
        let words: Vec<u32> = bytes[120..152]
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect();
        let expected = [
            0xd280_0020, // mov x0, #1
            0x1000_00e1, // adr x1, +28
            0xd280_0062, // mov x2, #3
            0xd280_0808, // mov x8, #64
            0xd400_0001, // svc #0
            0xd280_0060, // mov x0, #3
            0xd280_0bc8, // mov x8, #94
            0xd400_0001, // svc #0
        ];
        assert_eq!(words, expected);
        assert_eq!(&bytes[152..], b"hi\n");
        let waits = program(Machine::Arm64, "hi", Ends::Never);
        assert_eq!(&waits[waits.len() - 3..], b"hi\n");
        assert_eq!(waits[156..160], 0xd280_0928_u32.to_le_bytes(), "mov x8, #73");
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    #[test]
    fn it_says_its_line_and_ends_or_waits() {
        use std::io::{BufRead as _, Write as _};
        use std::os::unix::fs::OpenOptionsExt as _;
        use std::process::{Command, Stdio};
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, ends| {
            let path = folder.path().join(name);
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create(true).mode(0o755).open(&path).unwrap();
            file.write_all(&program(Machine::Amd64, "the shop, build A", ends)).unwrap();
            path
        };
        let ended = Command::new(file("ends", Ends::With(3))).output().unwrap();
        assert_eq!(
            (ended.status.code(), ended.stdout.as_slice()),
            (Some(3), &b"the shop, build A\n"[..])
        );
        let mut waits =
            Command::new(file("waits", Ends::Never)).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(waits.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let is_alive = waits.try_wait().unwrap().is_none();
        waits.kill().unwrap();
        waits.wait().unwrap();
        assert_eq!((line.as_str(), is_alive), ("the shop, build A\n", true));
    }
}
