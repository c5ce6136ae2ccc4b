//! `mner export`: a bundle for other programs.

use crate::failure::Failure;
use crate::{bundle, device, output};
use mner_core::bundle::{Compute, unpack};
use mner_core::formats::hugging_face;
use mner_core::notice;
use std::path::PathBuf;

/// Write a bundle as f32 safetensors, config.json and tokenizer.json for `transformers`
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the bundle
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    output::check_folder(&args.out)?;
    let bundle = unpack(
        bundle::read(&args.bundle)?,
        &device::parse("cpu")?,
        Compute::Device,
    )?;
    hugging_face::export(
        bundle.system,
        &bundle.manifest.config,
        &bundle.tokenizer,
        &args.out,
    )?;
    notice!("wrote {}", args.out.display());
    Ok(())
}
