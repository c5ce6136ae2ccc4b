//! How tools count places in a text.

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// What an offset counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Unicode scalar values (code points), as Python counts
    Chars,
    /// UTF-16 code units, as JavaScript counts
    Utf16,
    /// Extended grapheme clusters (UAX #29), as a reader counts
    Graphemes,
    /// UTF-8 bytes
    Bytes,
}

impl Unit {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chars => "code points",
            Self::Utf16 => "UTF-16 units",
            Self::Graphemes => "grapheme clusters",
            Self::Bytes => "bytes",
        }
    }
}

/// The places of one text in one unit.
pub(super) struct Offsets<'a> {
    text: &'a str,
    unit: Unit,
    /// The byte at which each unit begins, and the text's end. The second unit of a surrogate pair is the byte after the
    /// first: no border of a character, as nothing begins there.
    bytes: Vec<usize>,
}

impl<'a> Offsets<'a> {
    pub(super) fn new(text: &'a str, unit: Unit) -> Self {
        let mut bytes: Vec<usize> = match unit {
            Unit::Chars => text.char_indices().map(|(at, _)| at).collect(),
            Unit::Utf16 => text
                .char_indices()
                .flat_map(|(at, c)| at..at + c.len_utf16())
                .collect(),
            Unit::Graphemes => text.grapheme_indices(true).map(|(at, _)| at).collect(),
            Unit::Bytes => (0..text.len()).collect(),
        };
        bytes.push(text.len());
        Self { text, unit, bytes }
    }

    /// The text whose places they are.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// What they count.
    pub(super) fn unit(&self) -> Unit {
        self.unit
    }

    /// How many units the text has.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - 1
    }

    /// The byte at an offset; `None` past the text's end or inside a character.
    pub(super) fn byte(&self, offset: usize) -> Option<usize> {
        let byte = *self.bytes.get(offset)?;
        self.text.is_char_boundary(byte).then_some(byte)
    }

    /// The offset of a byte; `None` where no unit begins there.
    pub(super) fn offset(&self, byte: usize) -> Option<usize> {
        self.bytes.binary_search(&byte).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// "é" of two characters, an astronaut of seven, a flag of two.
    const TEXT: &str = "e\u{301} 👩🏽‍🚀 in 🇺🇸 東";

    #[test]
    fn a_place_is_counted_in_every_unit() {
        let at = TEXT.find('東').unwrap();
        for (unit, offset, len) in [
            (Unit::Chars, 14, 15),
            (Unit::Utf16, 19, 20),
            (Unit::Graphemes, 9, 10),
            (Unit::Bytes, 32, 35),
        ] {
            let offsets = Offsets::new(TEXT, unit);
            assert_eq!(offsets.len(), len, "{unit:?}");
            assert_eq!(offsets.offset(at), Some(offset), "{unit:?}");
            assert_eq!(offsets.byte(offset), Some(at), "{unit:?}");
            assert_eq!(offsets.byte(len), Some(TEXT.len()), "{unit:?}");
            assert_eq!(offsets.byte(len + 1), None, "{unit:?}");
        }
        // Inside a surrogate pair, a character and a cluster.
        assert_eq!(Offsets::new(TEXT, Unit::Utf16).byte(4), None);
        assert_eq!(Offsets::new(TEXT, Unit::Bytes).byte(2), None);
        assert_eq!(Offsets::new(TEXT, Unit::Graphemes).offset(1), None);
    }

    proptest! {
        /// UTF-16 and code points against the standard library's own counting.
        #[test]
        fn offsets_lead_back(text: String) {
            for unit in [Unit::Chars, Unit::Utf16, Unit::Graphemes, Unit::Bytes] {
                let offsets = Offsets::new(&text, unit);
                for offset in 0..=offsets.len() {
                    if let Some(byte) = offsets.byte(offset) {
                        prop_assert_eq!(offsets.offset(byte), Some(offset));
                        let before = &text[..byte];
                        match unit {
                            Unit::Chars => prop_assert_eq!(before.chars().count(), offset),
                            Unit::Utf16 => prop_assert_eq!(before.encode_utf16().count(), offset),
                            Unit::Bytes => prop_assert_eq!(byte, offset),
                            Unit::Graphemes => {}
                        }
                    }
                }
            }
        }
    }
}
