//! `mner evaluate`: scores on labelled tweets.

pub mod pass;
mod report;

use crate::bundle::BundleArgs;
use crate::contrast;
use crate::failure::Failure;
use crate::images::{ImageArgs, ShuffleArgs};
use crate::output;
use crate::threads;
use crate::user_names::UserNames;
use mner_core::bundle::manifest::Manifest;
use mner_core::data::corpus::{Format, Source, UnfitSpans};
use mner_core::data::fine_types::FineTypeNames;
use mner_core::data::image_text_files::{Captioner, read_all};
use mner_core::evaluate::seen_entities::SeenEntities;
use mner_core::formats::annotations::{Scheme, Unit};
use mner_core::systems::ita::image_text::ImageText;
use pass::{LeftOut, Pass, Question, pass};
use report::Material;
use serde::Serialize;
use std::fmt::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Score a bundle on labelled tweets: precision, recall and F1 over exact spans and types
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    bundle: BundleArgs,
    /// Labelled tweets: a file in one of the formats of `mner convert`, guessed from its content, or a JSON object that says
    /// how to read it, as for train: {"path": "a.jsonl", "format": "doccano"}
    #[arg(long, value_name = "CORPUS", value_parser = corpus, required_unless_present_any = ["contrast", "pairs"])]
    data: Option<Source>,
    #[command(flatten)]
    reading: ReadArgs,
    /// Tweets in which the image decides: JSONL {"text", "name", "pictures": [{"image", "type"}, ...]}. Says how often the
    /// name's type follows the image; paths are relative to --images, or to the file
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    contrast: Option<PathBuf>,
    /// Tweets with their images: JSONL {"text", "image"}. Says how well the relevance tells own images from others'; paths
    /// are relative to --images, or to the file
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pairs: Option<PathBuf>,
    #[command(flatten)]
    images: ImageArgs,
    #[command(flatten)]
    shuffle: ShuffleArgs,
    /// JSONL that says in words what images show, for ITA: by the tweets' ids, with --contrast by the images' file names without
    /// the ending (repeatable)
    #[arg(long, value_name = "FILE", conflicts_with = "pairs")]
    context: Vec<PathBuf>,
    /// The same, of captions alone (repeatable)
    #[arg(long, value_name = "FILE", conflicts_with = "pairs")]
    captions: Vec<PathBuf>,
    /// Whose captions to take from them
    #[arg(long, value_enum, default_value_t)]
    captioner: Captioner,
    /// Labelled tweets the bundle learnt from: entities unseen in them are scored by themselves too (repeatable)
    #[arg(long, alias = "learnt", value_name = "CORPUS", value_parser = corpus)]
    seen: Vec<Source>,
    /// JSONL of what the tweets' names are more finely, as for train: scores fine types on the tweets that stand in it, by id
    /// (repeatable)
    #[arg(long, value_name = "FILE", requires = "data")]
    fine_types: Vec<PathBuf>,
    /// Whether entities of user names are scored, or left out of gold and answers both
    #[arg(long, value_enum, default_value_t)]
    user_names: UserNames,
    /// Say how often entities are right by their confidence, and the expected calibration error
    #[arg(long, requires = "data")]
    calibration: bool,
    #[arg(long, value_name = "N", requires = "data", help = threads::HELP)]
    threads: Option<NonZeroUsize>,
    /// Write the evaluation as one HTML file: scores, confusion of types, calibration, mistakes in context, worst tweets with
    /// their images
    #[arg(long, requires = "data", value_name = "HTML")]
    report: Option<PathBuf>,
    /// Print fractions as JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// How `--data` is read, over what its object says.
#[derive(clap::Args)]
struct ReadArgs {
    /// Format of --data
    #[arg(long, value_enum, requires = "data")]
    format: Option<Format>,
    /// Scheme of its tags; told from the tags unless given
    #[arg(long, value_enum, requires = "data")]
    scheme: Option<Scheme>,
    /// What its offsets count, if not what its tool counts
    #[arg(long, value_enum, requires = "data", value_name = "UNIT")]
    offsets: Option<Unit>,
    /// Names of tags that are numbers, in the order of the numbers: O,B-PER,I-PER,...
    #[arg(long, value_delimiter = ',', requires = "data", value_name = "NAMES")]
    names: Vec<String>,
    /// What to do with spans that cut a word, overlap another or are in pieces
    #[arg(long, value_enum, requires = "data")]
    unfit_spans: Option<UnfitSpans>,
}

impl ReadArgs {
    fn over(&self, source: &Source) -> Source {
        let mut source = source.clone();
        source.format = self.format.or(source.format);
        source.scheme = self.scheme.or(source.scheme);
        source.offsets = self.offsets.or(source.offsets);
        source.unfit_spans = self.unfit_spans.unwrap_or(source.unfit_spans);
        if !self.names.is_empty() {
            source.names.clone_from(&self.names);
        }
        source
    }
}

/// A path, or the JSON object that a training configuration holds.
pub fn corpus(text: &str) -> Result<Source, String> {
    match text.starts_with('{') {
        true => serde_json::from_str(text).map_err(|e| e.to_string()),
        false => Ok(Source::new(text)),
    }
}

/// The passes asked for.
#[derive(Serialize)]
struct Passes {
    #[serde(flatten)]
    own: Pass,
    /// With the images shuffled among the tweets.
    #[serde(skip_serializing_if = "Option::is_none")]
    shuffled: Option<Pass>,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let Some(data) = &args.data else {
        return image_decides(args);
    };
    let threads = threads::count(args.threads, &args.bundle.device)?;
    if let Some(report) = &args.report {
        let corpora = [data].into_iter().chain(&args.seen);
        let files = [&args.fine_types, &args.context, &args.captions];
        let files = files.into_iter().flatten().chain(args.images.table());
        let inputs = corpora.map(|corpus| &corpus.path).chain(files);
        output::check_file(report, inputs.map(PathBuf::as_path))?;
    }
    let samples = args.reading.over(data).read()?;
    let names = names(&args.seen)?;
    let names = names.as_ref();
    let fine_types = FineTypeNames::read(&args.fine_types)?;
    let recognizer = args.bundle.load()?;
    if !args.fine_types.is_empty() {
        must_tell_fine_types(recognizer.manifest())?;
    }
    let encoded_images = args.images.encoded_images(&recognizer, &samples)?;
    let shuffled = args.shuffle.shuffled(encoded_images.as_deref())?;
    let texts = read_all(&args.context, &args.captions, args.captioner)?;
    let known: Vec<Option<&ImageText>> = samples
        .iter()
        .map(|sample| texts.get(sample.id.as_ref()?))
        .collect();
    let mut question = Question {
        samples: &samples,
        images: encoded_images.as_deref(),
        known: &known,
        names,
        fine_types: (!args.fine_types.is_empty()).then_some(&fine_types),
        user_names: args.user_names,
        calibrated: args.calibration || args.report.is_some(),
        judged: args.report.is_some(),
        threads,
    };
    let mut own = pass(&recognizer, &question)?;
    let found = std::mem::take(&mut own.judged);
    let calibration = own.calibration.unwrap_or_default();
    // Printed where it was asked for.
    own.calibration = own.calibration.filter(|_| args.calibration);
    (question.calibrated, question.judged) = (args.calibration, false);
    let shuffled = match &shuffled {
        Some(images) => {
            question.images = Some(images);
            Some(pass(&recognizer, &question)?)
        }
        None => None,
    };
    let passes = Passes { own, shuffled };
    let mut text = String::new();
    if args.json {
        text.push_str(&serde_json::to_string_pretty(&passes)?);
        text.push('\n');
    } else {
        print(&mut text, &passes.own)?;
        if let Some(shuffled) = &passes.shuffled {
            writeln!(text, "\nwith the images shuffled among the tweets")?;
            print(&mut text, shuffled)?;
        }
    }
    output::print(&text)?;
    let Some(path) = &args.report else {
        return Ok(());
    };
    let material = Material {
        samples: &samples,
        found,
        calibration,
        images: encoded_images.as_deref(),
    };
    report::write(path, &recognizer, args, &passes, material)
}

/// Checks that a model whose fine types are asked about tells some.
pub fn must_tell_fine_types(manifest: &Manifest) -> Result<(), Failure> {
    match manifest.config.fine_types().is_empty() {
        false => Ok(()),
        true => Err(
            "this model tells no fine types: leave out --fine-types, or train one with them"
                .to_owned()
                .into(),
        ),
    }
}

/// The sets that ask for the image.
fn image_decides(args: &Args) -> Result<(), Failure> {
    let texts = read_all(&args.context, &args.captions, args.captioner)?;
    let recognizer = args.bundle.load()?;
    if let Some(file) = &args.contrast {
        let report = contrast::followed(&recognizer, file, &args.images, &texts)?;
        report.print(args.json)?;
    }
    if let Some(file) = &args.pairs {
        let report = contrast::told_apart(&recognizer, file, &args.images)?;
        report.print(args.json)?;
    }
    Ok(())
}

/// The names of the corpora learnt from, if any are given.
fn names(seen: &[Source]) -> Result<Option<SeenEntities>, Failure> {
    if seen.is_empty() {
        return Ok(None);
    }
    let mut names = SeenEntities::default();
    for source in seen {
        names.learn(&source.read()?);
    }
    Ok(Some(names))
}

fn print(text: &mut String, pass: &Pass) -> fmt::Result {
    writeln!(text, "{}", pass.report)?;
    if let Some(LeftOut { gold, found }) = pass.user_names {
        writeln!(
            text,
            "left out as user names: {gold} of the labels, {found} of the answers"
        )?;
    }
    if let Some(unseen) = &pass.unseen {
        writeln!(text, "unseen entities\n{unseen}")?;
    }
    if let Some(scores) = &pass.fine_type_scores {
        writeln!(text, "{}", scores.report())?;
    }
    if let Some(calibration) = &pass.calibration {
        writeln!(text, "{calibration}")?;
    }
    if let (Some(r), Some(images)) = (&pass.relevance, pass.images) {
        writeln!(
            text,
            "mean relevance of {images} images: global {:.4}, object {:.4}, semantic {:.4}, spatial {:.4}",
            r.global, r.object, r.semantic, r.spatial
        )?;
    }
    Ok(())
}
