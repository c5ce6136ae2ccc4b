//! `mner pretrain`: an encoder that has read tweets.

use crate::device;
use crate::failure::Failure;
use crate::output;
use burn::train::Interrupter;
use mner_core::train::pretrain::{PretrainConfig, pretrain};

/// Go on pretraining an encoder on tweets without labels: it learns to tell words that are hidden from it
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: PretrainConfig,
    #[arg(long, default_value = "cpu", help = device::HELP)]
    device: String,
    /// Go on with a run that was interrupted
    #[arg(long)]
    resume: bool,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let device = device::parse(&args.device)?;
    let report = pretrain(&args.config, &device, args.resume, Interrupter::new())?;
    output::print(&format!(
        "perplexity {:.2} and {:.1} % right of what was kept apart; the encoder is {}\n",
        report.perplexity,
        100.0 * report.accuracy,
        report.encoder.display()
    ))
}
