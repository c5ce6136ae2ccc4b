//! `mner trim`: a bundle with fewer subwords, layers or hidden values.

use crate::failure::Failure;
use crate::tweets::TweetArgs;
use crate::{bundle, device, output};
use mner_core::packing::narrow::{check_narrow, narrow_bundle};
use mner_core::packing::trim::{keep_layers, trim_bundle};
use mner_core::recognizer::LoadError;
use mner_core::tweet::subwords::SubwordTokenizer;
use std::fs;
use std::path::PathBuf;

/// Write a bundle that knows fewer subwords, those of another tokenizer, or whose text encoder has fewer layers or narrower ones, to learn
/// on with
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the f32 bundle
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// tokenizer.json with the subwords to keep
    #[arg(long, value_name = "FILE", required_unless_present_any = ["layers", "ffn"])]
    tokenizer: Option<PathBuf>,
    /// Layers of the text encoder to keep, counted from 0: 0,1,2,4
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    layers: Vec<usize>,
    /// Hidden values of each feed-forward network of the text encoder, those that matter most for the tweets
    #[arg(long, value_name = "N", requires = "tweets")]
    ffn: Option<usize>,
    #[command(flatten)]
    tweets: TweetArgs,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    output::check_folder(&args.out)?;
    if args.tweets.is_given() && args.ffn.is_none() {
        return Err(Failure::Message(
            "tweets say which hidden values matter: give --ffn, or leave the tweets out".to_owned(),
        ));
    }
    let files = bundle::read(&args.bundle)?;
    if let Some(ffn) = args.ffn {
        // Before the tweets are read, which takes minutes.
        check_narrow(&files, ffn).map_err(LoadError::from)?;
    }
    let device = device::parse("cpu")?;
    let mut trimmed = files.clone();
    let mut has = Vec::new();
    if let Some(path) = &args.tokenizer {
        let said = path.display();
        let tokenizer = fs::read(path).map_err(|e| format!("{said}: {e}"))?;
        let tokenizer =
            SubwordTokenizer::from_bytes(&tokenizer).map_err(|e| format!("{said}: {e}"))?;
        trimmed = trim_bundle(&trimmed, &tokenizer, &device)?;
        has.push(format!("{} subwords", tokenizer.vocab_size()));
    }
    if !args.layers.is_empty() {
        trimmed = keep_layers(&trimmed, &args.layers, &device)?;
        has.push(format!("{} layers", args.layers.len()));
    }
    if let Some(ffn) = args.ffn {
        let inputs = args.tweets.linear_inputs(&trimmed)?;
        trimmed = narrow_bundle(&trimmed, ffn, &inputs, &device)?;
        has.push(format!("feed-forward networks of {ffn} hidden values"));
    }
    bundle::write(&trimmed, &args.out)?;
    output::print(&format!(
        "{} has {}; weights of {} bytes instead of {}\n",
        args.out.display(),
        has.join(" and "),
        trimmed.weights.len(),
        files.weights.len()
    ))
}
