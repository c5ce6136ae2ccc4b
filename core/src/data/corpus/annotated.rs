//! Corpora as annotation tools write them: spans become labels of words.

use crate::data::annotation_files::dataset_info;
use crate::data::corpus::labels::OwnTypes;
use crate::data::corpus::{CorpusError, Sample, Source, UnfitSpans, prefixes};
use crate::formats::annotations::fault::AnnotationError;
use crate::formats::annotations::token_lists::names;
use crate::formats::annotations::{Document, Format, Loss, ReadOptions, TextFile, Unit, labelled};
use crate::label::Label;
use crate::notice;

/// How many losses of a kind are told.
const TOLD: usize = 5;

/// Reads files of a format as `source` says. Standard error says which format it is and what is left out.
pub(super) fn read(
    source: &Source,
    format: Format,
    files: &[TextFile],
) -> Result<Vec<Sample>, CorpusError> {
    let cannot = |cause: AnnotationError| CorpusError::Annotations {
        file: source.path.clone(),
        cause,
    };
    let mut options = ReadOptions {
        offsets: source.offsets,
        scheme: source.scheme,
        names: source.names.clone(),
    };
    if format == Format::Datasets
        && options.names.is_empty()
        && let Some(info) = dataset_info(&source.path)
    {
        options.names = names(&info).map_err(cannot)?;
    }
    let reading = format.read(files, &options).map_err(cannot)?;
    let unit = format.unit().map(|unit| source.offsets.unwrap_or(unit));
    let counted = unit.map_or(String::new(), |unit: Unit| {
        format!(", offsets in {}", unit.name())
    });
    let file = source.path.display();
    notice!("{file}: read as {}{counted}", format.name());
    let mut losses = reading.losses;
    let mut types = OwnTypes::default();
    let mut samples = Vec::with_capacity(reading.documents.len());
    for document in &reading.documents {
        let sample = sample(document, source, &mut types, &mut losses)?;
        samples.extend(sample);
    }
    let (spans, beside): (Vec<Loss>, Vec<Loss>) = losses.into_iter().partition(Loss::is_span);
    if !spans.is_empty() && source.unfit_spans == UnfitSpans::Refuse {
        return Err(CorpusError::Unfit {
            file: source.path.clone(),
            count: spans.len(),
            first: spans.into_iter().take(TOLD).collect(),
        });
    }
    for loss in spans.iter().take(TOLD).chain(&beside) {
        notice!("{file}: {loss}");
    }
    if spans.len() > TOLD {
        notice!("{file}: {} spans left out in all", spans.len());
    }
    let types = types.to_string();
    if !types.is_empty() {
        notice!("{file}: {types}");
    }
    if samples.is_empty() {
        return Err(CorpusError::Empty {
            file: source.path.clone(),
        });
    }
    Ok(samples)
}

/// A document's words with their labels; `None` if it has no words.
fn sample(
    document: &Document,
    source: &Source,
    types: &mut OwnTypes,
    losses: &mut Vec<Loss>,
) -> Result<Option<Sample>, CorpusError> {
    let found = labelled(document, losses);
    let mut labels = vec![Label::O; found.words.len()];
    for (words, name) in &found.entities {
        let kind = source
            .labels
            .kind(name)
            .map_err(|fault| CorpusError::Document {
                file: source.path.clone(),
                place: document.place.clone(),
                fault,
            })?;
        types.count(&source.labels, name);
        if let Some(kind) = kind {
            labels[words.clone()].fill(Label::I(kind));
            labels[words.start] = Label::B(kind);
        }
    }
    if found.words.is_empty() {
        return Ok(None);
    }
    let tokens = found.tokens(document).into_iter();
    let mut sample = Sample {
        id: document.id.clone(),
        tokens: tokens.map(str::to_owned).collect(),
        labels,
        image: document.images.first().cloned(),
    };
    source.prefixes.apply(&mut sample);
    if source.mentions_outside {
        prefixes::mentions_outside(&mut sample);
    }
    Ok(Some(sample))
}

#[cfg(test)]
mod tests;
