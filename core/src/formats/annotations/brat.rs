//! brat standoff: a text in `NAME.txt`, its annotations in `NAME.ann`.
//!
//! `T1<TAB>Person 0 5<TAB>Obama` a line, the offsets in code points, as brat's server slices. A span may be in pieces, `0 5;8 9`.
//! Pieces with nothing but white space between them are one span: brat cuts spans at line breaks. Any other span in pieces
//! is a [`Loss`]. Relations, events, attributes and notes (`R`, `E`, `A`, `M`, `N`, `*`, `#`) are not read.

use crate::formats::annotations::document::{Document, Span};
use crate::formats::annotations::exchange::{Reading, TextFile};
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::lines::shorten;
use crate::formats::annotations::offsets::{Offsets, Unit};
use crate::formats::annotations::record::{beside, check_words, place_of, stretch};
use std::collections::{BTreeMap, BTreeSet};

const LINE: &str = "a line `T1<TAB>Type start end<TAB>text`";

pub(super) fn read(
    files: &[TextFile],
    unit: Unit,
    reading: &mut Reading,
) -> Result<(), AnnotationError> {
    let mut pairs: BTreeMap<&str, [Option<&str>; 2]> = BTreeMap::new();
    for file in files {
        for (at, ending) in [".txt", ".ann"].into_iter().enumerate() {
            if let Some(name) = file.name.strip_suffix(ending) {
                pairs.entry(name).or_default()[at] = Some(&file.text);
            }
        }
    }
    for (name, pair) in pairs {
        match pair {
            [Some(text), Some(ann)] => {
                reading
                    .documents
                    .push(document(name, text, ann, unit, &mut reading.losses)?);
            }
            [Some(_), None] => {
                let what = "texts without an .ann file are passed over";
                beside(&mut reading.losses, &format!("{name}.txt"), what);
            }
            _ => {
                return Err(AnnotationError::Half {
                    place: format!("{name}.ann"),
                    missing: format!("{name}.txt"),
                });
            }
        }
    }
    Ok(())
}

fn document(
    name: &str,
    text: &str,
    ann: &str,
    unit: Unit,
    losses: &mut Vec<Loss>,
) -> Result<Document, AnnotationError> {
    let offsets = Offsets::new(text, unit);
    let mut document = Document {
        place: format!("{name}.ann"),
        id: Some(name.to_owned()),
        text: text.to_owned(),
        ..Document::default()
    };
    let ann = ann.strip_prefix('\u{feff}').unwrap_or(ann);
    for (number, line) in ann.lines().enumerate() {
        let place = format!("{name}.ann, line {}", number + 1);
        match line.chars().next() {
            None => continue,
            Some('T') => {}
            Some('R' | 'E' | 'A' | 'M' | 'N' | '*' | '#') => {
                let what = "relations, events, attributes and notes are not read";
                beside(losses, &place, what);
                continue;
            }
            Some(_) if line.trim().is_empty() => continue,
            Some(_) => return Err(shape(&place, line)),
        }
        let mut columns = line.split('\t').skip(1);
        let (kind, ends) = columns
            .next()
            .and_then(|column| column.split_once(' '))
            .filter(|(kind, _)| !kind.is_empty())
            .ok_or_else(|| shape(&place, line))?;
        let pieces = ends.split(';').map(|piece| {
            let (start, end) = piece.trim_end().split_once(' ')?;
            Some((start.parse::<u64>().ok()?, end.parse::<u64>().ok()?))
        });
        let pieces: Option<Vec<(u64, u64)>> = pieces.collect();
        let pieces = pieces.ok_or_else(|| shape(&place, line))?;
        let pieces = pieces
            .into_iter()
            .map(|ends| stretch(&offsets, &place, kind, ends).map(|bytes| (ends, bytes)));
        let pieces: Vec<((u64, u64), std::ops::Range<usize>)> = pieces.collect::<Result<_, _>>()?;
        let said = columns.next();
        let together = pieces.windows(2).all(|two| {
            let between = text.get(two[0].1.end..two[1].1.start);
            between.is_some_and(|between| between.trim().is_empty())
        });
        let (Some((from, first)), Some((to, last))) = (pieces.first(), pieces.last()) else {
            return Err(shape(&place, line));
        };
        if !together {
            losses.push(Loss::Discontinuous {
                place,
                kind: kind.to_owned(),
                span: ends.to_owned(),
                text: said.unwrap_or_default().to_owned(),
            });
            continue;
        }
        let bytes = first.start..last.end;
        let found = &text[bytes.clone()];
        check_words(found, &place, (from.0, to.1), said)?;
        document.spans.push(Span::new(bytes, kind));
    }
    Ok(document)
}

fn shape(place: &str, line: &str) -> AnnotationError {
    AnnotationError::Shape {
        place: place.to_owned(),
        found: format!("`{}`", shorten(line)),
        expected: LINE,
    }
}

pub(super) fn write(documents: &[Document], unit: Unit, losses: &mut Vec<Loss>) -> Vec<TextFile> {
    let mut files = Vec::with_capacity(2 * documents.len() + 1);
    let (mut taken, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for (number, document) in documents.iter().enumerate() {
        if !document.images.is_empty() || !document.extra.is_empty() || document.model.is_some() {
            let what = "images and further members are not kept in this format";
            beside(losses, &document.place, what);
        }
        let name = name(document, number, &mut taken);
        if document.id.as_ref().is_some_and(|id| *id != name) {
            let what = "ids that are no file's name, or another's, are changed";
            beside(losses, &document.place, what);
        }
        let offsets = Offsets::new(&document.text, unit);
        let (mut ann, mut count) = (String::new(), 0);
        for span in &document.spans {
            if let Some(line) = line(document, span, &offsets, losses) {
                count += 1;
                kinds.insert(span.kind.as_str());
                ann.push_str(&format!("T{count}\t{line}\n"));
            }
        }
        files.push(TextFile {
            name: format!("{name}.txt"),
            text: document.text.clone(),
        });
        files.push(TextFile {
            name: format!("{name}.ann"),
            text: ann,
        });
    }
    let kinds: String = kinds.iter().map(|kind| format!("{kind}\n")).collect();
    files.push(TextFile {
        name: "annotation.conf".to_owned(),
        text: format!("[entities]\n{kinds}[relations]\n[events]\n[attributes]\n"),
    });
    files
}

/// The name of a document's files: its id where that can be one and is free, else with a number.
fn name(document: &Document, number: usize, taken: &mut BTreeSet<String>) -> String {
    let id = document
        .id
        .clone()
        .unwrap_or_else(|| format!("{:05}", number + 1));
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let plain: String = id
        .chars()
        .map(|c| if safe(c) { c } else { '_' })
        .take(100)
        .collect();
    let plain = match plain.trim_start_matches('.') {
        "" => format!("{:05}", number + 1),
        name => name.to_owned(),
    };
    let mut name = plain.clone();
    let mut again = 1;
    // Some file systems do not tell capitals from small letters.
    while !taken.insert(name.to_lowercase()) {
        again += 1;
        name = format!("{plain}-{again}");
    }
    name
}

/// What follows the number of a span's line; a [`Loss`] where brat cannot say it.
fn line(
    document: &Document,
    span: &Span,
    offsets: &Offsets,
    losses: &mut Vec<Loss>,
) -> Option<String> {
    let mut unsayable = |why: &'static str| {
        losses.push(Loss::Span {
            place: document.place.clone(),
            kind: span.kind.clone(),
            text: document.of(span).to_owned(),
            why,
        });
    };
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    if span.kind.is_empty() || !span.kind.chars().all(plain) {
        unsayable(
            "has a type of other signs than letters, digits, - and _, which brat does not read",
        );
        return None;
    }
    // A span in pieces at every line break, without the white space around it.
    let text = document.of(span);
    let mut pieces: Vec<Span> = Vec::new();
    let mut start = span.bytes.start;
    for part in text.split_inclusive(['\n', '\r']) {
        let kept = part.trim_end_matches(['\n', '\r']);
        if !kept.is_empty() {
            pieces.push(Span::new(start..start + kept.len(), span.kind.as_str()));
        }
        start += part.len();
    }
    let whole = pieces
        .first()
        .zip(pieces.last())
        .is_some_and(|(first, last)| {
            first.bytes.start == span.bytes.start && last.bytes.end == span.bytes.end
        });
    if !whole {
        unsayable("begins or ends with a line break, where brat has none");
        return None;
    }
    let mut ends = Vec::with_capacity(pieces.len());
    for piece in &pieces {
        let (start, end) = place_of(offsets, document, piece, losses)?;
        ends.push(format!("{start} {end}"));
    }
    let words: Vec<&str> = pieces.iter().map(|piece| document.of(piece)).collect();
    let words = words.join(" ").replace('\t', " ");
    Some(format!("{} {}\t{words}", span.kind, ends.join(";")))
}
