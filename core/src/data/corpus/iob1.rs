//! IOB1 made BIO: in it an entity begins with `I-` unless it follows another of its type at once.

use crate::data::corpus::Sample;
use crate::label::Label;

/// Whether all labels of a corpus are as IOB1 writes them, and some are as IOB2 does not: the rule of
/// [`Scheme::detect`](crate::formats::annotations::Scheme::detect).
pub(super) fn looks_like(samples: &[Sample]) -> bool {
    let (mut bare, mut marked) = (false, false);
    for sample in samples {
        let mut before = None;
        for label in &sample.labels {
            match label {
                Label::O => {}
                Label::B(kind) => marked |= before != Some(*kind),
                Label::I(kind) => bare |= before != Some(*kind),
            }
            before = label.entity_type();
        }
    }
    bare && !marked
}

/// Makes every `I-` that begins an entity a `B-`.
pub(super) fn begin(samples: &mut [Sample]) {
    for sample in samples {
        let mut before = None;
        for label in &mut sample.labels {
            let kind = label.entity_type();
            if let Label::I(kind) = *label
                && before != Some(kind)
            {
                *label = Label::B(kind);
            }
            before = kind;
        }
    }
}
