//! `mner evaluate`: scores on labelled tweets.

use crate::bundle::BundleArgs;
use crate::failure::Failure;
use mner_core::train::corpus::Source;
use mner_core::train::scores::Scores;
use std::path::PathBuf;

/// Score a bundle on labelled tweets: precision, recall and F1 over exact spans and types
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    bundle: BundleArgs,
    /// Labelled tweets: IMGID format, two- or four-column CoNLL, or JSONL
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Print fractions as JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// Tweets between two lines of progress.
const STEP: usize = 256;

pub fn run(args: &Args) -> Result<(), Failure> {
    let samples = Source::new(&args.data).read()?;
    let recognizer = args.bundle.load()?;
    let mut scores = Scores::new();
    let mut done = 0;
    for chunk in samples.chunks(STEP) {
        let tweets: Vec<&[String]> = chunk.iter().map(|s| s.tokens.as_slice()).collect();
        let predicted = pollster::block_on(recognizer.label(&tweets))?;
        for (sample, predicted) in chunk.iter().zip(&predicted) {
            scores.add(&sample.labels, predicted);
        }
        done += chunk.len();
        eprint!("\r{done}/{} tweets", samples.len());
    }
    eprintln!();
    let report = scores.report();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report}");
    }
    Ok(())
}
