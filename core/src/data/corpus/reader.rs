//! From lines to samples.

use crate::data::corpus::labels::OwnTypes;
use crate::data::corpus::lines::Lines;
use crate::data::corpus::{CorpusError, Fault, Format, Sample, Source};
use crate::data::corpus::{foreign, prefixes, records};
use crate::formats::annotations::lines::{
    columns, counts_sentences, image_id, is_comment, number, shorten, starts_document, word_and_tag,
};
use crate::formats::annotations::tags::{Scheme, bio, is_tag, named};
use crate::label::{EntityType, Label};
use std::borrow::Cow;
use std::io::BufRead;

/// Reads samples one by one; after an error nothing more comes.
///
/// Input without a tweet is an error too: [`CorpusError::Empty`].
pub struct Reader<'a, R> {
    lines: Lines<'a, R>,
    source: &'a Source,
    /// Found at the first line with content unless the source names it.
    format: Option<Format>,
    /// Place of the label in numbered lines.
    label: usize,
    /// Number of the line taken in last, from 1.
    line: usize,
    /// A `-DOCSTART-` with a label, which is a word if words follow it at once.
    doubtful: bool,
    /// The tweet whose lines are being read.
    draft: Sample,
    /// The label before the next word's, as it was written.
    before: String,
    /// Type names that were read by the table.
    pub(super) types: OwnTypes,
    /// Line of the draft's `IMGID:`.
    id_line: usize,
    samples: usize,
    /// Answers that say why a tweet could not be read.
    pub(super) passed_over: usize,
    done: bool,
}

impl<'a, R: BufRead> Reader<'a, R> {
    /// Reads `input` the way `source` says; its path is not opened, only named in errors.
    pub fn new(input: R, source: &'a Source) -> Self {
        Self {
            lines: Lines::new(input, &source.path),
            source,
            format: source.format,
            label: 2,
            doubtful: false,
            line: 0,
            draft: Sample::default(),
            before: String::new(),
            types: OwnTypes::default(),
            id_line: 0,
            samples: 0,
            passed_over: 0,
            done: false,
        }
    }

    /// The next sample, `None` at the end.
    fn advance(&mut self) -> Result<Option<Sample>, CorpusError> {
        while let Some((number, line)) = self.lines.next() {
            self.line = number;
            let sample = self
                .take_line(&line?)
                .map_err(|fault| self.lines.fault(number, fault))?;
            if sample.is_some() {
                return Ok(sample);
            }
        }
        if self.draft.id.is_some() && self.draft.tokens.is_empty() {
            return Err(self.lines.fault(self.id_line, Fault::NoWords));
        }
        Ok(self.finish())
    }

    /// The place of the label if the tweet that begins with `line` has numbered lines. Reads it ahead.
    fn numbered(&mut self, line: &str) -> Option<usize> {
        let fields = columns(line);
        if !matches!(fields.len(), 3 | 4) || number(fields[0]).is_none() {
            return None;
        }
        let lines = self.lines.paragraph(line);
        Format::numbered(&lines, |label| self.source.labels.label(label).is_ok())
    }

    /// Takes in one line; a sample if the line ends one.
    fn take_line(&mut self, line: &str) -> Result<Option<Sample>, Fault> {
        if line.is_empty() {
            self.doubtful = false;
            // An id may be followed by a blank line; it waits for its words.
            return Ok(self.ended());
        }
        let in_columns = self.format != Some(Format::Jsonl);
        if in_columns && is_comment(line) {
            return Ok(None);
        }
        if in_columns && line.starts_with("-DOCSTART-") {
            let fields = columns(line);
            if starts_document(&fields) {
                return Ok(self.ended());
            }
            // A word so long as words stand beside it.
            if fields == ["-DOCSTART-", "O"] && self.draft.tokens.is_empty() {
                self.doubtful = true;
                return Ok(None);
            }
        }
        let format = match self.format {
            Some(format) => format,
            None => self.detect(line)?,
        };
        self.format = Some(format);
        if std::mem::take(&mut self.doubtful) && image_id(line).is_none() {
            self.push("-DOCSTART-", "O")?;
        }
        match format {
            Format::Jsonl => self.take_record(line),
            Format::ImgId => match image_id(line) {
                Some(id) => self.begin(id),
                None if self.draft.id.is_none() => Err(Fault::NoImageId {
                    found: shorten(line),
                }),
                _ => self.take_columns(line, format),
            },
            Format::Conll2 | Format::Conll4 | Format::Numbered => self.take_columns(line, format),
            other => Err(Fault::Tool { format: other }),
        }
    }

    fn detect(&mut self, line: &str) -> Result<Format, Fault> {
        if let Some(label) = self.numbered(line) {
            self.label = label;
            return Ok(Format::Numbered);
        }
        let fields = columns(line);
        let labelled = fields.last().is_some_and(|last| is_tag(last));
        if fields.len() > 3 && counts_sentences(&self.lines.paragraph(line)) {
            return Err(foreign::sentence_numbers());
        }
        if Format::of_line(line).is_none() && labelled && fields.len() > 2 {
            return Err(foreign::more_columns(&self.lines.paragraph(line)));
        }
        match (Format::of_line(line), foreign::line(line)) {
            (Some(Format::Conll4) | None, Some(fault)) => Err(fault),
            (Some(Format::Conll2), Some(fault)) if !labelled => Err(fault),
            (Some(format), _) => Ok(format),
            (None, None) => Err(Fault::UnknownFormat {
                found: shorten(line),
            }),
        }
    }

    /// The draft, if it has words.
    fn ended(&mut self) -> Option<Sample> {
        match self.draft.tokens.is_empty() {
            true => None,
            false => self.finish(),
        }
    }

    fn begin(&mut self, id: &str) -> Result<Option<Sample>, Fault> {
        if id.is_empty() {
            return Err(Fault::NoImageId {
                found: "IMGID:".to_owned(),
            });
        }
        if self.draft.id.is_some() && self.draft.tokens.is_empty() {
            return Err(Fault::NoWords);
        }
        let before = self.finish();
        self.draft.id = Some(id.to_owned());
        self.id_line = self.line;
        Ok(before)
    }

    fn take_columns(&mut self, line: &str, format: Format) -> Result<Option<Sample>, Fault> {
        let fields = columns(line);
        let Some((word, label)) = word_and_tag(&fields, format, self.label) else {
            return Err(Fault::Columns {
                found: shorten(line),
                columns: fields.len(),
                format,
            });
        };
        self.push(word, label)?;
        Ok(None)
    }

    fn take_record(&mut self, line: &str) -> Result<Option<Sample>, Fault> {
        let unlabelled = self.source.unlabelled.len() == EntityType::ALL.len();
        let Some(tweet) = records::tweet(line, unlabelled)? else {
            self.passed_over += 1;
            return Ok(None);
        };
        match tweet.labels {
            Some(labels) => {
                for (word, label) in tweet.words.iter().zip(&labels) {
                    self.push(word, label)?;
                }
            }
            None => {
                self.draft.labels = vec![Label::O; tweet.words.len()];
                self.draft.tokens = tweet.words;
            }
        }
        self.draft.id = tweet.id;
        self.draft.image = tweet.image;
        self.finish().ok_or(Fault::NoWords).map(Some)
    }

    fn push(&mut self, word: &str, text: &str) -> Result<(), Fault> {
        let text = named(text, &self.source.names);
        let tag = match self.source.scheme {
            None | Some(Scheme::Bioes) => bio(&self.before, text),
            Some(_) => Cow::Borrowed(text),
        };
        let label = self.source.labels.label(&tag);
        let label = label.map_err(|fault| foreign::label(text).unwrap_or(fault))?;
        if let Some(name) = tag.strip_prefix("B-") {
            self.types.count(&self.source.labels, name);
        }
        self.before.clear();
        self.before.push_str(text);
        match (word.is_empty(), label) {
            (true, Label::O) => {}
            (true, _) => {
                return Err(Fault::EmptyWord {
                    label: text.to_owned(),
                });
            }
            (false, label) => {
                self.draft.tokens.push(word.to_owned());
                self.draft.labels.push(label);
            }
        }
        Ok(())
    }

    /// The draft, if it has words, in the form the source asks for.
    fn finish(&mut self) -> Option<Sample> {
        self.before.clear();
        let mut sample = std::mem::take(&mut self.draft);
        if sample.tokens.is_empty() {
            return None;
        }
        self.source.prefixes.apply(&mut sample);
        if self.source.mentions_outside {
            prefixes::mentions_outside(&mut sample);
        }
        self.samples += 1;
        Some(sample)
    }
}

impl<R: BufRead> Iterator for Reader<'_, R> {
    type Item = Result<Sample, CorpusError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = match self.advance() {
            Ok(None) if self.samples == 0 => Some(Err(CorpusError::Empty {
                file: self.source.path.clone(),
            })),
            other => other.transpose(),
        };
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}
