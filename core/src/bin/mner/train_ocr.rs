//! `mner train-ocr`: a reader of the text in images.

use crate::beside;
use crate::device;
use crate::failure::Failure;
use crate::output;
use burn::train::Interrupter;
use mner_core::ocr::bundle::OcrManifest;
use mner_core::train::ocr::config::{OcrTrainConfig, Part};
use mner_core::train::ocr::train;

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
    beside::write::<OcrManifest>(&files, &folder)?;
    output::print(&format!(
        "the reader is {}, {} bytes\n",
        folder.display(),
        files.weights.len()
    ))
}
