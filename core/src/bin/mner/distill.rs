//! `mner distill`: a detector for a lower input side.

use crate::device;
use crate::failure::Failure;
use crate::output;
use burn::train::Interrupter;
use mner_core::train::distill::config::DistillConfig;
use mner_core::train::distill::report::Figures;
use mner_core::train::distill::{DETECTOR, distill};

/// Distil the object detector for a lower input side, from photographs without labels
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: DistillConfig,
    #[arg(long, default_value = "cpu", help = device::HELP)]
    device: String,
    /// Go on with a run that was interrupted
    #[arg(long)]
    resume: bool,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let device = device::parse(&args.device)?;
    let report = distill(&args.config, &device, args.resume, Interrupter::new())?;
    let figures = |name: &str, figures: &Figures| {
        format!(
            "{name:<24} recall {:.4}  precision {:.4}  F1 {:.4}\n",
            figures.recall, figures.precision, figures.f1
        )
    };
    output::print(&format!(
        "{}{}{}the detector is {}\n",
        figures("teacher's weights as is", &report.baseline),
        figures("the same, calibrated", &report.calibrated),
        figures("student", &report.student),
        args.config.out.join(DETECTOR).display()
    ))
}
