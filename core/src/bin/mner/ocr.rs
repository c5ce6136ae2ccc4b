//! `mner ocr`: what is written in images.

use crate::beside;
use crate::bundle;
use crate::device;
use crate::each_image::each_image;
use crate::failure::Failure;
use mner_core::ocr::bundle::{OcrManifest, unpack};
use mner_core::ocr::lines::{TextLine, bounds_of, text_of};
use mner_core::recognizer::Recognizer;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Read the text in images: a line of JSON for each, with lines, words, boxes and confidences
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the reader
    #[arg(long, value_name = "DIR")]
    ocr: PathBuf,
    /// Folder of a bundle that finds the names in what is written, as "entities" with their boxes
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Images: JPEG, PNG, WebP or GIF
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    #[arg(long, default_value = "cpu", help = device::HELP)]
    device: String,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let device = device::parse(&args.device)?;
    let reader = beside::open::<OcrManifest, _>(&args.ocr, |files| unpack(files, &device))?;
    let load = |folder| bundle::load(bundle::read(folder)?, &args.device);
    let recognizer = args.bundle.as_deref().map(load).transpose()?;
    let named =
        |path: &Path| Map::from_iter([("image".to_owned(), json!(path.display().to_string()))]);
    each_image(&args.images, named, |_, image| {
        let lines = pollster::block_on(reader.read(&image))?;
        let mut answer = json!({ "width": image.width, "height": image.height, "lines": lines });
        if let Some(recognizer) = &recognizer {
            answer["entities"] = names(recognizer, &lines)?;
        }
        Ok(answer)
    })
}

/// The names in what is written, with the boxes around their words.
fn names(recognizer: &Recognizer, lines: &[TextLine]) -> Result<Value, Failure> {
    let text = text_of(lines);
    let found = pollster::block_on(recognizer.recognize_with(&text, None, None))?;
    let entities = found.entities.iter().map(|entity| {
        let mut value = json!(entity);
        value["bounds"] = json!(bounds_of(lines, entity.bytes));
        value
    });
    Ok(entities.collect())
}
