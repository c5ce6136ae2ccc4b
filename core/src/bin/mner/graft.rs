//! `mner graft`: a bundle that reads the words, or sees images, as another; or has another's text encoder.

use crate::failure::Failure;
use crate::{bundle, device, output};
use mner_core::packing::graft::{graft_bundle, graft_encoder, graft_vision};
use std::path::PathBuf;

/// Write a bundle that reads the words as a bundle of the text system does, so that it can learn anew what its images say, or one that
/// sees images as another does
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the bundle, in f32 for --reader and --encoder
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Folder of the f32 bundle of the text system, with the same subwords
    #[arg(long, value_name = "DIR", required_unless_present_any = ["encoder", "vision"])]
    reader: Option<PathBuf>,
    /// Folder of an f32 bundle, with the same subwords, whose text encoder alone takes the place of the bundle's own: one that imitates it
    #[arg(long, value_name = "DIR", conflicts_with = "reader")]
    encoder: Option<PathBuf>,
    /// Folder of a bundle whose vision encoder, of the same kind and sizes, takes the place of the bundle's own; scores and calibration
    /// stay
    #[arg(long, value_name = "DIR")]
    vision: Option<PathBuf>,
    /// Folder to write, which may be the bundle's own
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    bundle::check_out(&args.out, &args.bundle)?;
    let device = device::parse("cpu")?;
    let mut files = bundle::read(&args.bundle)?;
    let mut said = Vec::new();
    if let Some(reader) = &args.reader {
        files = graft_bundle(&files, &bundle::read(reader)?, &device)?;
        said.push(format!("reads words as {}", reader.display()));
    }
    if let Some(other) = &args.encoder {
        files = graft_encoder(&files, &bundle::read(other)?, &device)?;
        said.push(format!("has the text encoder of {}", other.display()));
    }
    if let Some(vision) = &args.vision {
        files = graft_vision(&files, &bundle::read(vision)?, &device)?;
        said.push(format!("sees images as {}", vision.display()));
    }
    bundle::write(&files, &args.out)?;
    output::print(&format!("{} {}\n", args.out.display(), said.join(" and ")))
}
