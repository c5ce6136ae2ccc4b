//! Mentions and hashtags: one word or two.
//!
//! Corpora disagree, and a mixture of them teaches both ways at once unless they are brought together:
//!
//! | corpus | written | labelled |
//! |---|---|---|
//! | Twitter-2015 | `@user`, `#tag` | mentions `O`, a quarter of the hashtags entities |
//! | Twitter-2017 | `@ user`, `# tag` | `@` and `#` are `O`; nine names in ten after `@` are entities |
//! | WNUT-17, Tweebank-NER | `@user`, `#tag` | mentions `O` |
//! | Broad Twitter Corpus | mostly `@ user`, both `# tag` and `#tag` | nine names in ten after `@` are entities; three times in four `@` is `B-` as well, an entity of its own |
//!
//! A corpus that keeps mentions whole uses a lone `@` for "at" (`@ Comerica Park`): leave it as written,
//! or split it; joining is for corpora that split.

use crate::data::corpus::Sample;
use crate::label::Label;
use serde::{Deserialize, Serialize};

/// What begins a mention; the second is U+FF20, which Japanese keyboards type.
const AT: [char; 2] = ['@', '＠'];
/// What begins a hashtag; the second is U+FF03.
const HASH: [char; 2] = ['#', '＃'];

/// How mentions and hashtags are to be cut into words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefixes {
    /// As the file has them.
    #[default]
    AsWritten,
    /// `@ user` becomes `@user`, one entity if either half was one.
    Joined,
    /// `@user` becomes `@ user`, and `@` is `O` unless it is inside an entity that began before it.
    /// What the file has split already is labelled the same way.
    Split,
}

impl Prefixes {
    /// Brings a sample into this form.
    pub(super) fn apply(self, sample: &mut Sample) {
        if self == Self::AsWritten {
            return;
        }
        join(sample);
        if self == Self::Split {
            split(sample);
        }
    }
}

/// Labels every mention `O`; what is left of an entity behind it begins anew.
pub(super) fn mentions_outside(sample: &mut Sample) {
    let Sample { tokens, labels, .. } = sample;
    let mut at = 0;
    while at < tokens.len() {
        let size = match tokens[at].as_str() {
            word if word.strip_prefix(AT) == Some("")
                && tokens.get(at + 1).is_some_and(|next| begins_name(next)) =>
            {
                2
            }
            word if name(word).is_some() && word.starts_with(AT) => 1,
            _ => 0,
        };
        if size == 0 {
            at += 1;
            continue;
        }
        let end = at + size;
        let broken = labels[end - 1].entity_type();
        labels[at..end].fill(Label::O);
        if let (Some(kind), Some(next)) = (broken, labels.get_mut(end))
            && *next == Label::I(kind)
        {
            *next = Label::B(kind);
        }
        at = end;
    }
}

fn join(sample: &mut Sample) {
    let words = std::mem::take(&mut sample.tokens);
    let mut labels = std::mem::take(&mut sample.labels).into_iter();
    let mut words = words.into_iter().peekable();
    while let (Some(mut word), Some(mut label)) = (words.next(), labels.next()) {
        if is_prefix(&word)
            && let Some(next) = words.next_if(|next| begins_name(next))
            && let Some(other) = labels.next()
        {
            word.push_str(&next);
            label = match (label, other) {
                (Label::B(kind), Label::I(same)) if kind == same => label,
                (_, Label::O) => label,
                _ => other,
            };
        }
        sample.tokens.push(word);
        sample.labels.push(label);
    }
}

fn split(sample: &mut Sample) {
    let words = std::mem::take(&mut sample.tokens);
    let labels = std::mem::take(&mut sample.labels);
    for (word, label) in words.into_iter().zip(labels) {
        let Some(name) = name(&word) else {
            sample.tokens.push(word);
            sample.labels.push(label);
            continue;
        };
        let inside = matches!(label, Label::I(_));
        sample
            .tokens
            .push(word[..word.len() - name.len()].to_owned());
        sample.labels.push(if inside { label } else { Label::O });
        sample.tokens.push(name.to_owned());
        sample.labels.push(label);
    }
}

/// What follows the `@` or `#` of a mention or hashtag written as one word.
fn name(word: &str) -> Option<&str> {
    let rest = without_prefix(word)?;
    begins_name(rest).then_some(rest)
}

fn begins_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn is_prefix(word: &str) -> bool {
    without_prefix(word) == Some("")
}

fn without_prefix(word: &str) -> Option<&str> {
    word.strip_prefix(AT).or_else(|| word.strip_prefix(HASH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(text: &str) -> Sample {
        let (tokens, labels) = text
            .split(' ')
            .map(|pair| {
                let (word, label) = pair.rsplit_once('/').unwrap();
                (word.to_owned(), Label::parse(label).unwrap())
            })
            .unzip();
        Sample {
            tokens,
            labels,
            ..Sample::default()
        }
    }

    fn applied(form: Prefixes, text: &str) -> Sample {
        let mut result = sample(text);
        form.apply(&mut result);
        result
    }

    #[test]
    fn joining_makes_one_entity_of_both_halves() {
        for (written, joined) in [
            ("RT/O @/O user/O :/O", "RT/O @user/O :/O"),
            ("@/B-PER user/B-PER hi/O", "@user/B-PER hi/O"),
            ("@/O NBA/B-ORG", "@NBA/B-ORG"),
            ("#/B-LOC Cork/I-LOC City/I-LOC", "#Cork/B-LOC City/I-LOC"),
            ("The/B-ORG #/I-ORG NBA/I-ORG", "The/B-ORG #NBA/I-ORG"),
            ("@/B-PER user/O", "@user/B-PER"),
            ("@/O @/O _a/O", "@/O @_a/O"),
            ("@/O ./O #/O", "@/O ./O #/O"),
            ("＃/O 東京/B-LOC", "＃東京/B-LOC"),
        ] {
            assert_eq!(
                applied(Prefixes::Joined, written),
                sample(joined),
                "{written}"
            );
        }
    }

    #[test]
    fn splitting_leaves_the_sign_outside() {
        for (written, split) in [
            ("@user/O #NBA/B-ORG", "@/O user/O #/O NBA/B-ORG"),
            ("@/B-PER user/B-PER", "@/O user/B-PER"),
            ("@/O user/B-PER", "@/O user/B-PER"),
            ("The/B-ORG #NBA/I-ORG", "The/B-ORG #/I-ORG NBA/I-ORG"),
            ("a@b/O #/O x/O", "a@b/O #/O x/O"),
        ] {
            assert_eq!(
                applied(Prefixes::Split, written),
                sample(split),
                "{written}"
            );
        }
    }

    #[test]
    fn mentions_are_outside_and_what_follows_begins_anew() {
        for (written, outside) in [
            ("@user/B-PER #NBA/B-ORG", "@user/O #NBA/B-ORG"),
            ("@/B-PER user/B-PER x/O", "@/O user/O x/O"),
            (
                "by/O @ann/B-PER Lee/I-PER Fox/I-PER",
                "by/O @ann/O Lee/B-PER Fox/I-PER",
            ),
            ("@/O a/O b/I-LOC", "@/O a/O b/I-LOC"),
            ("@/O ./B-PER", "@/O ./B-PER"),
        ] {
            let mut result = sample(written);
            mentions_outside(&mut result);
            assert_eq!(result, sample(outside), "{written}");
        }
    }

    proptest! {
        /// Joined and split text is the same but for where the words end, and either form is stable.
        #[test]
        fn forms_keep_the_text(
            words in prop::collection::vec(("[@#]{0,2}[a-z_.]{0,2}", 0..9usize), 0..12)
        ) {
            let words: Vec<_> = words.into_iter().filter(|(word, _)| !word.is_empty()).collect();
            let written = Sample {
                tokens: words.iter().map(|(word, _)| word.clone()).collect(),
                labels: words.iter().map(|(_, label)| Label::from_index(*label)).collect(),
                ..Sample::default()
            };
            for form in [Prefixes::AsWritten, Prefixes::Joined, Prefixes::Split] {
                let mut once = written.clone();
                form.apply(&mut once);
                prop_assert_eq!(once.tokens.concat(), written.tokens.concat());
                prop_assert_eq!(once.tokens.len(), once.labels.len());
                prop_assert!(once.tokens.iter().all(|word| !word.is_empty()));
                let mut twice = once.clone();
                form.apply(&mut twice);
                prop_assert_eq!(&twice, &once);
            }
        }
    }
}
