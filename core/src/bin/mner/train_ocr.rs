//! `mner train-ocr`: a reader of the text in images.

use crate::device;
use crate::failure::Failure;
use crate::output;
use burn::train::Interrupter;
use mner_core::ocr::bundle::{MANIFEST, WEIGHTS};
use mner_core::train::ocr::config::{OcrTrainConfig, Part};
use mner_core::train::ocr::train;
use std::fs;

/// Train a reader of the text in images, from lettering that is drawn for it on photographs
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: OcrTrainConfig,
    /// Train one of the two networks alone, so that both can be trained at a time; the reader is written when both are there
    #[arg(long)]
    part: Option<Part>,
    #[arg(long, default_value = "cpu", help = device::HELP)]
    device: String,
    /// Go on with a run that was interrupted
    #[arg(long)]
    resume: bool,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let device = device::parse(&args.device)?;
    let Some(files) = train(
        &args.config,
        args.part,
        &device,
        args.resume,
        &Interrupter::new(),
    )?
    else {
        return output::print(
            "the other network is not trained yet; the reader is written when both are\n",
        );
    };
    let folder = args.config.out.join("ocr");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    write(WEIGHTS, &files.weights)?;
    // Last: without it there is no reader.
    write(MANIFEST, &files.manifest)?;
    output::print(&format!(
        "the reader is {}, {} bytes\n",
        folder.display(),
        files.weights.len()
    ))
}
