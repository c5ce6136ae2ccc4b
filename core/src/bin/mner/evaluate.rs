//! `mner evaluate`: scores on labelled tweets.

use crate::bundle::BundleArgs;
use crate::failure::Failure;
use crate::pictures::PictureArgs;
use mner_core::evidence::RelevanceScores;
use mner_core::recognizer::Recognizer;
use mner_core::systems::ita::image_text::ImageText;
use mner_core::systems::pictures::Sight;
use mner_core::train::corpus::{Sample, Source};
use mner_core::train::image_context::{Captioner, read_all};
use mner_core::train::known_names::KnownNames;
use mner_core::train::scores::{Report, Scores};
use serde::Serialize;
use std::path::PathBuf;

/// Score a bundle on labelled tweets: precision, recall and F1 over exact spans and types
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    bundle: BundleArgs,
    /// Labelled tweets: IMGID format, two- or four-column CoNLL, or JSONL
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    #[command(flatten)]
    pictures: PictureArgs,
    /// JSONL that says in words what the tweets' images show, for ITA (repeatable)
    #[arg(long, value_name = "FILE")]
    context: Vec<PathBuf>,
    /// JSONL of captions of the tweets' images, for ITA (repeatable)
    #[arg(long, value_name = "FILE")]
    captions: Vec<PathBuf>,
    /// Whose captions to take from them
    #[arg(long, value_enum, default_value_t)]
    captioner: Captioner,
    /// Labelled tweets the bundle learnt from: what they do not name is scored by itself too (repeatable)
    #[arg(long, value_name = "FILE")]
    learnt: Vec<PathBuf>,
    /// Print fractions as JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// Tweets between two lines of progress.
const STEP: usize = 256;

/// What one pass over the tweets gives.
#[derive(Serialize)]
struct Pass {
    #[serde(flatten)]
    report: Report,
    /// Over the names alone that were not learnt.
    #[serde(skip_serializing_if = "Option::is_none")]
    unseen: Option<Report>,
    /// Mean over the tweets with a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    relevance: Option<RelevanceScores>,
    /// Tweets with a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pictures: Option<usize>,
}

/// The passes asked for.
#[derive(Serialize)]
struct Passes {
    #[serde(flatten)]
    own: Pass,
    /// With the pictures shuffled among the tweets.
    #[serde(skip_serializing_if = "Option::is_none")]
    shuffled: Option<Pass>,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let samples = Source::new(&args.data).read()?;
    let names = names(&args.learnt)?;
    let names = names.as_ref();
    let recognizer = args.bundle.load()?;
    let sights = args.pictures.sights(&recognizer, &samples)?;
    let shuffled = match &sights {
        Some(sights) if args.pictures.shuffle_images => Some(args.pictures.shuffled(sights)),
        _ => None,
    };
    let texts = read_all(&args.context, &args.captions, args.captioner)?;
    let known: Vec<Option<&ImageText>> = samples
        .iter()
        .map(|sample| texts.get(sample.id.as_ref()?))
        .collect();
    let passes = Passes {
        own: pass(&recognizer, &samples, sights.as_deref(), &known, names)?,
        shuffled: match &shuffled {
            Some(sights) => Some(pass(&recognizer, &samples, Some(sights), &known, names)?),
            None => None,
        },
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&passes)?);
    } else {
        print(&passes.own);
        if let Some(shuffled) = &passes.shuffled {
            println!("\nwith the pictures shuffled among the tweets");
            print(shuffled);
        }
    }
    Ok(())
}

/// The names of the corpora learnt from, if any are given.
fn names(learnt: &[PathBuf]) -> Result<Option<KnownNames>, Failure> {
    if learnt.is_empty() {
        return Ok(None);
    }
    let mut names = KnownNames::default();
    for path in learnt {
        names.learn(&Source::new(path).read()?);
    }
    Ok(Some(names))
}

fn print(pass: &Pass) {
    println!("{}", pass.report);
    if let Some(unseen) = &pass.unseen {
        println!("names that were not learnt\n{unseen}");
    }
    if let (Some(r), Some(pictures)) = (&pass.relevance, pass.pictures) {
        println!(
            "mean relevance of {pictures} pictures: global {:.4}, object {:.4}, semantic {:.4}, spatial {:.4}",
            r.global, r.object, r.semantic, r.spatial
        );
    }
}

/// Labels all tweets and compares.
fn pass(
    recognizer: &Recognizer,
    samples: &[Sample],
    sights: Option<&[Option<Sight>]>,
    known: &[Option<&ImageText>],
    names: Option<&KnownNames>,
) -> Result<Pass, Failure> {
    let (mut scores, mut unseen) = (Scores::new(), Scores::new());
    let mut done = 0;
    let (mut sum, mut pictures) = (RelevanceScores::default(), 0);
    for chunk in samples.chunks(STEP) {
        let tweets: Vec<&[String]> = chunk.iter().map(|s| s.tokens.as_slice()).collect();
        let seen: Vec<Option<&Sight>> = match sights {
            Some(sights) => sights[done..done + chunk.len()]
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
            let labels = recognizer.labels(answer);
            scores.add(&sample.labels, &labels);
            if let Some(names) = names {
                let new = |chunk| !names.has(&sample.tokens, chunk);
                unseen.add_where(&sample.labels, &labels, new);
            }
            if let Some(evidence) = &answer.evidence {
                pictures += 1;
                sum.global += evidence.relevance.global;
                sum.object += evidence.relevance.object;
                sum.semantic += evidence.relevance.semantic;
                sum.spatial += evidence.relevance.spatial;
            }
        }
        done += chunk.len();
        eprint!("\r{done}/{} tweets", samples.len());
    }
    eprintln!();
    let mean = |sum: f64| sum / f64::from(pictures);
    Ok(Pass {
        report: scores.report(),
        unseen: names.map(|_| unseen.report()),
        relevance: (pictures > 0).then(|| RelevanceScores {
            global: mean(sum.global),
            object: mean(sum.object),
            semantic: mean(sum.semantic),
            spatial: mean(sum.spatial),
        }),
        pictures: sights.map(|_| pictures as usize),
    })
}
