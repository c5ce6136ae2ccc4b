//! `mner graft`: a bundle that reads the words as another.

use crate::failure::Failure;
use crate::{bundle, device, output};
use mner_core::packing::graft::graft_bundle;
use std::path::PathBuf;

/// Write a bundle that reads the words as a bundle of the text system does, so that it can learn anew what its images say
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the f32 bundle
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Folder of the f32 bundle of the text system, with the same subwords
    #[arg(long, value_name = "DIR")]
    reader: PathBuf,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let [files, reader] = [&args.bundle, &args.reader].map(|folder| bundle::read(folder));
    let grafted = graft_bundle(&files?, &reader?, &device::parse("cpu")?)?;
    bundle::write(&grafted, &args.out)?;
    output::print(&format!(
        "{} reads words as {}\n",
        args.out.display(),
        args.reader.display()
    ))
}
