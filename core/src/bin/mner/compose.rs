//! `mner compose`: tweets in which the image decides.

use crate::failure::Failure;
use crate::output;
use mner_core::data::contrast::{Ingredients, compose};
use mner_core::notice;
use mner_core::tweet::words::Sigils;
use serde_json::json;
use std::fs;
use std::path::PathBuf;

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// A corpus to learn from: one labelled tweet for each of its images
    Corpus,
    /// A set to score with `mner evaluate --contrast`
    Contrast,
}

/// Make tweets in which the image decides what an ambiguous name is, to learn from or to score
#[derive(clap::Args)]
pub struct Args {
    /// Photographs whose reading is known: a table of path, type and part
    #[arg(long, value_name = "TSV")]
    photographs: PathBuf,
    /// Ambiguous names by part: {"train": [{"name", "types": [...]}, ...], ...}
    #[arg(long, value_name = "JSON")]
    names: PathBuf,
    /// Tweets with {} for the name by part: {"train": [...], ...}
    #[arg(long, value_name = "JSON")]
    contexts: PathBuf,
    /// Which part of the three to take
    #[arg(long)]
    part: String,
    /// How many tweets, each with an image of every reading of its name
    #[arg(long)]
    count: usize,
    /// What to write
    #[arg(long = "as", value_enum)]
    form: Form,
    /// Whether a corpus has @user and #topic as one word or, apart, as two
    #[arg(long, value_enum, default_value_t)]
    sigils: Sigils,
    /// Seed of contexts and photographs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The file to write, JSONL
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let inputs = [&args.names, &args.contexts, &args.photographs];
    output::check_file(&args.out, inputs.map(PathBuf::as_path))?;
    let from = Ingredients::read(&args.names, &args.contexts, &args.photographs, &args.part)?;
    let tweets = compose(&from, args.count, args.seed)?;
    let mut lines = String::new();
    let mut count = 0;
    let mut push = |line: serde_json::Value| {
        lines.push_str(&line.to_string());
        lines.push('\n');
        count += 1;
    };
    for tweet in &tweets {
        match args.form {
            Form::Contrast => push(json!(tweet)),
            Form::Corpus => {
                for sample in tweet.samples(args.sigils) {
                    let labels: Vec<String> =
                        sample.labels.iter().map(ToString::to_string).collect();
                    push(json!({"tokens": sample.tokens, "labels": labels, "image": sample.image}));
                }
            }
        }
    }
    fs::write(&args.out, lines).map_err(|e| format!("{}: {e}", args.out.display()))?;
    notice!("wrote {count} lines to {}", args.out.display());
    Ok(())
}
