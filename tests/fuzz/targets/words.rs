//! A text becomes words with exact spans, what may be found in them, and how each is looked up.

use mner_core::tweet::{Bounds, Sigils, WordShape, fold, read, split_words};

/// White space, and the characters that look like it.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{1C}'..='\u{1F}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{FFFC}'
        )
}

/// Tries one input.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let chars: Vec<char> = text.chars().collect();
    let units: Vec<u16> = text.encode_utf16().collect();
    for sigils in [Sigils::Joined, Sigils::Apart] {
        let words = split_words(&text, sigils);
        let bounds = Bounds::new(&text, &words, sigils);
        assert_eq!(bounds.words.len(), words.len());
        assert_eq!(bounds.parts.len(), words.len());
        let mut end = 0;
        for word in &words {
            assert!(word.bytes.start >= end && !word.bytes.is_empty());
            end = word.bytes.end;
            let slice = word.of(&text);
            assert_eq!(chars[word.chars.clone()].iter().collect::<String>(), slice);
            let units = String::from_utf16(&units[word.utf16.clone()]);
            assert_eq!(units.ok().as_deref(), Some(slice));
            let seen = read(slice);
            assert!(!seen.is_empty() && !seen.contains(is_blank), "{slice:?}");
            assert_eq!(read(&seen), seen);
            let name = word.name(&text);
            assert!(name.bytes.start >= word.bytes.start && name.bytes.end == word.bytes.end);
            let folded = fold(slice);
            assert!(!folded.is_empty());
            let _ = WordShape::of(&folded);
        }
    }
}
