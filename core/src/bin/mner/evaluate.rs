//! `mner evaluate`: scores on labelled tweets.

use crate::bundle::BundleArgs;
use crate::contrast;
use crate::failure::Failure;
use crate::images::ImageArgs;
use crate::output::{self, Counter};
use crate::user_names::UserNames;
use mner_core::data::corpus::{Format, Sample, Source, UnfitSpans};
use mner_core::data::image_text_files::{Captioner, read_all};
use mner_core::decode::chunks::{Rule, chunks};
use mner_core::evaluate::calibration::Calibration;
use mner_core::evaluate::scores::{Report, Scores};
use mner_core::evaluate::seen_entities::SeenEntities;
use mner_core::evaluate::user_names::is_user_name;
use mner_core::formats::annotations::{Scheme, Unit};
use mner_core::label::Label;
use mner_core::recognizer::Recognizer;
use mner_core::recognizer::evidence::RelevanceScores;
use mner_core::systems::image_batch::EncodedImage;
use mner_core::systems::ita::image_text::ImageText;
use serde::Serialize;
use std::fmt::{self, Write};
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
    /// JSONL that says in words what the tweets' images show, for ITA (repeatable)
    #[arg(long, value_name = "FILE")]
    context: Vec<PathBuf>,
    /// JSONL of captions of the tweets' images, for ITA (repeatable)
    #[arg(long, value_name = "FILE")]
    captions: Vec<PathBuf>,
    /// Whose captions to take from them
    #[arg(long, value_enum, default_value_t)]
    captioner: Captioner,
    /// Labelled tweets the bundle learnt from: entities unseen in them are scored by themselves too (repeatable)
    #[arg(long, alias = "learnt", value_name = "CORPUS", value_parser = corpus)]
    seen: Vec<Source>,
    /// Whether entities of user names are scored, or left out of gold and answers both
    #[arg(long, value_enum, default_value_t)]
    user_names: UserNames,
    /// Say how often entities are right by their confidence, and the expected calibration error
    #[arg(long, requires = "data")]
    calibration: bool,
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
fn corpus(text: &str) -> Result<Source, String> {
    match text.starts_with('{') {
        true => serde_json::from_str(text).map_err(|e| e.to_string()),
        false => Ok(Source::new(text)),
    }
}

/// Tweets between two lines of progress.
const STEP: usize = 256;

/// What one pass over the tweets gives.
#[derive(Serialize)]
struct Pass {
    #[serde(flatten)]
    report: Report,
    /// Over the unseen entities alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    unseen: Option<Report>,
    /// Entities of user names that were left out, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_names: Option<LeftOut>,
    /// Mean over the tweets with an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    relevance: Option<RelevanceScores>,
    /// Found entities by their confidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<Calibration>,
    /// Tweets with an image.
    #[serde(rename = "pictures", skip_serializing_if = "Option::is_none")]
    images: Option<usize>,
}

/// Entities that are not scored.
#[derive(Clone, Copy, Default, Serialize)]
struct LeftOut {
    /// Of the labels.
    gold: usize,
    /// Of the answers.
    found: usize,
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
    let samples = args.reading.over(data).read()?;
    let names = names(&args.seen)?;
    let names = names.as_ref();
    let recognizer = args.bundle.load()?;
    let encoded_images = args.images.encoded_images(&recognizer, &samples)?;
    let shuffled = match &encoded_images {
        Some(encoded_images) if args.images.shuffle_images => {
            Some(args.images.shuffled(encoded_images))
        }
        _ => None,
    };
    let texts = read_all(&args.context, &args.captions, args.captioner)?;
    let known: Vec<Option<&ImageText>> = samples
        .iter()
        .map(|sample| texts.get(sample.id.as_ref()?))
        .collect();
    let passes = Passes {
        own: pass(
            &recognizer,
            &samples,
            encoded_images.as_deref(),
            &known,
            names,
            args.user_names,
            args.calibration,
        )?,
        shuffled: match &shuffled {
            Some(encoded_images) => Some(pass(
                &recognizer,
                &samples,
                Some(encoded_images),
                &known,
                names,
                args.user_names,
                args.calibration,
            )?),
            None => None,
        },
    };
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
    output::print(&text)
}

/// The sets that ask for the image.
fn image_decides(args: &Args) -> Result<(), Failure> {
    let recognizer = args.bundle.load()?;
    if let Some(file) = &args.contrast {
        let report = contrast::followed(&recognizer, file, &args.images)?;
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

/// Labels all tweets and compares.
fn pass(
    recognizer: &Recognizer,
    samples: &[Sample],
    encoded_images: Option<&[Option<EncodedImage>]>,
    known: &[Option<&ImageText>],
    names: Option<&SeenEntities>,
    user_names: UserNames,
    calibrated: bool,
) -> Result<Pass, Failure> {
    let (mut scores, mut unseen) = (Scores::new(), Scores::new());
    let (mut done, mut left_out) = (0, LeftOut::default());
    let mut calibration = calibrated.then(Calibration::default);
    let mut counter = Counter::new(samples.len(), "tweets");
    let (mut sum, mut images) = (RelevanceScores::default(), 0);
    for chunk in samples.chunks(STEP) {
        let tweets: Vec<&[String]> = chunk.iter().map(|s| s.tokens.as_slice()).collect();
        let seen: Vec<Option<&EncodedImage>> = match encoded_images {
            Some(encoded_images) => encoded_images[done..done + chunk.len()]
                .iter()
                .map(Option::as_ref)
                .collect(),
            None => vec![None; chunk.len()],
        };
        let answers = pollster::block_on(recognizer.answers_with(
            &tweets,
            &seen,
            &known[done..done + chunk.len()],
        ))?;
        for (sample, answer) in chunk.iter().zip(&answers) {
            let (labels, entities) = recognizer.decoded(answer);
            let is_left_out = |chunk| user_names.dropped() && is_user_name(&sample.tokens, chunk);
            let count = |labels: &[Label]| {
                let all = chunks(labels, Rule::Lenient).into_iter();
                all.filter(|chunk| is_left_out(*chunk)).count()
            };
            left_out.gold += count(&sample.labels);
            left_out.found += count(&labels);
            scores.add_where(&sample.labels, &labels, |chunk| !is_left_out(chunk));
            if let Some(calibration) = &mut calibration {
                calibration.add(&sample.labels, &entities);
            }
            if let Some(names) = names {
                let new = |chunk| !is_left_out(chunk) && !names.has(&sample.tokens, chunk);
                unseen.add_where(&sample.labels, &labels, new);
            }
            if let Some(evidence) = &answer.evidence {
                images += 1;
                sum.global += evidence.relevance.global;
                sum.object += evidence.relevance.object;
                sum.semantic += evidence.relevance.semantic;
                sum.spatial += evidence.relevance.spatial;
            }
        }
        done += chunk.len();
        counter.show(done);
    }
    counter.end();
    let mean = |sum: f64| sum / f64::from(images);
    Ok(Pass {
        report: scores.report(),
        unseen: names.map(|_| unseen.report()),
        user_names: user_names.dropped().then_some(left_out),
        relevance: (images > 0).then(|| RelevanceScores {
            global: mean(sum.global),
            object: mean(sum.object),
            semantic: mean(sum.semantic),
            spatial: mean(sum.spatial),
        }),
        calibration,
        images: encoded_images.map(|_| images as usize),
    })
}
