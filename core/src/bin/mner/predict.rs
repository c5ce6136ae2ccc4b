//! `mner predict`: the entities of any tweet, one or a stream of them.

use crate::bundle::BundleArgs;
use crate::convert;
use crate::explain;
use crate::failure::Failure;
use crate::features::{self, Asked};
use crate::output;
use crate::stream::chunks::Chunks;
use crate::stream::{self, Answers, BadLines, Settings};
use crate::threads;
use crate::user_names::UserNames;
use clap::ArgGroup;
use image::ImageFormat;
use mner_core::data::corpus::UnfitSpans;
use mner_core::formats::annotations::{Document, Format, Scheme, Unit, WriteOptions};
use mner_core::image::Image;
use mner_core::image::decode::{Decoded, Limits};
use mner_core::notice;
use mner_core::recognizer::{Recognition, Recognizer};
use mner_core::systems::image_batch::EncodedImage;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Find the entities of a tweet, or of every tweet in a JSONL stream
#[derive(clap::Args)]
#[command(group(ArgGroup::new("tweets").args(["text", "input"]).required(true)))]
pub struct Args {
    #[command(flatten)]
    bundle: BundleArgs,
    /// The tweet
    #[arg(
        long,
        allow_hyphen_values = true,
        conflicts_with = "input",
        value_name = "TWEET"
    )]
    text: Option<String>,
    /// The tweet's image: JPEG, PNG, WebP or GIF
    #[arg(long, conflicts_with = "input", value_name = "FILE")]
    image: Option<PathBuf>,
    /// Write the image with its detections, the entities, the relevance and what their words attended to, as PNG
    #[arg(long, requires = "image", value_name = "PNG")]
    explain: Option<PathBuf>,
    /// Write what the systems read of the image as safetensors
    #[arg(long, conflicts_with = "input", value_name = "FILE")]
    features: Option<PathBuf>,
    /// Write emissions, marginals, best labels and the CRF's scores into that file too
    #[arg(long, requires = "features")]
    emissions: bool,
    /// JSONL of objects with a "text" and perhaps an "image": a path, or a list of up to 4 of which the first that can be
    /// read is encoded; "-" is standard input. Each object comes out as it came, its "entities", "picture" and
    /// "image_error" behind its own members; in an object with such names itself they begin with "mner_"
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// The member of the input's objects that is the tweet, or a path with dots. Where "text" is "truncated",
    /// "extended_tweet.full_text" is read
    #[arg(long, value_name = "NAME", default_value = "text", requires = "input")]
    field: String,
    /// Folder that the input's images are relative to, if not the input's own
    #[arg(long, value_name = "DIR", requires = "input")]
    images: Option<PathBuf>,
    /// Begin the names of the answer's members with this
    #[arg(long, value_name = "TEXT", requires_all = ["input", "json"])]
    prefix: Option<String>,
    /// Whether entities of user names (@x) are answers; "drop" says how many there were
    #[arg(long, value_enum, default_value_t)]
    user_names: UserNames,
    /// Whether lines that cannot be read make the exit code 1; they are answered with their errors either way
    #[arg(long, value_enum, default_value_t, conflicts_with = "text")]
    bad_lines: BadLines,
    #[arg(long, value_name = "N", conflicts_with = "text", help = threads::HELP)]
    threads: Option<NonZeroUsize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write the answers in this format once all tweets are read; each record's id, images and further members come along
    /// where the format has them
    #[arg(long, value_enum, conflicts_with_all = ["json", "prefix"])]
    format: Option<Format>,
    /// The file to write, or for brat the folder
    #[arg(
        long,
        value_name = "PATH",
        default_value = "-",
        requires = "format",
        hide_default_value = true
    )]
    out: PathBuf,
    /// What its offsets count, if not what its tool counts
    #[arg(long, value_enum, requires = "format", value_name = "UNIT")]
    offsets: Option<Unit>,
    /// Scheme of its tags
    #[arg(long, value_enum, default_value = "iob2", requires = "format")]
    scheme: Scheme,
    /// What to do with answers that the format cannot say
    #[arg(long, value_enum, default_value_t, requires = "format")]
    unfit_spans: UnfitSpans,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let threads = threads::count(args.threads, &args.bundle.device)?;
    // Before hours of reading.
    check_out(args)?;
    if let Some(folder) = args.images.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(format!("{}: there is no such folder of images", folder.display()).into());
    }
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
            let mut found = match &args.features {
                Some(path) => {
                    let emissions = args.emissions;
                    features::recognize(&recognizer, text, encoded, &Asked { path, emissions })?
                }
                None => pollster::block_on(recognizer.recognize_with(text, encoded, None))?,
            };
            let left_out = leave_out(&mut found, args.user_names);
            say_left_out(left_out, args.user_names);
            if let (Some(path), Some((image, _))) = (&args.explain, &seen) {
                explain::draw(image, &found)
                    .save_with_format(path, ImageFormat::Png)
                    .map_err(|e| format!("{}: {e}", path.display()))?;
            }
            if let Some(format) = args.format {
                let mut document =
                    Document::answered(text, &found.entities, &model_name(&recognizer));
                let image = args.image.iter().map(|path| path.display().to_string());
                document.images = image.collect();
                return write_as(args, format, &[document]);
            }
            print_one(&mut out, text, &found, args.json).map_err(|e| Failure::output(&e))
        }
        (None, Some(path)) if path.as_os_str() == "-" => {
            let settings = settings(args, &recognizer, Path::new("."), threads);
            let input = Chunks::of_live(BufReader::new(io::stdin()));
            answered(args, &recognizer, input, &settings, &mut out)
        }
        (None, Some(path)) if path.is_dir() => Err(Failure::Message(format!(
            "{}: this is a folder; --input reads a file of JSON objects, one a line",
            path.display()
        ))),
        (None, Some(path)) => {
            let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let folder = path.parent().unwrap_or(Path::new(""));
            let settings = settings(args, &recognizer, folder, threads);
            let input = Chunks::new(BufReader::new(file));
            answered(args, &recognizer, input, &settings, &mut out)
        }
        (None, None) => unreachable!("clap requires one of them"),
    }
}

/// Refuses what could not be written, or is read itself.
fn check_out(args: &Args) -> Result<(), Failure> {
    let inputs = || args.input.iter().chain(&args.image).map(PathBuf::as_path);
    if let Some(format) = args.format {
        convert::check_out(format, &args.out, inputs())?;
    }
    for file in args.explain.iter().chain(&args.features) {
        output::check_file(file, inputs())?;
    }
    match &args.explain {
        Some(file)
            if file
                .extension()
                .is_some_and(|it| !it.eq_ignore_ascii_case("png")) =>
        {
            Err(format!(
                "{}: --explain writes PNG; name a file that ends in .png",
                file.display()
            )
            .into())
        }
        _ => Ok(()),
    }
}

/// Answers a stream, line by line or in another tool's format.
fn answered(
    args: &Args,
    recognizer: &Recognizer,
    input: Chunks<impl BufRead + Send + 'static>,
    settings: &Settings,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let Some(format) = args.format else {
        return stream::run(recognizer, input, Answers::Lines(out), settings);
    };
    let mut documents = Vec::new();
    let answers = Answers::<io::Sink>::Documents(&mut documents);
    // What was answered is written though some lines could not be read.
    let read = stream::run(recognizer, input, answers, settings);
    write_as(args, format, &documents)?;
    read
}

/// Writes answers in another tool's format.
fn write_as(args: &Args, format: Format, documents: &[Document]) -> Result<(), Failure> {
    let options = WriteOptions {
        offsets: args.offsets,
        scheme: args.scheme,
    };
    let writing = format.write(documents, &options);
    convert::tell(Path::new(format.name()), &writing.losses, args.unfit_spans)?;
    convert::save(format, &writing, &args.out)
}

/// What the model is called in other tools' files.
fn model_name(recognizer: &Recognizer) -> String {
    format!("mner {}", recognizer.manifest().config.name())
}

/// How a stream that lies in `folder` is read.
fn settings(
    args: &Args,
    recognizer: &Recognizer,
    folder: &Path,
    threads: NonZeroUsize,
) -> Settings {
    Settings {
        field: args.field.clone(),
        images: args.images.clone().unwrap_or_else(|| folder.to_owned()),
        prefix: args.prefix.clone(),
        user_names: args.user_names,
        json: args.json,
        bad_lines: args.bad_lines,
        threads,
        model: model_name(recognizer),
    }
}

/// Takes the entities of user names away if they are to be dropped; how many they were.
pub fn leave_out(found: &mut Recognition, user_names: UserNames) -> usize {
    let before = found.entities.len();
    if user_names.dropped() {
        found.entities.retain(|entity| !entity.user_name);
    }
    before - found.entities.len()
}

pub fn say_left_out(count: usize, user_names: UserNames) {
    if user_names.dropped() {
        notice!("{count} entities of user names left out");
    }
}

/// Reads the image in a file; a sentence without its name where it cannot be read.
pub fn open_image(path: &Path) -> Result<Image, String> {
    // One byte more than is decoded says enough of a file, or a device, that has no end.
    let most = Limits::default().file_bytes as u64 + 1;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|e| e.to_string())?;
    let Decoded { image, note } = Decoded::read(&bytes).map_err(|e| e.to_string())?;
    if let Some(note) = note {
        notice!("{}: {note}", path.display());
    }
    Ok(image)
}

/// Encodes the image in a file.
fn encode_image(recognizer: &Recognizer, path: &Path) -> Result<(Image, EncodedImage), Failure> {
    let image = open_image(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let encoded = pollster::block_on(recognizer.encode_image(&image))?;
    Ok((image, encoded))
}

/// Writes what was found in a tweet.
pub fn print_one(
    out: &mut impl Write,
    text: &str,
    found: &Recognition,
    json: bool,
) -> io::Result<()> {
    if json {
        writeln!(
            out,
            "{}",
            answer(Map::from_iter([("text".to_owned(), json!(text))]), found)
        )?;
    } else {
        for entity in &found.entities {
            let other = entity.runner_up;
            let fine_type = entity.fine_type.as_ref().map_or(String::new(), |fine| {
                format!("  {} {:.0} %", fine.name, 100.0 * fine.probability)
            });
            writeln!(
                out,
                "{:<5}{:>5.1} %  {}{fine_type}  (else {} {:.1} %)",
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
                    "image    relevance: global {:.2}, object {:.2}, semantic {:.2}, spatial {:.2}",
                    r.global, r.object, r.semantic, r.spatial
                )?,
                None => writeln!(out, "image")?,
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
