//! Word vectors, binary or text, and the table that is made of them.

use mner_core::formats::word2vec::WordVectors;
use mner_core::tweet::augmentation::Augmentation;

/// Tries one input.
pub fn run(bytes: &[u8]) {
    match WordVectors::parse(bytes) {
        Ok(vectors) => {
            let _ = vectors.to_string();
            if vectors.count() > 64 || bytes.len() > 4096 {
                return;
            }
            if let Ok(table) = vectors.augmentation(&burn::tensor::Device::flex()) {
                let again =
                    Augmentation::from_bytes(&table.to_bytes()).expect("what was written is read");
                assert_eq!(again, table);
                assert!(
                    table
                        .vector("houston")
                        .iter()
                        .all(|value| value.is_finite())
                );
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(table) = Augmentation::from_bytes(bytes)
        && table.size() < 4096
    {
        assert!(
            table
                .vector("houston")
                .iter()
                .all(|value| value.is_finite())
        );
    }
}
