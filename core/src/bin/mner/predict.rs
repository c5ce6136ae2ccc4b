//! `mner predict`: the entities of any tweet, one or a stream of them.

use crate::bundle::BundleArgs;
use crate::explain;
use crate::failure::Failure;
use crate::user_names::UserNames;
use image::ImageFormat;
use mner_core::formats::lone_surrogates::without_lone_surrogates;
use mner_core::image::Image;
use mner_core::recognizer::{Recognition, Recognizer};
use mner_core::systems::image_batch::EncodedImage;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Name the entities of a tweet, or of every tweet in a JSONL stream
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    bundle: BundleArgs,
    /// The tweet
    #[arg(
        long,
        conflicts_with = "input",
        required_unless_present = "input",
        allow_hyphen_values = true,
        value_name = "TWEET"
    )]
    text: Option<String>,
    /// The tweet's image: JPEG, PNG, WebP or GIF
    #[arg(long, conflicts_with = "input", value_name = "FILE")]
    image: Option<PathBuf>,
    /// Write the image with boxes, names, relevance and where the entities' words looked, as PNG
    #[arg(long, requires = "image", value_name = "PNG")]
    explain: Option<PathBuf>,
    /// JSONL of objects with a "text"; "-" is standard input. Each comes out again with its "entities"
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Whether entities of user names (@x) are answers; "drop" says how many there were
    #[arg(long, value_enum, default_value_t)]
    user_names: UserNames,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Lines read and answered together.
const CHUNK: usize = 64;
/// Time between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(2);

pub fn run(args: &Args) -> Result<(), Failure> {
    let recognizer = args.bundle.load()?;
    let mut out = BufWriter::new(io::stdout().lock());
    match (&args.text, &args.input) {
        (Some(text), _) => {
            let seen = args
                .image
                .as_deref()
                .map(|path| encode_image(&recognizer, path));
            let seen = seen.transpose()?;
            let encoded = seen.as_ref().map(|(_, encoded)| encoded);
            let mut found = pollster::block_on(recognizer.recognize_with(text, encoded, None))?;
            let left_out = leave_out(&mut found, args.user_names);
            say_left_out(left_out, args.user_names);
            if let (Some(path), Some((image, _))) = (&args.explain, &seen) {
                explain::draw(image, &found)
                    .save_with_format(path, ImageFormat::Png)
                    .map_err(|e| format!("{}: {e}", path.display()))?;
            }
            print_one(&mut out, text, &found, args.json).map_err(|e| Failure::output(&e))
        }
        (None, Some(path)) if path.as_os_str() == "-" => {
            stream(&recognizer, io::stdin().lock(), &mut out, args)
        }
        (None, Some(path)) => {
            let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
            stream(&recognizer, BufReader::new(file), &mut out, args)
        }
        (None, None) => unreachable!("clap requires one of them"),
    }
}

/// Takes the entities of user names away if they are to be dropped; how many they were.
fn leave_out(found: &mut Recognition, user_names: UserNames) -> usize {
    let before = found.entities.len();
    if user_names.dropped() {
        found.entities.retain(|entity| !entity.user_name);
    }
    before - found.entities.len()
}

fn say_left_out(count: usize, user_names: UserNames) {
    if user_names.dropped() {
        eprintln!("{count} entities of user names left out");
    }
}

/// Looks at the image in a file.
fn encode_image(recognizer: &Recognizer, path: &Path) -> Result<(Image, EncodedImage), Failure> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let image = Image::decode(&bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    let encoded = pollster::block_on(recognizer.encode_image(&image))?;
    Ok((image, encoded))
}

fn print_one(out: &mut impl Write, text: &str, found: &Recognition, json: bool) -> io::Result<()> {
    if json {
        writeln!(
            out,
            "{}",
            answer(Map::from_iter([("text".to_owned(), json!(text))]), found)
        )?;
    } else {
        for entity in &found.entities {
            let other = entity.runner_up;
            writeln!(
                out,
                "{:<5}{:>5.1} %  {}  (else {} {:.1} %)",
                entity.kind.name(),
                100.0 * entity.confidence,
                entity.text,
                other.kind,
                100.0 * other.probability
            )?;
        }
        if found.entities.is_empty() {
            writeln!(out, "no entities")?;
        }
        if let Some(image) = &found.image {
            match image.relevance {
                Some(r) => writeln!(
                    out,
                    "picture  relevance: global {:.2}, object {:.2}, semantic {:.2}, spatial {:.2}",
                    r.global, r.object, r.semantic, r.spatial
                )?,
                None => writeln!(out, "picture")?,
            }
            for object in &image.objects {
                writeln!(
                    out,
                    "         {} {:.0} %",
                    object.name,
                    100.0 * object.score
                )?;
            }
        }
    }
    out.flush()
}

/// The object that came in, with what was found in it.
fn answer(mut object: Map<String, Value>, found: &Recognition) -> Value {
    object.insert("entities".to_owned(), json!(found.entities));
    if let Some(image) = &found.image {
        object.insert("picture".to_owned(), json!(image));
    }
    Value::Object(object)
}

/// Answers every line in order; a line that cannot be read is answered with its error.
fn stream(
    recognizer: &Recognizer,
    mut input: impl BufRead,
    out: &mut impl Write,
    args: &Args,
) -> Result<(), Failure> {
    let (mut number, mut bad, mut left_out) = (0usize, 0usize, 0usize);
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
            number += 1;
            if !line.trim_ascii().is_empty() {
                chunk.push((number, parse(&line)));
            }
        }
        if chunk.is_empty() {
            break;
        }
        let texts: Vec<&str> = chunk
            .iter()
            .filter_map(|(_, line)| line.as_ref().ok())
            .map(|(_, text)| text.as_str())
            .collect();
        let mut found = pollster::block_on(recognizer.recognize_all(&texts))?.into_iter();
        for (number, line) in chunk {
            let written = match line {
                Ok((object, text)) => {
                    let mut found = found.next().expect("an answer for every text");
                    left_out += leave_out(&mut found, args.user_names);
                    if args.json {
                        writeln!(out, "{}", answer(object, &found))
                    } else {
                        writeln!(out, "{text}").and_then(|()| print_one(out, &text, &found, false))
                    }
                }
                Err(error) => {
                    bad += 1;
                    writeln!(out, "{}", json!({ "line": number, "error": error }))
                }
            };
            written.map_err(|e| Failure::output(&e))?;
        }
        out.flush().map_err(|e| Failure::output(&e))?;
        if last.elapsed() >= INTERVAL || (number == CHUNK && io::stderr().is_terminal()) {
            last = Instant::now();
            eprintln!(
                "{number} lines, {:.0} a second",
                number as f64 / started.elapsed().as_secs_f64()
            );
        }
    }
    say_left_out(left_out, args.user_names);
    if bad > 0 {
        return Err(Failure::Message(format!(
            "{bad} of {number} lines could not be read; their answers say why"
        )));
    }
    Ok(())
}

/// The object of a line and its text.
fn parse(line: &[u8]) -> Result<(Map<String, Value>, String), String> {
    let line = without_lone_surrogates(line);
    let value: Value = serde_json::from_slice(&line).map_err(|e| format!("not JSON: {e}"))?;
    let Value::Object(object) = value else {
        return Err("not a JSON object; expected {\"text\": \"...\"}".to_owned());
    };
    match object.get("text") {
        Some(Value::String(text)) => {
            let text = text.clone();
            Ok((object, text))
        }
        Some(_) => Err("\"text\" is not a string".to_owned()),
        None => Err("there is no \"text\"".to_owned()),
    }
}
