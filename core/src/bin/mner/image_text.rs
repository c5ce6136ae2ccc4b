//! `mner image-text`: what images say in words.

use crate::beside;
use crate::bundle;
use crate::device;
use crate::each_image::each_image;
use crate::failure::Failure;
use mner_core::caption::bundle::{self as caption, CaptionManifest};
use mner_core::ocr::bundle::{self as ocr, OcrManifest};
use mner_core::systems::ita::image_text::{ImageReader, ImageText, TagReader};
use serde_json::{Map, json};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Say in words what is in images: a line of JSON for each, as --context of train, evaluate and predict reads it
#[derive(clap::Args)]
pub struct Args {
    /// Folder of a bundle that reads images; its tags are "objects"
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Folder of a captioner, for "captions"
    #[arg(long, value_name = "DIR")]
    captioner: Option<PathBuf>,
    /// Folder of a reader of text, for "ocr"
    #[arg(long, value_name = "DIR")]
    ocr: Option<PathBuf>,
    /// Images: JPEG, PNG, WebP or GIF; "id" is the file's name without its ending
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    #[arg(long, default_value = "cpu", help = device::HELP)]
    device: String,
}

/// What an image is called in a file of contexts: its file's name without the ending.
pub fn id_of(image: &Path) -> Cow<'_, str> {
    image.file_stem().unwrap_or_default().to_string_lossy()
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let device = device::parse(&args.device)?;
    let recognizer = bundle::load(bundle::read(&args.bundle)?, &args.device)?;
    let mut readers: Vec<Box<dyn ImageReader>> = Vec::new();
    if let Some(folder) = &args.captioner {
        let captioner = beside::open::<CaptionManifest, _>(folder, |f| caption::unpack(f, &device));
        readers.push(Box::new(captioner?));
    }
    readers.push(Box::new(TagReader));
    if let Some(folder) = &args.ocr {
        let reader = beside::open::<OcrManifest, _>(folder, |files| ocr::unpack(files, &device));
        readers.push(Box::new(reader?));
    }
    let named = |path: &Path| {
        let id = id_of(path);
        let image = path.display().to_string();
        Map::from_iter([
            ("id".to_owned(), json!(id)),
            ("image".to_owned(), json!(image)),
        ])
    };
    each_image(&args.images, named, |path, image| {
        let encoded = pollster::block_on(recognizer.encode_image(&image))?;
        let mut text = ImageText::default();
        for reader in &readers {
            let read = pollster::block_on(reader.read(&image, &encoded.features));
            let named = |error| format!("{}: {}: {error}", path.display(), reader.name());
            text.extend(read.map_err(named)?);
        }
        Ok(json!(text))
    })
}
