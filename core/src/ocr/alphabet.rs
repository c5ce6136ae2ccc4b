//! The characters that a recogniser tells apart, and how other ones are written with them.

use serde::{Deserialize, Serialize};

/// Characters in the order of the recogniser's classes; class 0, the blank, is not among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Alphabet(String);

impl Default for Alphabet {
    /// Printable ASCII, the space first, and the two currencies that tweets write beside the dollar.
    fn default() -> Self {
        Self((' '..='~').chain(['£', '€']).collect())
    }
}

impl Alphabet {
    /// Classes of a recogniser: the characters and the blank.
    pub fn classes(&self) -> usize {
        self.0.chars().count() + 1
    }

    /// The character of a class; none for the blank and beyond the last.
    pub fn character(&self, class: usize) -> Option<char> {
        self.0.chars().nth(class.checked_sub(1)?)
    }

    /// The classes of a text; none if a character is not in the alphabet.
    pub fn encode(&self, text: &str) -> Option<Vec<usize>> {
        let class = |c| Some(self.0.chars().position(|other| other == c)? + 1);
        text.chars().map(class).collect()
    }

    /// `text` in these characters: typographic quotes, dashes and dots as a keyboard has them, one space between words, and
    /// without words that have any other character.
    pub fn spell(&self, text: &str) -> String {
        let plain: String = text
            .chars()
            .map(plain)
            .collect::<String>()
            .replace('…', "...");
        let words = plain.split_whitespace();
        let words = words.filter(|word| word.chars().all(|c| self.0.contains(c)));
        words.collect::<Vec<_>>().join(" ")
    }
}

fn plain(c: char) -> char {
    match c {
        '‘' | '’' | '´' => '\'',
        '“' | '”' => '"',
        '–' | '—' => '-',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_characters_lead_to_each_other() {
        let alphabet = Alphabet::default();
        assert_eq!(alphabet.classes(), 95 + 2 + 1);
        let text = "NASA's £5 ~";
        let classes = alphabet.encode(text).unwrap();
        let back: String = classes
            .iter()
            .filter_map(|&class| alphabet.character(class))
            .collect();
        assert_eq!(back, text);
        assert_eq!(
            (alphabet.character(0), alphabet.character(98)),
            (None, None)
        );
        assert_eq!(alphabet.encode("ö"), None);
    }

    #[test]
    fn other_characters_are_spelled_or_left_out_with_their_word() {
        let spelled = Alphabet::default().spell("“Don’t”  go — Köln… now…\n");
        assert_eq!(spelled, "\"Don't\" go - now...");
    }
}
