//! `mner trim`: a bundle with fewer subwords.

use crate::failure::Failure;
use crate::{bundle, device, output};
use mner_core::packing::trim::trim_bundle;
use mner_core::tweet::subwords::SubwordTokenizer;
use std::fs;
use std::path::PathBuf;

/// Write a bundle that knows fewer subwords, those of another tokenizer: its table of them is smaller
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the f32 bundle
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// tokenizer.json with the subwords to keep
    #[arg(long, value_name = "FILE")]
    tokenizer: PathBuf,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    output::check_folder(&args.out)?;
    let files = bundle::read(&args.bundle)?;
    let path = args.tokenizer.display();
    let tokenizer = fs::read(&args.tokenizer).map_err(|e| format!("{path}: {e}"))?;
    let tokenizer = SubwordTokenizer::from_bytes(&tokenizer).map_err(|e| format!("{path}: {e}"))?;
    let trimmed = trim_bundle(&files, &tokenizer, &device::parse("cpu")?)?;
    bundle::write(&trimmed, &args.out)?;
    output::print(&format!(
        "{} knows {} subwords; weights of {} bytes instead of {}\n",
        args.out.display(),
        tokenizer.vocab_size(),
        trimmed.weights.len(),
        files.weights.len()
    ))
}
