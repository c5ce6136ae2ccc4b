//! Text in other encodings than UTF-8, told by how it begins.

/// The name of the encoding of a text that begins so, and the command that makes UTF-8 of it; none where it may be UTF-8.
pub fn other_encoding(start: &[u8]) -> Option<(&'static str, &'static str)> {
    Some(match start {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => ("UTF-32", "iconv -f UTF-32 -t UTF-8"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("UTF-16", "iconv -f UTF-16 -t UTF-8"),
        [1..=255, 0, 0, 0, ..] => ("UTF-32", "iconv -f UTF-32LE -t UTF-8"),
        [0, 0, 0, 1..=255, ..] => ("UTF-32", "iconv -f UTF-32BE -t UTF-8"),
        [b'{' | b' ' | b'[', 0, ..] | [1..=255, 0, 1..=255, 0, ..] => {
            ("UTF-16", "iconv -f UTF-16LE -t UTF-8")
        }
        [0, b'{' | b' ' | b'[', ..] | [0, 1..=255, 0, 1..=255, ..] => {
            ("UTF-16", "iconv -f UTF-16BE -t UTF-8")
        }
        _ => return None,
    })
}
