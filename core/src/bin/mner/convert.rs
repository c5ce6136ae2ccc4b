//! `mner convert`: annotated texts from one tool's format to another's.

use crate::failure::Failure;
use crate::output;
use mner_core::data::annotation_files::{self, dataset_info};
use mner_core::data::corpus::{CorpusError, Fault, Reader, Source, UnfitSpans, remedy};
use mner_core::formats::annotations::fault::AnnotationError;
use mner_core::formats::annotations::lines::begins_json;
use mner_core::formats::annotations::token_lists::names;
use mner_core::formats::annotations::types::meaning;
use mner_core::formats::annotations::{
    Document, Format, Loss, ReadOptions, Scheme, TextFile, Unit, WriteOptions, Writing,
};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Convert annotated texts from one tool's format to another's. Type names stay as they are
#[derive(clap::Args)]
pub struct Args {
    /// The file to read, "-" for standard input, or of brat's the folder, the .txt or the .ann file
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write, "-" for standard output, or for brat the folder
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// Format of IN; guessed from its content unless given
    #[arg(long, value_enum)]
    from: Option<Format>,
    /// Format of OUT
    #[arg(long, value_enum)]
    to: Format,
    #[command(flatten)]
    reading: ReadArgs,
    /// What the offsets in OUT count, if not what its tool counts
    #[arg(long, value_enum, value_name = "UNIT")]
    to_offsets: Option<Unit>,
    /// Scheme of the tags in OUT
    #[arg(long, value_enum, default_value = "iob2", value_name = "SCHEME")]
    to_scheme: Scheme,
    /// What to do with spans that OUT cannot say: spans in pieces, and where words are labelled those that cut a word or overlap
    #[arg(long, value_enum, default_value_t)]
    unfit_spans: UnfitSpans,
}

/// How IN is read.
#[derive(clap::Args)]
struct ReadArgs {
    /// What the offsets in IN count, if not what its tool counts
    #[arg(long, value_enum, value_name = "UNIT")]
    from_offsets: Option<Unit>,
    /// Scheme of the tags in IN; told from the tags unless given
    #[arg(long, value_enum, value_name = "SCHEME")]
    from_scheme: Option<Scheme>,
    /// Names of tags that are numbers, in the order of the numbers: O,B-PER,I-PER,...; taken from the dataset_info.json
    /// beside IN unless given
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    names: Vec<String>,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    check_out(args.to, &args.out, [args.input.as_path()])?;
    let named = |cause: &dyn std::fmt::Display| format!("{}: {cause}", args.input.display());
    let files = load(&args.input, args.from)?;
    let from = match args.from {
        Some(format) => format,
        None => guess(&args.input, &files)?,
    };
    let mut options = ReadOptions {
        offsets: args.reading.from_offsets,
        scheme: args.reading.from_scheme,
        names: args
            .reading
            .names
            .iter()
            .map(|name| name.trim().to_owned())
            .collect(),
    };
    if from == Format::Datasets
        && options.names.is_empty()
        && let Some(info) = dataset_info(&args.input)
    {
        options.names = names(&info).map_err(|e| named(&e))?;
    }
    let reading = from.read(&files, &options).map_err(|e| named(&e))?;
    let how = described(
        from,
        options.offsets,
        reading.scheme,
        options.scheme.is_none(),
    );
    if args.from.is_none() {
        eprintln!(
            "{}: taken for {how}; say --from FORMAT if it is not",
            args.input.display()
        );
    } else {
        eprintln!("{}: read as {how}", args.input.display());
    }
    let writing = args.to.write(
        &reading.documents,
        &WriteOptions {
            offsets: args.to_offsets,
            scheme: args.to_scheme,
        },
    );
    tell(&args.input, &reading.losses, args.unfit_spans)?;
    tell(&args.input, &writing.losses, args.unfit_spans)?;
    save(args.to, &writing, &args.out)?;
    let spans: usize = count_spans(&reading.documents);
    let lost = writing.losses.iter().filter(|loss| loss.is_span()).count();
    eprintln!(
        "wrote {} texts with {} spans to {} as {}",
        reading.documents.len(),
        spans - lost.min(spans),
        args.out.display(),
        described(args.to, args.to_offsets, Some(args.to_scheme), false)
    );
    Ok(())
}

fn count_spans(documents: &[Document]) -> usize {
    documents.iter().map(|document| document.spans.len()).sum()
}

/// A format with what its offsets count, or the scheme of its tags.
fn described(format: Format, offsets: Option<Unit>, scheme: Option<Scheme>, found: bool) -> String {
    match (format.unit(), scheme) {
        (Some(unit), _) => {
            let unit = offsets.unwrap_or(unit);
            format!("{}, offsets in {}", format.name(), unit.name())
        }
        (None, Some(scheme)) => {
            let how = if found { "tags look like" } else { "tags in" };
            format!("{}, {how} {}", format.name(), scheme.name())
        }
        (None, None) => format.name().to_owned(),
    }
}

fn load(path: &Path, format: Option<Format>) -> Result<Vec<TextFile>, Failure> {
    let named = |error: io::Error| format!("{}: {error}", path.display());
    let input = path.as_os_str() == "-";
    let brat = format.map_or_else(|| annotation_files::is_brat(path), |f| f == Format::Brat);
    if brat && !input {
        return Ok(annotation_files::load_brat(path).map_err(|error| error.to_string())?);
    }
    let (name, bytes) = if input {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut bytes);
        (String::new(), read.map(|_| bytes))
    } else {
        (annotation_files::name(path), fs::read(path))
    };
    let bytes = bytes.map_err(named)?;
    let known = |error| known_by_name(path, &bytes).unwrap_or_else(|| named(error));
    let text = annotation_files::text(&bytes).map_err(known)?;
    Ok(vec![TextFile { name, text }])
}

fn guess(path: &Path, files: &[TextFile]) -> Result<Format, Failure> {
    let unknown = || {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        let (path, is_folder) = (path.display(), path.is_dir());
        let known = known.join(", ");
        if is_folder {
            return format!(
                "{path}: no .ann file is in this folder; of a folder brat's .txt and .ann files are read"
            );
        }
        if files.iter().all(|file| file.text.trim().is_empty()) {
            return format!("{path}: there is nothing in it");
        }
        format!(
            "{path}: looks like no format known here; if it is one of {known}, say which with --from"
        )
    };
    let why = || what_is_wrong(path, files).unwrap_or_else(unknown);
    Ok(Format::detect(files).ok_or_else(why)?)
}

/// What is wrong with a file of no format: broken JSON, or a format that is not read.
fn what_is_wrong(path: &Path, files: &[TextFile]) -> Option<String> {
    let [file] = files else {
        return None;
    };
    let start = file.text.trim_start_matches(['\u{feff}', ' ', '\n', '\r']);
    let broken = || match Format::Mner.read(files, &ReadOptions::default()) {
        Err(error @ AnnotationError::Json { .. }) if begins_json(start) => {
            Some(format!("{}: {error}", path.display()))
        }
        _ => None,
    };
    let known = || known_by_name(path, file.text.as_bytes());
    // Of an array nothing more is known, nor of a file whose first line is of a format; of other lines their ends are.
    let first = start.lines().next().unwrap_or_default();
    let line = TextFile {
        text: first.to_owned(),
        ..TextFile::default()
    };
    let broken_later = begins_json(first) && Format::detect(&[line]).is_some();
    if start.starts_with('[') || broken_later {
        broken().or_else(known)
    } else {
        known().or_else(broken)
    }
}

/// The sentence of `mner evaluate` for a file of a format that is not read, if it knows it by name.
fn known_by_name(path: &Path, bytes: &[u8]) -> Option<String> {
    let source = Source::new(path);
    let error = Reader::new(bytes, &source).find_map(Result::err)?;
    let CorpusError::Line { fault, .. } = &error else {
        return None;
    };
    let known = match fault {
        Fault::Foreign { .. } | Fault::Packed { .. } | Fault::Encoding { .. } => true,
        // A bare type, or nearly a label; any other last word of a line is none.
        Fault::UnknownLabel { found } => meaning(found).is_some() || remedy(found).is_some(),
        _ => false,
    };
    known.then(|| error.to_string())
}

/// Names what is left out; a failure where spans are among it that ought not to be.
pub fn tell(path: &Path, losses: &[Loss], unfit_spans: UnfitSpans) -> Result<(), Failure> {
    const TOLD: usize = 20;
    let spans = losses.iter().filter(|loss| loss.is_span()).count();
    for loss in losses.iter().take(TOLD) {
        eprintln!("{}: {loss}", path.display());
    }
    if losses.len() > TOLD {
        let more = losses.len() - TOLD;
        eprintln!("{}: and {more} more like these", path.display());
    }
    if spans > 0 && unfit_spans == UnfitSpans::Refuse {
        return Err(Failure::Message(format!(
            "nothing was written: {spans} span(s) cannot be kept; correct them, or leave them out with --unfit-spans drop"
        )));
    }
    Ok(())
}

/// Refuses what a format's files could not be written to without a loss.
pub fn check_out<'a>(
    format: Format,
    out: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    match (format, out.as_os_str() == "-") {
        (Format::Brat, true) => Err(Failure::Message(
            "brat keeps texts and annotations in files of their own; name a folder for them"
                .to_owned(),
        )),
        (Format::Brat, false) => output::check_folder(out),
        (_, true) => Ok(()),
        (_, false) => output::check_file(out, inputs),
    }
}

/// Writes a format's files: brat's into a folder, any other's one as it is called. [`check_out`] comes before.
pub fn save(format: Format, writing: &Writing, out: &Path) -> Result<(), Failure> {
    let failed = |path: &Path, cause: io::Error| format!("{}: {cause}", path.display());
    if format == Format::Brat {
        fs::create_dir_all(out).map_err(|e| failed(out, e))?;
        for file in &writing.files {
            let path = out.join(&file.name);
            fs::write(&path, &file.text).map_err(|e| failed(&path, e))?;
        }
        return Ok(());
    }
    for file in &writing.files {
        if out.as_os_str() == "-" {
            output::print(&file.text)?;
        } else {
            fs::write(out, &file.text).map_err(|e| failed(out, e))?;
        }
    }
    Ok(())
}
