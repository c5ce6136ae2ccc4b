//! `mner match`: which image belongs to which tweet.

use crate::failure::Failure;
use crate::{bundle, device, output};
use mner_core::train::matching::config::MatchConfig;
use mner_core::train::matching::teach;
use std::fs;
use std::path::PathBuf;

/// Teach a bundle which image belongs to which tweet, from texts and their own images without labels
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: MatchConfig,
    /// Folder to write: bundle/, in f32, and report.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[arg(long, default_value = "cpu", help = device::HELP)]
    device: String,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let folder = args.out.join("bundle");
    output::check_folder(&folder)?;
    let (files, report) = teach(&args.config, &device::parse(&args.device)?)?;
    bundle::write(&files, &folder)?;
    let path = args.out.join("report.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&report)?);
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut said = format!("epoch {}, set aside: {}\n", report.best_epoch, report.aside);
    for held_out in &report.held_out {
        said += &format!("{}: {}\n", held_out.file.display(), held_out.figures);
    }
    if let (Some(kept), Some(gain), Some(offset)) = (report.kept, report.gain, report.offset) {
        said += &format!(
            "relevance: {kept} of what it was, {gain:+.2} a whole of cosine, {offset:+.2}\n"
        );
    }
    if let Some(seen) = &report.seen {
        said += &format!("seen: {seen}\n");
    }
    output::print(&format!("{said}the bundle is {}\n", folder.display()))
}
