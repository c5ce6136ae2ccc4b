//! Files that are packed, told by how they begin: text in them is no text yet.

/// What a file is packed by and the command that writes what is in it to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// As the end of "the file is ...".
    pub name: &'static str,
    /// The command.
    pub unpack: &'static str,
}

/// How a pointer of Git LFS begins, which lies in place of a file that was not fetched.
pub const LFS_POINTER: &[u8] = b"version https://git-lfs";
/// What such a file is, and what to do.
pub const LFS_REMEDY: &str =
    "a pointer of Git LFS in place of the file; fetch it with git lfs pull";

/// Beginnings of files, their names and commands.
const BEGINNINGS: [(&[u8], &str, &str); 14] = [
    (b"\x1f\x8b", "compressed by gzip", "gzip -dc"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "zstd -dc"),
    (b"\xfd7zXZ\0", "compressed by xz", "xz -dc"),
    (b"\x5d\0\0", "compressed by lzma", "xz -dc"),
    (b"\x04\x22\x4d\x18", "compressed by lz4", "lz4 -dc"),
    (b"LZIP\x01", "compressed by lzip", "lzip -dc"),
    (b"\x1f\x9d", "compressed by compress", "gzip -dc"),
    (b"PK\x03\x04", "a ZIP archive", "unzip -p"),
    (b"PK\x05\x06", "an empty ZIP archive", "unzip -p"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z e -so"),
    (b"Rar!\x1a\x07", "a RAR archive", "unrar p -inul"),
    (b"PAR1\x15", "a Parquet file", "parquet-tools cat --json"),
    (b"%PDF-", "a PDF", "pdftotext"),
    (b"Obj\x01", "an Avro file", "avro-tools tojson"),
];

/// What the file is packed by that begins so; none where it is not known to be packed.
pub fn packed(start: &[u8]) -> Option<Packed> {
    if start.get(257..262) == Some(b"ustar") {
        return Some(Packed {
            name: "a tar archive",
            unpack: "tar -xOf",
        });
    }
    // A digit stands between; three letters alone may be a word.
    if start.starts_with(b"BZh") && start.get(4..10) == Some(b"1AY&SY") {
        return Some(Packed {
            name: "compressed by bzip2",
            unpack: "bzip2 -dc",
        });
    }
    let mut all = BEGINNINGS.iter();
    all.find(|(beginning, ..)| start.starts_with(beginning))
        .map(|&(_, name, unpack)| Packed { name, unpack })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_how_they_begin() {
        for (start, name) in [
            (&b"\x1f\x8b\x08\0"[..], "compressed by gzip"),
            (b"BZh91AY&SY", "compressed by bzip2"),
            (b"\xfd7zXZ\0\0", "compressed by xz"),
            (b"7z\xbc\xaf\x27\x1c\0", "a 7z archive"),
            (b"PAR1\x15", "a Parquet file"),
        ] {
            assert_eq!(packed(start).map(|packed| packed.name), Some(name));
        }
        let tar = [&[b'a'; 257][..], b"ustar\0"].concat();
        assert_eq!(packed(&tar).map(|packed| packed.unpack), Some("tar -xOf"));
        for text in [
            &b"IMGID:1\n"[..],
            b"{\"text\": 1}",
            b"",
            b"LZ",
            b"Obama\tB-PER\n",
            b"PK O",
            b"BZh O",
            b"LZIP\tO",
            b"PAR1 B-ORG",
        ] {
            assert_eq!(packed(text), None);
        }
    }
}
