//! `mner inspect`: what a bundle is.

use crate::bundle;
use crate::device;
use crate::failure::Failure;
use burn::module::Module;
use mner_core::bundle::{AUGMENTATION, Compute, EYES, TOKENIZER, WEIGHTS, unpack};
use mner_core::recognizer::Recognizer;
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
        print!("{}", String::from_utf8_lossy(&files.manifest));
        return Ok(());
    }
    let manifest = unpacked.manifest.clone();
    let parameters = unpacked.system.num_params();
    let recognizer = pollster::block_on(Recognizer::new(unpacked, &device))?;
    let known = pollster::block_on(recognizer.check(TOLERANCE))?;

    let encoder = manifest.config.encoder();
    println!("name         {}", manifest.about.name);
    println!("system       {}", manifest.config.name());
    println!(
        "encoder      {} layers of {} dimensions, {} word pieces",
        encoder.layers, encoder.d, encoder.vocab
    );
    println!("parameters   {parameters}");
    match manifest.quantization {
        Some(scheme) => println!("weights      quantised, {scheme}"),
        None => println!("weights      f32"),
    }
    println!("window       {} word pieces", manifest.max_pieces);
    let eyes = manifest.files.eyes.iter().map(|file| (EYES, file));
    let augmentation = manifest.files.augmentation.iter();
    let more = eyes.chain(augmentation.map(|file| (AUGMENTATION, file)));
    for (name, file) in more.chain([
        (WEIGHTS, &manifest.files.weights),
        (TOKENIZER, &manifest.files.tokenizer),
    ]) {
        println!(
            "{name:<15}{} bytes, SHA-256 {} (verified)",
            file.bytes, file.sha256
        );
    }
    for (data, f1) in &manifest.about.scores {
        println!("micro F1     {:.2} on {data}", 100.0 * f1);
    }
    for licence in &manifest.about.licences {
        println!("licence      {licence}");
    }
    match known {
        Some(difference) => println!("known answer reproduced to {difference:.1e}"),
        None => println!("known answer none in the bundle"),
    }
    Ok(())
}
