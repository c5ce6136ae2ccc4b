//! From lines to samples.

use crate::data::corpus::labels::OwnTypes;
use crate::data::corpus::{CorpusError, Fault, Format, Sample, Source, foreign, prefixes};
use crate::formats::annotations::lines::{columns, image_id, is_comment, shorten};
use crate::formats::annotations::tags::{Scheme, bio, is_tag};
use crate::formats::lone_surrogates::without_lone_surrogates;
use crate::formats::packed::{Packed, packed};
use crate::label::{EntityType, Label};
use crate::tweet::words::{Sigils, Word, split_words};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::BufRead;

/// Reads samples one by one; after an error nothing more comes.
///
/// Input without a tweet is an error too: [`CorpusError::Empty`].
pub struct Reader<'a, R> {
    input: R,
    source: &'a Source,
    /// Found at the first line with content unless the source names it.
    format: Option<Format>,
    /// Place of the label in numbered lines.
    label: usize,
    buffer: Vec<u8>,
    /// Number of lines read, and what was read ahead of the line taken in last.
    read: usize,
    ahead: VecDeque<(usize, Result<String, CorpusError>)>,
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
    done: bool,
}

/// A line of JSONL; fields of other names are somebody else's.
#[derive(Deserialize)]
struct Record {
    tokens: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    /// A tweet as it was written, in place of tokens and labels; without `entities` nobody labelled it.
    text: Option<String>,
    entities: Option<Vec<Span>>,
    image: Option<String>,
    id: Option<Value>,
}

/// An entity of a raw tweet, as `mner predict` writes it.
#[derive(Deserialize)]
struct Span {
    #[serde(rename = "type")]
    kind: String,
    /// Start and end in Unicode scalar values.
    chars: [usize; 2],
}

impl<'a, R: BufRead> Reader<'a, R> {
    /// Reads `input` the way `source` says; its path is not opened, only named in errors.
    pub fn new(input: R, source: &'a Source) -> Self {
        Self {
            input,
            source,
            format: source.format,
            label: 2,
            buffer: Vec::new(),
            read: 0,
            ahead: VecDeque::new(),
            doubtful: false,
            line: 0,
            draft: Sample::default(),
            before: String::new(),
            types: OwnTypes::default(),
            id_line: 0,
            samples: 0,
            done: false,
        }
    }

    /// The next sample, `None` at the end.
    fn advance(&mut self) -> Result<Option<Sample>, CorpusError> {
        while let Some((number, line)) = self.next_line() {
            self.line = number;
            let sample = self
                .take_line(&line?)
                .map_err(|fault| self.fault(number, fault))?;
            if sample.is_some() {
                return Ok(sample);
            }
        }
        if self.draft.id.is_some() && self.draft.tokens.is_empty() {
            return Err(self.fault(self.id_line, Fault::NoWords));
        }
        Ok(self.finish())
    }

    /// The next line and its number.
    fn next_line(&mut self) -> Option<(usize, Result<String, CorpusError>)> {
        match self.ahead.pop_front() {
            Some(line) => Some(line),
            None => self.read_line().transpose().map(|line| (self.read, line)),
        }
    }

    /// Reads one line without its end and the blanks before it; none at the end of the input.
    fn read_line(&mut self) -> Result<Option<String>, CorpusError> {
        self.buffer.clear();
        let size = self
            .input
            .read_until(b'\n', &mut self.buffer)
            .map_err(|cause| CorpusError::Io {
                file: self.source.path.clone(),
                cause,
            })?;
        if size == 0 {
            return Ok(None);
        }
        self.read += 1;
        if self.read == 1
            && let Some(Packed { name, unpack }) = packed(&self.buffer)
        {
            return Err(self.fault(1, Fault::Packed { name, unpack }));
        }
        let text = str::from_utf8(&self.buffer).map_err(|_| {
            let fault = match self.buffer.as_slice() {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] if self.read == 1 => foreign::UTF_16,
                buffer => Fault::NotUtf8 {
                    found: shorten(String::from_utf8_lossy(buffer).trim_end()),
                },
            };
            self.fault(self.read, fault)
        })?;
        // Files that were put together have a mark where each begins.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let line = text.trim_end_matches(['\n', '\r', ' ', '\t']);
        if self.read == 1
            && let Some(fault) = foreign::encoding(line)
        {
            return Err(self.fault(1, fault));
        }
        Ok(Some(line.to_owned()))
    }

    /// The place of the label if the tweet that begins with `line` has numbered lines. Reads it ahead.
    fn numbered(&mut self, line: &str) -> Option<usize> {
        let fields = columns(line);
        if !matches!(fields.len(), 3 | 4) || fields[0].parse::<usize>().is_err() {
            return None;
        }
        while self
            .ahead
            .back()
            .is_none_or(|(_, line)| line.as_ref().is_ok_and(|line| !line.is_empty()))
            && let Some(next) = self.read_line().transpose()
        {
            self.ahead.push_back((self.read, next));
        }
        let after = self
            .ahead
            .iter()
            .map_while(|(_, line)| line.as_deref().ok());
        let lines: Vec<&str> = [line]
            .into_iter()
            .chain(after.take_while(|line| !line.is_empty()))
            .collect();
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
            match columns(line).as_slice() {
                ["-DOCSTART-"] | ["-DOCSTART-", .., _, _] => return Ok(self.ended()),
                // A word so long as words stand beside it.
                ["-DOCSTART-", "O"] if self.draft.tokens.is_empty() => {
                    self.doubtful = true;
                    return Ok(None);
                }
                _ => {}
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
            other => Err(foreign::of_a_tool(other)),
        }
    }

    fn detect(&mut self, line: &str) -> Result<Format, Fault> {
        if let Some(label) = self.numbered(line) {
            self.label = label;
            return Ok(Format::Numbered);
        }
        let fields = columns(line);
        let labelled = fields.last().is_some_and(|last| is_tag(last));
        if Format::of_line(line).is_none() && labelled && fields.len() > 2 {
            return Err(foreign::MORE_COLUMNS);
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
        match (fields.as_slice(), format) {
            ([word, label], Format::ImgId | Format::Conll2)
            | ([word, _, _, label], Format::Conll4) => {
                self.push(word, label)?;
                Ok(None)
            }
            ([number, word, ..], Format::Numbered)
                if fields.len() > self.label
                    && fields.len() <= 4
                    && number.parse::<usize>().is_ok() =>
            {
                self.push(word, fields[self.label])?;
                Ok(None)
            }
            _ => Err(Fault::Columns {
                found: shorten(line),
                columns: fields.len(),
                format,
            }),
        }
    }

    fn take_record(&mut self, line: &str) -> Result<Option<Sample>, Fault> {
        let mended = without_lone_surrogates(line.as_bytes());
        let record: Record = serde_json::from_slice(&mended).map_err(|error| {
            if let Some(fault) = foreign::object(line) {
                return fault;
            }
            let message = error.to_string();
            // "at line 1 column 5": the line is always 1 here, and the column is told apart.
            let message = message
                .split(" at line ")
                .next()
                .unwrap_or_default()
                .to_owned();
            Fault::Json {
                message,
                column: error.column(),
            }
        })?;
        match (record.tokens, record.labels, record.text) {
            (None, None, Some(text)) if record.entities.is_some() => {
                self.take_text(&text, &record.entities.unwrap_or_default())?;
            }
            (Some(words), Some(labels), _) => {
                let (tokens, count) = (words.len(), labels.len());
                if tokens != count {
                    return Err(Fault::Lengths {
                        tokens,
                        labels: count,
                    });
                }
                for (word, label) in words.iter().zip(&labels) {
                    self.push(word.trim_matches([' ', '\t', '\r', '\n']), label)?;
                }
            }
            (None, None, Some(text)) if self.source.unlabelled.len() == EntityType::ALL.len() => {
                let words = split_words(&text, Sigils::Joined);
                self.draft.tokens = words.iter().map(|word| word.of(&text).to_owned()).collect();
                self.draft.labels = vec![Label::O; words.len()];
            }
            (None, None, Some(_)) => {
                return Err(foreign::object(line).unwrap_or(Fault::Unlabelled));
            }
            (tokens, ..) => {
                if let Some(fault) = foreign::object(line) {
                    return Err(fault);
                }
                let missing = if tokens.is_some() { "labels" } else { "tokens" };
                return Err(Fault::Json {
                    message: format!("missing field `{missing}`"),
                    column: line.len(),
                });
            }
        }
        self.draft.id = match record.id {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id),
            Some(Value::Number(id)) if id.is_i64() || id.is_u64() => Some(id.to_string()),
            Some(_) => {
                return Err(Fault::Json {
                    message: "an \"id\" that is neither text nor a whole number".to_owned(),
                    column: line.len(),
                });
            }
        };
        self.draft.image = record.image;
        self.finish().ok_or(Fault::NoWords).map(Some)
    }

    /// A raw tweet whose entities are spans of it. Sigils are words of their own, since spans leave them out.
    fn take_text(&mut self, text: &str, entities: &[Span]) -> Result<(), Fault> {
        let words = split_words(text, Sigils::Apart);
        let mut labels = vec!["O".to_owned(); words.len()];
        for entity in entities {
            let [start, end] = entity.chars;
            let inside = |word: &Word| word.chars.start >= start && word.chars.end <= end;
            let touched = |word: &Word| word.chars.start < end && word.chars.end > start;
            let first = words.iter().position(touched);
            let whole = words.iter().filter(|word| touched(word)).all(inside);
            let Some(first) = first.filter(|_| whole) else {
                let all = text.chars().skip(start);
                return Err(Fault::Span {
                    found: all.take(end.saturating_sub(start)).collect(),
                    start,
                    end,
                });
            };
            for (at, _) in words.iter().enumerate().filter(|(_, word)| inside(word)) {
                let prefix = if at == first { "B" } else { "I" };
                labels[at] = format!("{prefix}-{}", entity.kind);
            }
        }
        for (word, label) in words.iter().zip(&labels) {
            self.push(word.of(text), label)?;
        }
        Ok(())
    }

    fn push(&mut self, word: &str, text: &str) -> Result<(), Fault> {
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

    fn fault(&self, line: usize, fault: Fault) -> CorpusError {
        CorpusError::Line {
            file: self.source.path.clone(),
            line,
            fault,
        }
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
