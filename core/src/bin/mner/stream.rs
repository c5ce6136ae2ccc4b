//! A JSONL stream of tweets, answered line by line.
//!
//! Every object comes out byte for byte as it went in, with the answer's members behind its own:
//!
//! * `entities`; `picture` where an image was encoded.
//! * `read_field` where the text does not stand under `text`: the field asked for, or the whole text of a truncated tweet.
//! * `image_read` where `image` is a list: the model looks at one image, the first of them that can be read, and this says which.
//! * `image_error` where an image cannot be read: the text is read all the same. `image_note` where there is something to know of
//!   the one that was.
//! * `line` and `error` in place of all of these where there is no tweet in the object; a line that is no object is answered by an
//!   object of these two alone.

pub mod chunks;

use crate::failure::Failure;
use crate::predict::{leave_out, print_one, say_left_out};
use crate::record::Record;
use crate::threads::in_order;
use crate::user_names::UserNames;
use chunks::{Chunk, Chunks};
use mner_core::formats::annotations::Document;
use mner_core::image::decode::{Decoded, Limits};
use mner_core::notice;
use mner_core::recognizer::{Recognition, RecognizeError, Recognizer};
use mner_core::systems::image_batch::EncodedImage;
use serde_json::{Map, Value, json};
use std::io::{self, BufRead, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What lines that cannot be read do to the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum BadLines {
    /// It is 1.
    #[default]
    Fail,
    /// It stays 0, so that an engine that gives a part of a corpus up for any other code does so for a real failure alone.
    Accept,
}

/// How a stream is read and answered.
pub struct Settings {
    /// The member that is the tweet, or a path of names with dots between them.
    pub field: String,
    /// What the paths of images are relative to.
    pub images: PathBuf,
    /// What the names of the answer's members begin with.
    pub prefix: Option<String>,
    /// Whether entities of user names are answers.
    pub user_names: UserNames,
    /// JSON, or lines for a reader.
    pub json: bool,
    /// Whether lines that cannot be read are a failure.
    pub bad_lines: BadLines,
    /// How many threads read tweets.
    pub threads: NonZeroUsize,
    /// What the model is called in documents.
    pub model: String,
}

/// Where answers go: out as they come, or into documents for another tool's format.
pub enum Answers<'a, W> {
    Lines(&'a mut W),
    Documents(&'a mut Vec<Document>),
}

/// Time between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(2);

/// A line that holds a tweet.
struct Job<'a> {
    record: Record,
    text: String,
    read_field: Option<&'a str>,
    image: Seen,
}

/// What became of a line's images.
#[derive(Default)]
struct Seen {
    encoded: Option<EncodedImage>,
    /// Members of the answer.
    said: Map<String, Value>,
}

/// What was counted.
#[derive(Default)]
struct Counts {
    lines: usize,
    bad: usize,
    images: usize,
    bad_images: usize,
    left_out: usize,
}

impl Counts {
    fn add(&mut self, more: &Self) {
        self.lines += more.lines;
        self.bad += more.bad;
        self.images += more.images;
        self.bad_images += more.bad_images;
        self.left_out += more.left_out;
    }
}

/// Answers every line in order; a line that cannot be read is answered with its error.
pub fn run(
    recognizer: &Recognizer,
    input: Chunks<impl BufRead + Send + 'static>,
    mut answers: Answers<impl Write>,
    settings: &Settings,
) -> Result<(), Failure> {
    let mut counts = Counts::default();
    let started = Instant::now();
    let mut last = started;
    let mut shown = false;
    let documents = matches!(answers, Answers::Documents(_));
    in_order(
        settings.threads,
        input,
        |chunk| answer(recognizer, chunk, documents, settings),
        |answered| {
            counts.add(&answered.counts);
            for sentence in &answered.said {
                notice!("{sentence}");
            }
            match &mut answers {
                Answers::Lines(out) => {
                    let written = out.write_all(&answered.lines).and_then(|()| out.flush());
                    written.map_err(|e| Failure::output(&e))?;
                }
                Answers::Documents(documents) => documents.extend(answered.documents),
            }
            if last.elapsed() >= INTERVAL || (!shown && io::stderr().is_terminal()) {
                (last, shown) = (Instant::now(), true);
                notice!(
                    "{} lines, {:.0} a second",
                    counts.lines,
                    counts.lines as f64 / started.elapsed().as_secs_f64()
                );
            }
            Ok(())
        },
    )?;
    say_left_out(counts.left_out, settings.user_names);
    if counts.bad_images > 0 {
        notice!(
            "{} of {} images could not be looked at; their answers say why",
            counts.bad_images,
            counts.images
        );
    }
    if counts.bad == 0 {
        return Ok(());
    }
    let said = format!(
        "{} of {} lines could not be read; their answers say why",
        counts.bad, counts.lines
    );
    match settings.bad_lines {
        BadLines::Fail => Err(Failure::Message(said)),
        BadLines::Accept => {
            notice!("{said}");
            Ok(())
        }
    }
}

/// The tweet of a line and its image, or the line with what is wrong with it.
fn job<'a>(
    recognizer: &Recognizer,
    line: &[u8],
    settings: &'a Settings,
    counts: &mut Counts,
) -> Result<Job<'a>, (Option<Record>, String)> {
    let record = Record::parse(line, &settings.field).map_err(|error| (None, error))?;
    match record.tweet(&settings.field) {
        Err(error) => Err((Some(record), error)),
        Ok(tweet) => Ok(Job {
            image: look(recognizer, &record, &settings.images, counts),
            record,
            text: tweet.text,
            read_field: tweet.field,
        }),
    }
}

/// Encodes the first image of a record that can be read.
fn look(recognizer: &Recognizer, record: &Record, folder: &Path, counts: &mut Counts) -> Seen {
    let (paths, wrong) = record.images();
    let mut errors: Vec<String> = wrong.into_iter().collect();
    let mut seen = Seen::default();
    for path in &paths {
        counts.images += 1;
        match encode(recognizer, folder, path) {
            Ok((encoded, note)) => {
                seen.encoded = Some(encoded);
                if paths.len() > 1 {
                    seen.said.insert("image_read".to_owned(), json!(path));
                }
                if let Some(note) = note {
                    seen.said.insert("image_note".to_owned(), json!(note));
                }
                break;
            }
            Err(error) => {
                counts.bad_images += 1;
                errors.push(error);
            }
        }
        if recognizer.vision().is_none() {
            break;
        }
    }
    if !errors.is_empty() {
        seen.said
            .insert("image_error".to_owned(), json!(errors.join("; ")));
    }
    seen
}

/// The image at a path as the networks see it, with what is to be known of how it was read; else a sentence.
fn encode(
    recognizer: &Recognizer,
    folder: &Path,
    path: &str,
) -> Result<(EncodedImage, Option<String>), String> {
    let Some(vision) = recognizer.vision() else {
        return Err(RecognizeError::NoVision.to_string());
    };
    let path = path.strip_prefix("file://").unwrap_or(path);
    if path.contains("://") || path.starts_with("data:") {
        let shown: String = path.chars().take(60).collect();
        return Err(format!(
            "{shown} is no path of a file; fetch the image and name its file"
        ));
    }
    let fault = |cause: &dyn std::fmt::Display| format!("{path}: {cause}");
    let file = folder.join(path);
    let data = std::fs::metadata(&file).map_err(|e| fault(&e))?;
    if !data.is_file() {
        return Err(fault(&"this is not a file"));
    }
    let size = usize::try_from(data.len()).unwrap_or(usize::MAX);
    Limits::default().check_file(size).map_err(|e| fault(&e))?;
    let bytes = std::fs::read(&file).map_err(|e| fault(&e))?;
    let Decoded { image, note } = Decoded::read(&bytes).map_err(|e| fault(&e))?;
    let features = pollster::block_on(vision.encode_image(&image)).map_err(|e| fault(&e))?;
    let encoded = recognizer.encoded(features).map_err(|e| fault(&e))?;
    Ok((encoded, note.map(|note| note.to_string())))
}

/// What became of the lines of a chunk.
#[derive(Default)]
struct Answered {
    /// Answers as they are written,
    lines: Vec<u8>,
    /// or as documents.
    documents: Vec<Document>,
    /// What documents cannot say.
    said: Vec<String>,
    counts: Counts,
}

/// Answers the lines of a chunk, as documents or as they are written.
fn answer(
    recognizer: &Recognizer,
    chunk: Chunk,
    documents: bool,
    settings: &Settings,
) -> Result<Answered, Failure> {
    let mut answered = Answered::default();
    let counts = &mut answered.counts;
    counts.lines = chunk.read;
    let mut jobs = Vec::with_capacity(chunk.lines.len());
    for (number, line) in chunk.lines {
        jobs.push((number, job(recognizer, &line, settings, counts)));
    }
    let alone = jobs.iter().filter_map(|(_, job)| match job {
        Ok(job) if job.image.encoded.is_none() => Some(job.text.as_str()),
        _ => None,
    });
    let texts: Vec<&str> = alone.collect();
    let mut without = pollster::block_on(recognizer.recognize_all(&texts))?.into_iter();
    for (number, job) in jobs {
        let written = match job {
            Ok(job) => {
                let mut found = match &job.image.encoded {
                    Some(encoded) => pollster::block_on(recognizer.recognize_with(
                        &job.text,
                        Some(encoded),
                        None,
                    ))?,
                    None => without.next().expect("an answer for every text"),
                };
                answered.counts.left_out += leave_out(&mut found, settings.user_names);
                match documents {
                    true => {
                        let (document, said) = document(number, job, &found, settings);
                        answered.documents.push(document);
                        answered.said.extend(said);
                        Ok(())
                    }
                    false => write(&mut answered.lines, job, &found, settings),
                }
            }
            Err((record, error)) => {
                answered.counts.bad += 1;
                if documents {
                    answered.said.push(format!("line {number}: {error}"));
                    continue;
                }
                let out = &mut answered.lines;
                let fault = json!({ "line": number, "error": error });
                match (record, fault) {
                    (Some(record), Value::Object(fault)) => {
                        writeln!(
                            out,
                            "{}",
                            record.answered(&fault, settings.prefix.as_deref())
                        )
                    }
                    (_, fault) => writeln!(out, "{fault}"),
                }
            }
        };
        written.map_err(|e| Failure::output(&e))?;
    }
    Ok(answered)
}

/// An answer as a document, with the members of its record, and what went wrong on the way.
fn document(
    number: usize,
    job: Job,
    found: &Recognition,
    settings: &Settings,
) -> (Document, Vec<String>) {
    let mut document = Document::answered(&job.text, &found.entities, &settings.model);
    document.place = format!("line {number}");
    let mut said = Vec::new();
    match job.record.others(&settings.field) {
        Ok(members) => document = document.with_members(members),
        Err(error) => said.push(format!("line {number}: {error}")),
    }
    if let Some(error) = job.image.said.get("image_error").and_then(Value::as_str) {
        said.push(format!("line {number}: {error}"));
    }
    (document, said)
}

fn write(
    out: &mut impl Write,
    job: Job,
    found: &Recognition,
    settings: &Settings,
) -> io::Result<()> {
    if !settings.json {
        writeln!(out, "{}", job.text)?;
        print_one(out, &job.text, found, false)?;
        for said in job.image.said.values() {
            writeln!(out, "image    {}", said.as_str().unwrap_or_default())?;
        }
        return Ok(());
    }
    let mut members = Map::new();
    members.insert("entities".to_owned(), json!(found.entities));
    if let Some(field) = job.read_field {
        members.insert("read_field".to_owned(), json!(field));
    }
    if let Some(image) = &found.image {
        members.insert("picture".to_owned(), json!(image));
    }
    members.extend(job.image.said);
    let answered = job.record.answered(&members, settings.prefix.as_deref());
    writeln!(out, "{answered}")
}
