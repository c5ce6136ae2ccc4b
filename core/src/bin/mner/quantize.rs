//! `mner quantize`: a smaller bundle.

use crate::failure::Failure;
use crate::output::check_folder;
use crate::tweets::TweetArgs;
use crate::{bundle, device};
use mner_core::bundle::BundleFiles;
use mner_core::bundle::quantize::Scheme;
use mner_core::notice;
use mner_core::packing::quantize_bundle_for;
use std::path::PathBuf;

/// Write a bundle with weights of 8 or 4 bits: a quarter to a seventh of the bytes
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the f32 bundle
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Bits a weight; mixed: 4 for the table of subwords and the projector of images, 8 for all else
    #[arg(long)]
    scheme: Scheme,
    #[command(flatten)]
    tweets: TweetArgs,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    check_folder(&args.out)?;
    let files = bundle::read(&args.bundle)?;
    let inputs = args.tweets.linear_inputs(&files)?;
    let small = quantize_bundle_for(&files, args.scheme, &inputs, &device::parse("cpu")?)?;
    bundle::write(&small, &args.out)?;
    let bytes =
        |files: &BundleFiles| files.weights.len() + files.vision.as_ref().map_or(0, Vec::len);
    notice!(
        "wrote {}: weights of {} bytes instead of {}",
        args.out.display(),
        bytes(&small),
        bytes(&files)
    );
    Ok(())
}
