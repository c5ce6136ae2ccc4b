//! Half an emoji in JSON: an escape of one surrogate without its other, which is no character.

use std::borrow::Cow;

/// The JSON with every escape of a lone surrogate as that of U+FFFD, which is what browsers read it
/// as; the rest as it is. `serde_json` (1.0.154) refuses the whole document.
pub fn without_lone_surrogates(json: &[u8]) -> Cow<'_, [u8]> {
    let mut mended = Cow::Borrowed(json);
    let mut at = 0;
    while at < json.len() {
        if json[at] != b'\\' {
            at += 1;
            continue;
        }
        match unit(&json[at..]) {
            Some(0xD800..=0xDBFF) if matches!(unit(&json[at + 6..]), Some(0xDC00..=0xDFFF)) => {
                at += 12;
            }
            Some(0xD800..=0xDFFF) => {
                mended.to_mut()[at + 2..at + 6].copy_from_slice(b"fffd");
                at += 6;
            }
            // The escaped character too: it may be a backslash.
            _ => at += 2,
        }
    }
    mended
}

/// The UTF-16 unit of the escape at the start of `json`.
fn unit(json: &[u8]) -> Option<u16> {
    let digits = json.strip_prefix(b"\\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lone_surrogates_and_nothing_else_are_replaced() {
        for (json, expected) in [
            (r#"{"a":"\ud83d"}"#, r#"{"a":"\ufffd"}"#),
            (r#"{"a":"\uDE00\uD83D"}"#, r#"{"a":"\ufffd\ufffd"}"#),
            (
                r#"{"\ud83d":"\ud83d\ud83d\ude00"}"#,
                r#"{"\ufffd":"\ufffd\ud83d\ude00"}"#,
            ),
            (
                r#""\\ud83d \\\ud83d \u00e9 \ud83dx""#,
                r#""\\ud83d \\\ufffd \u00e9 \ufffdx""#,
            ),
            (r#""\ud83"#, r#""\ud83"#),
            ("\\", "\\"),
        ] {
            let mended = without_lone_surrogates(json.as_bytes());
            assert_eq!(mended, expected.as_bytes(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_units_are_read_as_a_browser_reads_them(units in prop::collection::vec(prop_oneof![0xD7F0u16..0xE010, any::<u16>()], 0..12)) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let json = format!("\"{escaped}\"");
            let read: String = serde_json::from_slice(&without_lone_surrogates(json.as_bytes())).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn whole_characters_stay(text in any::<String>()) {
            let json = serde_json::to_vec(&text).unwrap();
            prop_assert_eq!(&*without_lone_surrogates(&json), &*json);
        }
    }
}
