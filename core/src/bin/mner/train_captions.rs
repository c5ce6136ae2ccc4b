//! `mner train-captions`: a captioner of images.

use crate::beside;
use crate::device;
use crate::failure::Failure;
use crate::output;
use burn::train::Interrupter;
use mner_core::caption::bundle::CaptionManifest;
use mner_core::train::caption::config::CaptionTrainConfig;
use mner_core::train::caption::overlap::Overlap;
use mner_core::train::caption::train;
use std::fs;

/// Train a captioner on captions alone: it learns to say a sentence's vector in words, and is then given images' vectors
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: CaptionTrainConfig,
    #[arg(long, default_value = "cpu", help = device::HELP)]
    device: String,
    /// Go on with a run that was interrupted
    #[arg(long)]
    resume: bool,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let device = device::parse(&args.device)?;
    let (files, held_out) = train(&args.config, &device, args.resume, Interrupter::new())?;
    if let Some(held_out) = &held_out {
        let mut text = serde_json::to_string_pretty(held_out)?;
        text.push('\n');
        let path = args.config.out.join("held_out.json");
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        let line = |name: &str, overlap: &Overlap| {
            format!(
                "{name}: the main thing is named in {:.1} %, {:.1} % of the words are people's, {} images\n",
                100.0 * overlap.named(),
                100.0 * overlap.shared(),
                overlap.images
            )
        };
        output::print(&line("captioner", &held_out.captioner))?;
        output::print(&line("nearest caption", &held_out.nearest))?;
    }
    let folder = args.config.out.join("caption");
    beside::write::<CaptionManifest>(&files, &folder)?;
    output::print(&format!(
        "the captioner is {}, {} bytes\n",
        folder.display(),
        files.weights.len()
    ))
}
