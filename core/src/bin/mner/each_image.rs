//! Images of a command line, one after the other.

use crate::failure::Failure;
use crate::output;
use crate::predict::open_image;
use mner_core::image::Image;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Prints a line of JSON for each image: `named` says which it is, `answer` what is in it. One that cannot be read has an
/// `error` in its place, and the rest is answered all the same.
pub fn each_image(
    paths: &[PathBuf],
    named: impl Fn(&Path) -> Map<String, Value>,
    mut answer: impl FnMut(&Path, Image) -> Result<Value, Failure>,
) -> Result<(), Failure> {
    let mut bad = 0;
    for path in paths {
        let said = match open_image(path) {
            Ok(image) => answer(path, image)?,
            Err(error) => {
                bad += 1;
                json!({ "error": error })
            }
        };
        let mut line = named(path);
        if let Value::Object(said) = said {
            line.extend(said);
        }
        output::print(&format!("{}\n", Value::Object(line)))?;
    }
    match bad {
        0 => Ok(()),
        _ => Err(Failure::Message(format!(
            "{bad} of {} images could not be read; their lines say why",
            paths.len()
        ))),
    }
}
