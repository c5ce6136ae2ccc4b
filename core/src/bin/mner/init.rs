//! `mner init`: an untrained bundle.

use crate::failure::Failure;
use crate::{bundle, device, output};
use mner_core::notice;
use mner_core::packing::tiny;
use mner_core::systems::SystemKind;
use std::path::PathBuf;

/// Write a tiny bundle of random weights, to try a page or a pipeline without a trained model
#[derive(clap::Args)]
pub struct Args {
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Which system
    #[arg(long, value_enum, default_value_t)]
    system: SystemKind,
    /// Seed of the weights
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    output::check_folder(&args.out)?;
    let files = tiny::bundle(args.system, args.seed, &device::parse("cpu")?)?;
    bundle::write(&files, &args.out)?;
    notice!("wrote {}; its answers are random", args.out.display());
    Ok(())
}
