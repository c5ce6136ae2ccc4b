//! `mner card`: the model card of a bundle that has none.

use crate::failure::Failure;
use crate::output;
use mner_core::bundle::MANIFEST;
use mner_core::bundle::manifest::Manifest;
use mner_core::notice;
use mner_core::packing::card::{CARD, card};
use mner_core::packing::folder;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Write a bundle's MODEL_CARD.md from its manifest: entity types, scores, training data, licences, sizes, limits
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the bundle
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Code of the language it was made for (ISO 639), such as en, where the manifest does not say (repeatable)
    #[arg(long = "language", value_name = "CODE")]
    languages: Vec<String>,
    /// Replace a card that is there
    #[arg(long, conflicts_with = "print")]
    overwrite: bool,
    /// Print the card instead of writing it
    #[arg(long)]
    print: bool,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let manifest = folder::manifest(&args.bundle).map_err(|(path, e)| fault(&path, &e))?;
    let path = args.bundle.join(MANIFEST);
    let manifest = Manifest::parse(&manifest).map_err(|e| fault(&path, &e))?;
    let text = card(&manifest, &args.languages);
    if args.print {
        return output::print(&text);
    }
    let path = args.bundle.join(CARD);
    let mut options = OpenOptions::new();
    match args.overwrite {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    let written = options
        .write(true)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => format!(
            "{} is there already: give --overwrite to replace it, or --print to see what would be written",
            path.display()
        ),
        _ => fault(&path, &e),
    })?;
    notice!("wrote {}", path.display());
    Ok(())
}

fn fault(path: &Path, error: &dyn Display) -> String {
    format!("{}: {error}", path.display())
}
