//! Words and tags in columns: CoNLL with two or four, `IMGID` files, numbered lines.

use crate::formats::annotations::document::{Document, Span};
use crate::formats::annotations::exchange::{ReadOptions, Reading, WriteOptions};
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::format::Format;
use crate::formats::annotations::lines::{
    columns, image_id, is_comment, shorten, starts_document, word_and_tag,
};
use crate::formats::annotations::record::beside;
use crate::formats::annotations::tagged::spans;
use crate::formats::annotations::tags::{Scheme, is_tag, named};
use crate::formats::annotations::words::with_words;

/// A sentence as it was read.
#[derive(Default)]
struct Sentence {
    line: usize,
    id: Option<String>,
    words: Vec<String>,
    tags: Vec<String>,
}

pub(super) fn read(
    format: Format,
    text: &str,
    options: &ReadOptions,
    reading: &mut Reading,
) -> Result<(), AnnotationError> {
    let sentences = sentences(format, text, options, &mut reading.losses)?;
    let all = sentences.iter().map(|sentence| sentence.tags.as_slice());
    let scheme = options.scheme.unwrap_or_else(|| Scheme::detect(all));
    reading.scheme = Some(scheme);
    for sentence in sentences {
        let mut document = Document {
            place: format!("line {}", sentence.line),
            id: sentence.id,
            ..Document::of_words(&sentence.words)
        };
        document.spans = spans(
            &document,
            &sentence.tags,
            scheme,
            options,
            &mut reading.losses,
        )?;
        reading.documents.push(document);
    }
    Ok(())
}

fn sentences(
    format: Format,
    text: &str,
    options: &ReadOptions,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Sentence>, AnnotationError> {
    let (mut found, mut open) = (Vec::new(), Sentence::default());
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.trim_end_matches([' ', '\t', '\r']))
        .map(|line| line.trim_start_matches('\u{feff}'))
        .collect();
    let mut label = None;
    for (at, &line) in lines.iter().enumerate() {
        let place = || format!("line {}", at + 1);
        let fields = columns(line);
        let starts = |open: &Sentence| open.words.is_empty();
        // A document's start alone on its line, before a blank one or an image's id is no word.
        let next = lines.get(at + 1).copied().unwrap_or_default();
        let alone = next.is_empty() || image_id(next).is_some();
        let lone_start = fields == ["-DOCSTART-", "O"] && starts(&open) && alone;
        if line.is_empty() || lone_start || starts_document(&fields) {
            close(&mut open, &mut found);
            continue;
        }
        if is_comment(line) {
            let what = "comments are not read";
            beside(losses, &place(), what);
            continue;
        }
        if format == Format::ImgId
            && let Some(id) = image_id(line)
        {
            close(&mut open, &mut found);
            open.id = Some(id.to_owned());
            continue;
        }
        let shape = || AnnotationError::Shape {
            place: place(),
            found: format!("`{}`", shorten(line)),
            expected: format.shape(),
        };
        if format == Format::Numbered && label.is_none() {
            let rest: Vec<&str> = lines[at..]
                .iter()
                .copied()
                .take_while(|line| !line.is_empty())
                .collect();
            label = Some(Format::numbered(&rest, is_tag).ok_or_else(shape)?);
        }
        let (word, tag) =
            word_and_tag(&fields, format, label.unwrap_or_default()).ok_or_else(shape)?;
        let tag = named(tag, &options.names);
        if word.is_empty() && tag == "O" {
            beside(losses, &place(), "rows without a word are not kept");
            continue;
        }
        if word.is_empty() {
            return Err(shape());
        }
        if !is_tag(tag) {
            return Err(AnnotationError::Tag {
                place: place(),
                found: shorten(tag),
                expected: options.scheme.unwrap_or(Scheme::Iob2).tags(),
            });
        }
        if starts(&open) {
            open.line = at + 1;
        }
        open.words.push(word.to_owned());
        open.tags.push(tag.to_owned());
    }
    close(&mut open, &mut found);
    Ok(found)
}

/// Ends a sentence if it has words; an id waits for them.
fn close(open: &mut Sentence, found: &mut Vec<Sentence>) {
    if !open.words.is_empty() {
        found.push(std::mem::take(open));
    }
}

pub(super) fn write(
    format: Format,
    documents: &[Document],
    options: &WriteOptions,
    losses: &mut Vec<Loss>,
) -> String {
    let mut out = String::new();
    for (number, document) in documents.iter().enumerate() {
        let Some(found) = with_words(document, losses) else {
            continue;
        };
        let id = document.id.is_some() && format != Format::ImgId;
        if id
            || !document.images.is_empty()
            || !document.extra.is_empty()
            || document.model.is_some()
        {
            let what = "ids, images and further members are not kept in this format";
            beside(losses, &document.place, what);
        }
        if format == Format::ImgId {
            let id = document
                .id
                .clone()
                .unwrap_or_else(|| (number + 1).to_string());
            out.push_str(&format!("IMGID:{}\n", id.replace(['\n', '\r', '\t'], " ")));
        }
        let tags = options.scheme.write(found.words.len(), &found.entities);
        let fine_type = |at: usize| {
            let word = &found.words[at];
            let mut spans = document.spans.iter();
            let of = |span: &&Span| span.bytes.start <= word.start && word.end <= span.bytes.end;
            let told = spans.find(of)?.fine_type.as_ref()?;
            // A blank would make two columns of one.
            Some(told.replace(char::is_whitespace, "_"))
        };
        for (at, (word, tag)) in found.tokens(document).iter().zip(&tags).enumerate() {
            let plain = word.replace(['\n', '\r', '\t'], " ");
            let plain = plain.trim_matches(' ');
            if plain != *word {
                let what = "tabs and line breaks in a word, and blanks at its ends, are not kept";
                beside(losses, &document.place, what);
            }
            match format {
                Format::Conll4 => {
                    let told = fine_type(at).filter(|_| tag != "O");
                    let told = told.as_deref().unwrap_or("-");
                    out.push_str(&format!("{plain}\t-\t{told}\t{tag}\n"));
                }
                Format::Numbered => out.push_str(&format!("{}\t{plain}\t{tag}\n", at + 1)),
                _ => out.push_str(&format!("{plain}\t{tag}\n")),
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_columns_have_room_for_fine_types() {
        let fine = |bytes, kind: &str, fine: &str| Span {
            fine_type: Some(fine.to_owned()),
            ..Span::new(bytes, kind)
        };
        let document = Document {
            spans: vec![fine(0..9, "PER", "an author"), Span::new(13..16, "LOC")],
            ..Document::of_words(&["Ada", "Byron", "in", "Ulm"])
        };
        let options = WriteOptions::default();
        let write = |format| {
            write(
                format,
                std::slice::from_ref(&document),
                &options,
                &mut Vec::new(),
            )
        };
        assert_eq!(
            write(Format::Conll4),
            "Ada\t-\tan_author\tB-PER\nByron\t-\tan_author\tI-PER\nin\t-\t-\tO\nUlm\t-\t-\tB-LOC\n\n"
        );
        assert!(!write(Format::Conll2).contains("author"));
    }
}
