//! `mner inspect`: what a bundle is.

use crate::failure::Failure;
use crate::{bundle, device, output};
use burn::module::Module;
use mner_core::bundle::{AUGMENTATION, Compute, EYES, TOKENIZER, WEIGHTS, unpack};
use mner_core::recognizer::Recognizer;
use std::fmt::Display;
use std::path::PathBuf;

/// Check a bundle and print what it is
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the bundle
    #[arg(value_name = "DIR")]
    bundle: PathBuf,
    /// Print the manifest itself
    #[arg(long)]
    json: bool,
}

/// Largest difference from the known answer that rounding explains: quantised bundles compute with
/// 16-bit activations here, the answer was computed with f32.
const TOLERANCE: f32 = 2e-3;

pub fn run(args: &Args) -> Result<(), Failure> {
    let files = bundle::read(&args.bundle)?;
    let device = device::parse("cpu")?;
    let unpacked = unpack(files.clone(), &device, Compute::Host)?;
    if args.json {
        return output::print(&String::from_utf8_lossy(&files.manifest));
    }
    let manifest = unpacked.manifest.clone();
    let parameters = unpacked.system.num_params();
    let recognizer = pollster::block_on(Recognizer::new(unpacked, &device))?;
    let known = pollster::block_on(recognizer.check(TOLERANCE))?;

    let mut text = String::new();
    let mut line = |name: &str, value: &dyn Display| text.push_str(&format!("{name:<17}{value}\n"));
    let encoder = manifest.config.encoder();
    line("name", &manifest.about.name);
    line("system", &manifest.config.name());
    line(
        "encoder",
        &format_args!(
            "{} layers of {} dimensions, {} subwords",
            encoder.layers, encoder.d, encoder.vocab
        ),
    );
    line("parameters", &parameters);
    match manifest.quantization {
        Some(scheme) => line("weights", &format_args!("quantised, {scheme}")),
        None => line("weights", &"f32"),
    }
    line(
        "window",
        &format_args!("{} subwords", manifest.max_subwords),
    );
    let vision = manifest.files.vision.iter().map(|file| (EYES, file));
    let augmentation = manifest.files.augmentation.iter();
    let more = vision.chain(augmentation.map(|file| (AUGMENTATION, file)));
    for (name, file) in more.chain([
        (WEIGHTS, &manifest.files.weights),
        (TOKENIZER, &manifest.files.tokenizer),
    ]) {
        line(
            name,
            &format_args!("{} bytes, SHA-256 {} (verified)", file.bytes, file.sha256),
        );
    }
    for (data, f1) in &manifest.about.scores {
        line("micro F1", &format_args!("{:.2} on {data}", 100.0 * f1));
    }
    for licence in &manifest.about.licences {
        line("licence", licence);
    }
    match known {
        Some(difference) => line(
            "known answer",
            &format_args!("reproduced to {difference:.1e}"),
        ),
        None => line("known answer", &"none in the bundle"),
    }
    output::print(&text)
}
