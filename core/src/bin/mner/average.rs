//! `mner average`: one bundle of several.

use crate::failure::Failure;
use crate::{bundle, device, output};
use mner_core::train::soup::mean_of;
use std::path::PathBuf;

/// Write the mean of the weights of bundles that went on from the same one, with different seeds, say
#[derive(clap::Args)]
pub struct Args {
    /// Folder of a bundle (repeatable)
    #[arg(long, value_name = "DIR", required = true)]
    bundle: Vec<PathBuf>,
    /// Folder to write, in f32
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    output::check_folder(&args.out)?;
    bundle::write(&mean_of(&args.bundle, &device::parse("cpu")?)?, &args.out)?;
    let count = args.bundle.len();
    output::print(&format!(
        "{} is the mean of {count} bundles\n",
        args.out.display()
    ))
}
