//! A JSONL stream of tweets, answered line by line.
//!
//! Every object comes out byte for byte as it went in, with the answer's members behind its own:
//!
//! * `entities`; `picture` where an image was encoded.
//! * `read_field` where another text was read than the one asked for: the whole one of a truncated tweet.
//! * `image_read` where `image` is a list: the model looks at one image, the first of them that can be read, and this says which.
//! * `image_error` where an image cannot be read: the text is read all the same. `image_note` where there is something to know of
//!   the one that was.
//! * `line` and `error` in place of all of these where there is no tweet in the object; a line that is no object is answered by an
//!   object of these two alone.

use crate::failure::Failure;
use crate::predict::{leave_out, print_one, say_left_out};
use crate::record::Record;
use crate::user_names::UserNames;
use mner_core::formats::annotations::Document;
use mner_core::formats::packed::{Packed, packed};
use mner_core::image::decode::{Decoded, Limits};
use mner_core::notice;
use mner_core::recognizer::{Recognition, RecognizeError, Recognizer};
use mner_core::systems::image_batch::EncodedImage;
use serde_json::{Map, Value, json};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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
    /// What the model is called in documents.
    pub model: String,
}

/// Where answers go: out as they come, or into documents for another tool's format.
pub enum Answers<'a, W> {
    Lines(&'a mut W),
    Documents(&'a mut Vec<Document>),
}

/// Lines read and answered together.
const CHUNK: usize = 64;
/// Time between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(2);

/// A line that holds a tweet.
struct Job {
    record: Record,
    text: String,
    read_field: Option<&'static str>,
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

/// Answers every line in order; a line that cannot be read is answered with its error.
pub fn run(
    recognizer: &Recognizer,
    input: &mut impl BufRead,
    mut answers: Answers<impl Write>,
    settings: &Settings,
) -> Result<(), Failure> {
    let mut counts = Counts::default();
    let started = Instant::now();
    let mut last = started;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        while chunk.len() < CHUNK {
            let mut line = Vec::new();
            if input
                .read_until(b'\n', &mut line)
                .map_err(|e| format!("cannot read the input: {e}"))?
                == 0
            {
                break;
            }
            counts.lines += 1;
            if counts.lines == 1
                && let Some(other) = other_encoding(&line)
            {
                return Err(Failure::Message(other));
            }
            let blank = line.trim_ascii();
            if !blank.is_empty() && blank != b"\xef\xbb\xbf" {
                let job = job(recognizer, &line, settings, &mut counts);
                chunk.push((counts.lines, job));
            }
        }
        if chunk.is_empty() {
            break;
        }
        answer(recognizer, chunk, &mut answers, settings, &mut counts)?;
        if let Answers::Lines(out) = &mut answers {
            out.flush().map_err(|e| Failure::output(&e))?;
        }
        if last.elapsed() >= INTERVAL || (counts.lines == CHUNK && io::stderr().is_terminal()) {
            last = Instant::now();
            notice!(
                "{} lines, {:.0} a second",
                counts.lines,
                counts.lines as f64 / started.elapsed().as_secs_f64()
            );
        }
    }
    say_left_out(counts.left_out, settings.user_names);
    if counts.bad_images > 0 {
        notice!(
            "{} of {} images could not be looked at; their answers say why",
            counts.bad_images,
            counts.images
        );
    }
    if counts.bad > 0 {
        return Err(Failure::Message(format!(
            "{} of {} lines could not be read; their answers say why",
            counts.bad, counts.lines
        )));
    }
    Ok(())
}

/// What the input is in place of UTF-8 text, by how its first line begins.
fn other_encoding(line: &[u8]) -> Option<String> {
    let (name, remedy) = match line {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => ("UTF-32", "iconv -f UTF-32 -t UTF-8"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("UTF-16", "iconv -f UTF-16 -t UTF-8"),
        [b'{' | b' ' | b'[', 0, 0, 0, ..] => ("UTF-32", "iconv -f UTF-32LE -t UTF-8"),
        [0, 0, 0, b'{' | b' ' | b'[', ..] => ("UTF-32", "iconv -f UTF-32BE -t UTF-8"),
        [b'{' | b' ' | b'[', 0, ..] => ("UTF-16", "iconv -f UTF-16LE -t UTF-8"),
        [0, b'{' | b' ' | b'[', ..] => ("UTF-16", "iconv -f UTF-16BE -t UTF-8"),
        _ => packed(line).map(|Packed { name, unpack }| (name, unpack))?,
    };
    Some(format!(
        "the input is {name}; JSON lines are read as UTF-8: send it through `{remedy}` first"
    ))
}

/// The tweet of a line and its image, or the line with what is wrong with it.
fn job(
    recognizer: &Recognizer,
    line: &[u8],
    settings: &Settings,
    counts: &mut Counts,
) -> Result<Job, (Option<Record>, String)> {
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

/// A line's number, and its tweet or what is wrong with it.
type Line = (usize, Result<Job, (Option<Record>, String)>);

/// Reads the tweets of a chunk and writes the answers.
fn answer(
    recognizer: &Recognizer,
    chunk: Vec<Line>,
    answers: &mut Answers<impl Write>,
    settings: &Settings,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let alone = |(_, job): &Line| match job {
        Ok(job) if job.image.encoded.is_none() => Some(job.text.clone()),
        _ => None,
    };
    let texts: Vec<String> = chunk.iter().filter_map(alone).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut without = pollster::block_on(recognizer.recognize_all(&texts))?.into_iter();
    for (number, job) in chunk {
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
                counts.left_out += leave_out(&mut found, settings.user_names);
                match answers {
                    Answers::Lines(out) => write(out, job, &found, settings),
                    Answers::Documents(documents) => {
                        documents.push(document(number, job, &found, settings));
                        Ok(())
                    }
                }
            }
            Err((record, error)) => {
                counts.bad += 1;
                let Answers::Lines(out) = answers else {
                    eprintln!("line {number}: {error}");
                    continue;
                };
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
    Ok(())
}

/// An answer as a document, with the members of its record.
fn document(number: usize, job: Job, found: &Recognition, settings: &Settings) -> Document {
    let mut document = Document::answered(&job.text, &found.entities, &settings.model);
    document.place = format!("line {number}");
    match job.record.others(&settings.field) {
        Ok(members) => document = document.with_members(members),
        Err(error) => eprintln!("line {number}: {error}"),
    }
    if let Some(error) = job.image.said.get("image_error").and_then(Value::as_str) {
        eprintln!("line {number}: {error}");
    }
    document
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
