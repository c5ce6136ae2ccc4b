//! Bundles from the command line's point of view.

use crate::beside;
use crate::device;
use crate::failure::Failure;
use crate::output;
use mner_core::bundle::{BundleFiles, Compute};
use mner_core::packing::folder;
use mner_core::recognizer::Recognizer;
use std::path::{Path, PathBuf};

/// Which bundle, and where it runs.
#[derive(clap::Args)]
pub struct BundleArgs {
    /// Folder of the bundle
    #[arg(long, value_name = "DIR")]
    pub bundle: PathBuf,
    #[arg(long, default_value = "cpu", help = device::HELP)]
    pub device: String,
}

/// Reads a bundle's files.
pub fn read(path: &Path) -> Result<BundleFiles, Failure> {
    Ok(folder::read(path).map_err(|(file, error)| {
        beside::use_of(path)
            .unwrap_or_else(|| format!("cannot read the bundle: {}: {error}", file.display()))
    })?)
}

/// Refuses a folder to write a bundle to, see [`output::check_folder`]; that of the bundle itself may be meant.
pub fn check_out(out: &Path, own: &Path) -> Result<(), Failure> {
    match output::is_same(out, own) {
        true => Ok(()),
        false => output::check_folder(out),
    }
}

/// Writes a bundle's files.
pub fn write(files: &BundleFiles, path: &Path) -> Result<(), Failure> {
    Ok(folder::write(files, path)
        .map_err(|(path, error)| format!("cannot write the bundle: {}: {error}", path.display()))?)
}

impl BundleArgs {
    /// Loads the bundle onto its device.
    pub fn load(&self) -> Result<Recognizer, Failure> {
        load(read(&self.bundle)?, &self.device)
    }
}

/// Loads a bundle onto the device of this name. A GPU must reproduce the bundle's known answer: a driver that computes nonsense
/// does so without an error.
pub fn load(files: BundleFiles, device: &str) -> Result<Recognizer, Failure> {
    const TOLERANCE: f32 = 2e-2;
    let on_cpu = device == "cpu";
    let device = device::parse(device)?;
    pollster::block_on(async {
        if on_cpu {
            return Ok(Recognizer::load(files, &device, Compute::Host).await?);
        }
        let recognizer = Recognizer::load(files, &device, Compute::Device).await?;
        recognizer.check(TOLERANCE).await?;
        Ok(recognizer)
    })
}
