//! One tar header of 512 bytes, and the pax and GNU records that lengthen it.
//!
//! ```text
//! name[100] … size[12] … checksum[8] type[1] linkname[100] "ustar" … prefix[155]
//! ```
//! Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual,
//! "Basic Tar Format". Written here because the `tar` crate reads long names whole, however long they are.

/// The unit of a tar.
pub(super) const BLOCK_BYTES: u64 = 512;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    HardLink,
    SymLink,
    Folder,
    /// The next entry's long name (GNU `L`).
    LongName,
    /// The next entry's long link (GNU `K`).
    LongLink,
    /// Records for the next entry (pax `x`).
    Pax,
    /// Records for all entries (pax `g`): comments of git and others.
    PaxGlobal,
    /// Devices, pipes, sparse files: nothing that an image's archive holds.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) link: String,
    pub(super) size: u64,
    pub(super) kind: EntryKind,
}

/// Reads a header; `None` for the block of zeros that ends an archive.
pub(super) fn read(block: &[u8; 512]) -> Result<Option<Header>, &'static str> {
    if block.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let said = number(&block[148..156]).ok_or("its checksum is no number")?;
    let summed: u64 =
        (0..512).map(|at| if (148..156).contains(&at) { 32 } else { u64::from(block[at]) }).sum();
    if said != summed {
        return Err("its checksum is wrong");
    }
    let mut name = text(&block[..100]);
    let prefix = text(&block[345..500]);
    // GNU's older format keeps other things where ustar keeps the prefix.
    if &block[257..263] == b"ustar\0" && !prefix.is_empty() {
        name = format!("{prefix}/{name}");
    }
    let size = number(&block[124..136]).ok_or("its size is no number")?;
    let kind = match block[156] {
        b'0' | 0 | b'7' if name.ends_with('/') => EntryKind::Folder,
        b'0' | 0 | b'7' => EntryKind::File,
        b'1' => EntryKind::HardLink,
        b'2' => EntryKind::SymLink,
        b'5' => EntryKind::Folder,
        b'L' => EntryKind::LongName,
        b'K' => EntryKind::LongLink,
        b'x' => EntryKind::Pax,
        b'g' => EntryKind::PaxGlobal,
        _ => EntryKind::Other,
    };
    let link = text(&block[157..257]);
    Ok(Some(Header { name, link, size, kind }))
}

/// A text field: up to its first NUL.
pub(super) fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// A number in octal, or in GNU's base 256 when the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len() - 8);
        let is_small = high[0] == 0x80 && high[1..].iter().all(|byte| *byte == 0);
        let low: [u8; 8] = low.try_into().ok()?;
        return is_small.then(|| u64::from_be_bytes(low));
    }
    let digits = text(field);
    let digits = digits.trim_matches(' ');
    if digits.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(digits, 8).ok()
}

/// Reads pax records, `LENGTH KEY=VALUE\n`, into a header.
pub(super) fn apply_pax(records: &[u8], header: &mut Header) -> Result<(), &'static str> {
    let mut rest = records;
    while !rest.is_empty() {
        let blank =
            rest.iter().position(|byte| *byte == b' ').ok_or("a pax record has no length")?;
        let length: usize = std::str::from_utf8(&rest[..blank])
            .ok()
            .and_then(|digits| digits.parse().ok())
            .ok_or("a pax record's length is no number")?;
        let record = rest.get(blank + 1..length).ok_or("a pax record is longer than its header")?;
        let record = std::str::from_utf8(record).map_err(|_| "a pax record is not UTF-8")?;
        let (key, value) = record
            .strip_suffix('\n')
            .and_then(|line| line.split_once('='))
            .ok_or("a pax record is not `key=value`")?;
        match key {
            "path" => value.clone_into(&mut header.name),
            "linkpath" => value.clone_into(&mut header.link),
            "size" => header.size = value.parse().map_err(|_| "a pax size is no number")?,
            _ if key.starts_with("GNU.sparse.") => header.kind = EntryKind::Other,
            _ => {}
        }
        rest = &rest[length..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header { name: "short".into(), link: String::new(), size: 1, kind: EntryKind::File }
    }

    #[test]
    fn pax_records_replace_fields() {
        let mut read = header();
        // The length counts itself, the blank and the newline. Source: POSIX, pax.
        apply_pax(b"16 path=a/b/c.d\n16 size=8589934\n", &mut read).unwrap();
        assert_eq!((read.name.as_str(), read.size), ("a/b/c.d", 8_589_934));
        for bad in [&b"x"[..], b"9 a=b\n", b"99 path=a\n", b"0 a=b\n", b"6 abcd", b"5 ab\n"] {
            assert!(apply_pax(bad, &mut header()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn numbers_are_octal_or_base_256() {
        assert_eq!(number(b"00000000012\0"), Some(10));
        assert_eq!(number(b"       12 \0 "), Some(10));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]), Some((2 << 32) + 1));
        assert_eq!(number(&[0xff; 12]), None);
        assert_eq!(number(b"0000000008\0\0"), None);
    }
}
