//! The subwords that captions are made of.

use serde::{Deserialize, Serialize};

/// What begins and ends a caption; the first of the subwords.
pub const BOUNDARY: usize = 0;

/// How a subword begins that goes on with the word before it, as WordPiece writes it.
const GOES_ON: &str = "##";

/// Subwords by their place; the first is [`BOUNDARY`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaptionVocabulary(pub Vec<String>);

impl CaptionVocabulary {
    /// The sentence that some subwords make. Places beyond the vocabulary and the boundary say nothing.
    pub fn sentence(&self, subwords: &[usize]) -> String {
        let mut text = String::new();
        let mut joined = true;
        for &at in subwords {
            let Some(subword) = self.0.get(at).filter(|_| at != BOUNDARY) else {
                continue;
            };
            let rest = subword.strip_prefix(GOES_ON);
            let closes = matches!(subword.as_str(), "," | "." | "'" | "-" | "!" | "?" | ")");
            if !(joined || rest.is_some() || closes) {
                text.push(' ');
            }
            text.push_str(rest.unwrap_or(subword));
            joined = matches!(subword.as_str(), "'" | "-" | "(");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(subwords: &[&str]) -> String {
        let all = [
            "", "a", "man", "##s", "'", "s", "-", "t", "shirt", ",", "(", ")",
        ];
        let vocabulary = CaptionVocabulary(all.map(str::to_owned).to_vec());
        let places = subwords.iter().map(|subword| {
            let at = all.iter().position(|known| known == subword);
            at.unwrap_or(all.len())
        });
        vocabulary.sentence(&places.collect::<Vec<_>>())
    }

    #[test]
    fn subwords_become_a_sentence() {
        assert_eq!(said(&["", "a", "man", "##s", ""]), "a mans");
        assert_eq!(said(&["man", "'", "s", "t", "-", "shirt"]), "man's t-shirt");
        assert_eq!(said(&["a", ",", "(", "man", ")"]), "a, (man)");
        assert_eq!(said(&["nowhere"]), "");
        assert_eq!(said(&[]), "");
    }
}
