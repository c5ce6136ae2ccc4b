//! Words to write: those of a corpus, in the ways that images have them.

use crate::ocr::alphabet::Alphabet;
use crate::splitmix::SplitMix64;
use crate::train::ocr::OcrTrainError;
use std::fs;
use std::path::PathBuf;

/// Of so many texts, one is kept apart.
const APART: usize = 20;

/// Texts of a corpus, spelled in an alphabet.
#[derive(Clone, Debug)]
pub struct Texts {
    lines: Vec<String>,
    alphabet: Vec<char>,
}

impl Texts {
    /// The texts to learn from and those kept apart, of files with a text in each line. Links and user names are left out: images
    /// have few.
    ///
    /// # Errors
    /// [`OcrTrainError::Texts`] for a file that cannot be read, [`OcrTrainError::NoTexts`] where there are fewer than two.
    pub fn open(paths: &[PathBuf], alphabet: &Alphabet) -> Result<(Self, Self), OcrTrainError> {
        let mut content = String::new();
        for path in paths {
            let text = fs::read_to_string(path);
            content += &text.map_err(|source| OcrTrainError::Texts {
                path: path.clone(),
                source,
            })?;
            content.push('\n');
        }
        Self::of(&content, alphabet).ok_or(OcrTrainError::NoTexts)
    }

    fn of(content: &str, alphabet: &Alphabet) -> Option<(Self, Self)> {
        let said = |line: &str| {
            let words = line.split_whitespace();
            let words = words.filter(|word| !word.starts_with("http") && !word.starts_with('@'));
            alphabet.spell(&words.collect::<Vec<_>>().join(" "))
        };
        let lines = content.lines().map(said).filter(|line| !line.is_empty());
        let (mut learnt, mut apart) = (Vec::new(), Vec::new());
        for (i, line) in lines.enumerate() {
            // The second is the first that is kept apart, so that two suffice.
            if i % APART == 1 {
                apart.push(line)
            } else {
                learnt.push(line)
            }
        }
        let characters: Vec<char> = (1..alphabet.classes())
            .filter_map(|c| alphabet.character(c))
            .collect();
        let texts = |lines| Self {
            lines,
            alphabet: characters.clone(),
        };
        (!apart.is_empty()).then(|| (texts(learnt), texts(apart)))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Some words of a text, at most `most` characters and at least one; often in capitals, at times a number, a price, a date or
    /// characters at random, which keeps rare ones in use.
    pub fn some(&self, most: usize, rng: &mut SplitMix64) -> String {
        match rng.below(20) {
            0 => self.any(most, rng),
            1 => number(rng),
            way => {
                let words = self.words(most, rng);
                match way {
                    2..=8 => words.to_uppercase(),
                    9 | 10 => capitalised(&words),
                    _ => words,
                }
            }
        }
    }

    fn words(&self, most: usize, rng: &mut SplitMix64) -> String {
        let line = &self.lines[rng.below(self.lines.len())];
        let words: Vec<&str> = line.split(' ').collect();
        let first = rng.below(words.len());
        let wanted = 1 + rng.below(most);
        let mut text: String = words[first].chars().take(most).collect();
        for word in &words[first + 1..] {
            if text.len() + 1 + word.len() > wanted {
                break;
            }
            text = format!("{text} {word}");
        }
        text
    }

    fn any(&self, most: usize, rng: &mut SplitMix64) -> String {
        let length = 1 + rng.below(most.min(10));
        let text: String = (0..length)
            .map(|_| self.alphabet[rng.below(self.alphabet.len())])
            .collect();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            "%".to_owned()
        } else {
            text
        }
    }
}

fn number(rng: &mut SplitMix64) -> String {
    let [a, b, c] = [31, 12, 10_000].map(|below| rng.below(below));
    match rng.below(6) {
        0 => format!("${c}.{b:02}"),
        1 => format!("{}/{}/{}", b + 1, a + 1, 1990 + a),
        2 => format!("{}:{:02} PM", b + 1, a),
        3 => format!("{}%", a + b),
        4 => format!("{a}-{b}"),
        _ => c.to_string(),
    }
}

fn capitalised(words: &str) -> String {
    let capital = |word: &str| {
        let mut rest = word.chars();
        rest.next()
            .map(|first| first.to_uppercase().chain(rest).collect::<String>())
    };
    words
        .split(' ')
        .filter_map(capital)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_spelled_in_the_alphabet_and_of_the_asked_length() {
        let alphabet = Alphabet::default();
        let content = "Live from Köln @user https://t.co/a tonight\n\n“Best” day ever\nthird one\n";
        let (learnt, apart) = Texts::of(content, &alphabet).unwrap();
        assert_eq!(learnt.lines, ["Live from tonight", "third one"]);
        assert_eq!(apart.lines, ["\"Best\" day ever"]);
        let mut rng = SplitMix64(1);
        let mut kinds = [false; 3];
        for _ in 0..2000 {
            let text = learnt.some(12, &mut rng);
            assert!(!text.is_empty() && text.len() <= 14, "{text:?}");
            assert_eq!(text, text.trim());
            assert!(alphabet.encode(&text).is_some(), "{text:?}");
            kinds[0] |= text == "LIVE";
            kinds[1] |= text == "Third One";
            kinds[2] |= text.starts_with('$');
        }
        assert_eq!(kinds, [true; 3]);
        assert!(Texts::of("one line\n", &alphabet).is_none());
    }
}
