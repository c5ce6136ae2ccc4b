//! A corpus file becomes labelled tweets or an error that names the line; what is written as columns is read again as it was.

use mner_core::data::corpus::{Format, Prefixes, Reader, Sample, Source};
use mner_core::label::EntityType;

const FORMATS: [Option<Format>; 6] = [
    None,
    Some(Format::ImgId),
    Some(Format::Conll2),
    Some(Format::Conll4),
    Some(Format::Numbered),
    Some(Format::Jsonl),
];
const PREFIXES: [Prefixes; 3] = [Prefixes::AsWritten, Prefixes::Joined, Prefixes::Split];

/// Tries one input.
pub fn run(bytes: &[u8]) {
    let Some((&how, text)) = bytes.split_first() else {
        return;
    };
    let how = usize::from(how);
    let source = Source {
        format: FORMATS[how % 6],
        prefixes: PREFIXES[how / 6 % 3],
        mentions_outside: how / 18 % 2 == 1,
        unlabelled: if how / 36 % 2 == 1 {
            EntityType::ALL.to_vec()
        } else {
            Vec::new()
        },
        ..Source::new("corpus.txt")
    };
    let mut samples: Vec<Sample> = Vec::new();
    for sample in Reader::new(text, &source) {
        match sample {
            Ok(sample) => {
                assert_eq!(sample.tokens.len(), sample.labels.len());
                assert!(
                    !sample.tokens.is_empty() && sample.tokens.iter().all(|word| !word.is_empty())
                );
                samples.push(sample);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    // Words that columns can hold. A byte order mark at the beginning of any line is left out, for files are put together; zeros
    // between a first line's letters are taken for UTF-16.
    let plain = |word: &String| {
        !word.contains(['\n', '\r', '\t', '\0'])
            && word.trim_matches(' ') == word
            && !word.starts_with('\u{feff}')
    };
    samples.retain(|sample| sample.tokens.iter().all(plain));
    if samples.is_empty() {
        return;
    }
    // Without a byte order mark the first word may begin as packed files do.
    let mut written = String::from("\u{feff}");
    for sample in &samples {
        for (word, label) in sample.tokens.iter().zip(&sample.labels) {
            written.push_str(&format!("{word}\t{label}\n"));
        }
        written.push('\n');
    }
    let source = Source {
        format: Some(Format::Conll2),
        ..Source::new("written.txt")
    };
    let again: Result<Vec<Sample>, _> = Reader::new(written.as_bytes(), &source).collect();
    let again = again.expect("what was written is read");
    let words = |samples: &[Sample]| -> Vec<_> {
        let all = samples
            .iter()
            .map(|sample| (sample.tokens.clone(), sample.labels.clone()));
        all.collect()
    };
    assert_eq!(words(&again), words(&samples));
}
