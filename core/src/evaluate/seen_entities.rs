//! Which names a model may know by heart.

use crate::data::corpus::Sample;
use crate::decode::chunks::{Chunk, Rule, chunks};
use crate::tweet::reading::read;
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;

/// The names of the corpora that a model learnt from, whatever their type, in lower case and with
/// their accents composed.
#[derive(Clone, Debug, Default)]
pub struct SeenEntities(HashSet<String>);

impl SeenEntities {
    /// Adds the names of a labelled corpus.
    pub fn learn(&mut self, samples: &[Sample]) {
        for sample in samples {
            for chunk in chunks(&sample.labels, Rule::Lenient) {
                self.0.insert(name(&sample.tokens, chunk));
            }
        }
    }

    /// Whether the words of an entity are such a name.
    ///
    /// # Panics
    /// If the entity is not of these words.
    pub fn has(&self, words: &[String], chunk: Chunk) -> bool {
        self.0.contains(&name(words, chunk))
    }
}

fn name(words: &[String], chunk: Chunk) -> String {
    let words: Vec<_> = words[chunk.start..chunk.end]
        .iter()
        .map(|word| read(word))
        .collect();
    words.join(" ").to_lowercase().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::scores::Scores;
    use crate::label::{EntityType, Label};

    #[test]
    fn names_are_known_whatever_their_type_and_case() {
        use EntityType::{Loc, Org, Per};
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut known = SeenEntities::default();
        known.learn(&[Sample {
            tokens: words("New York beat Boston"),
            labels: vec![Label::B(Org), Label::I(Org), Label::O, Label::B(Org)],
            ..Sample::default()
        }]);

        let tweet = words("NEW YORK saw York and Ada");
        let gold = [
            Label::B(Loc),
            Label::I(Loc),
            Label::O,
            Label::B(Loc),
            Label::O,
            Label::B(Per),
        ];
        let mut predicted = gold;
        predicted[0] = Label::O;
        predicted[1] = Label::O;
        predicted[3] = Label::B(Per);
        let mut scores = Scores::new();
        scores.add_where(&gold, &predicted, |chunk| !known.has(&tweet, chunk));
        let micro = scores.report().lenient.micro;
        // York and Ada; the known New York is neither asked for nor missed.
        assert_eq!(
            (micro.support, micro.recall, micro.precision),
            (2, 0.5, 0.5)
        );
    }

    #[test]
    fn names_are_known_however_they_are_encoded() {
        let mut known = SeenEntities::default();
        let sample = |word: &str| Sample {
            tokens: vec![word.to_owned()],
            labels: vec![Label::B(EntityType::Per)],
            ..Sample::default()
        };
        known.learn(&[sample("Beyonc\u{E9}")]);
        let chunk = chunks(&sample("").labels, Rule::Lenient)[0];
        for word in [
            "Beyonce\u{301}",
            "BEYONCÉ",
            "Beyonc\u{E9}\u{FE0F}",
            "Beyonc&eacute;",
        ] {
            assert!(known.has(&sample(word).tokens, chunk), "{word:?}");
        }
    }
}
