//! `manifest.json`: what a bundle says of itself.

use crate::bundle::quantize::Scheme;
use crate::bundle::vision::VisionEntry;
use crate::bundle::{BundleError, BundleFiles};
use crate::decode::confidence::ConfidenceScaling;
use crate::image::Image;
use crate::label::{LABELS, Label};
use crate::splitmix::SplitMix64;
use crate::systems::SystemConfig;
use crate::tweet::words::Sigils;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The format this program writes and reads.
pub const FORMAT: u32 = 1;

/// The manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format; see [`FORMAT`].
    pub format: u32,
    /// Label names in the order of the emissions.
    pub labels: Vec<String>,
    /// The system and its sizes.
    pub config: SystemConfig,
    /// The longest window in subwords, special tokens included.
    #[serde(rename = "max_pieces")]
    pub max_subwords: usize,
    /// How a raw tweet's mentions and hashtags are cut into words.
    #[serde(default)]
    pub sigils: Sigils,
    /// The vision networks, for a system that reads images.
    #[serde(default, rename = "eyes", skip_serializing_if = "Option::is_none")]
    pub vision: Option<VisionEntry>,
    /// How the weights are quantised; absent for f32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<Scheme>,
    /// The bundle's files.
    pub files: Files,
    /// Where the bundle comes from.
    #[serde(flatten)]
    pub about: About,
}

/// The bundle's files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// `manifest.json` itself, its own SHA-256 computed with zeros in the place of the digits. [`Manifest::to_bytes`] writes it;
    /// older bundles have none
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<FileEntry>,
    /// `weights.bpk`
    pub weights: FileEntry,
    /// `tokenizer.json`
    pub tokenizer: FileEntry,
    /// `eyes.bpk`, there if and only if the manifest has `eyes`
    #[serde(default, rename = "eyes", skip_serializing_if = "Option::is_none")]
    pub vision: Option<FileEntry>,
    /// `augmentation.bin`, there if and only if the system reads augmentation
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<FileEntry>,
}

/// Size and hash of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// The key of a training for the run that it went on from.
pub const BEFORE: &str = "before";

/// The key of a training for what the runs differ in that its weights are a mean with.
pub const AVERAGED_WITH: &str = "averaged_with";

/// In a training, that of the bundle whose reading of words was taken over.
pub const GRAFTED: &str = "grafted_with";

/// Where a bundle comes from and what it can do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct About {
    /// Name of the model.
    pub name: String,
    /// The resolved training configuration, seed included; null for a model that was not trained. [`BEFORE`] and [`AVERAGED_WITH`]
    /// are its keys for other runs.
    pub training: serde_json::Value,
    /// Micro F1 (fraction, lenient) by data file, of the f32 weights that training ended with.
    pub scores: BTreeMap<String, f64>,
    /// Licences of the weights it started from and of the data it saw.
    pub licences: Vec<String>,
    /// Codes of the languages it was made for (ISO 639), such as `en`; none where nobody said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// How its confidences are read so that they mean what they say; none for one that was not calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<ConfidenceScaling>,
    /// How its fine types are read, and how good they are; none for one that was not calibrated with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_types: Option<AboutFineTypes>,
    /// An input with its right answer, to check a device by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_answer: Option<KnownAnswer>,
}

impl About {
    /// Leaves out what was measured with other weights: scores and calibration.
    pub fn forget_measured(&mut self) {
        self.scores.clear();
        self.confidence = None;
        self.fine_types = None;
    }
}

/// What stood before, and what is new.
pub fn with_more(mut before: Vec<String>, new: &[String]) -> Vec<String> {
    for text in new {
        if !before.contains(text) {
            before.push(text.clone());
        }
    }
    before
}

/// How fine types are read, and how good they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AboutFineTypes {
    /// What their scores are divided by before the softmax, above 0.
    pub temperature: f64,
    /// F1 (fraction) of names with exact words and fine type, by fine type and `micro` over all, of the tweets that it was
    /// calibrated by.
    pub scores: BTreeMap<String, f64>,
}

/// An input and the emissions the packed weights gave for it on the CPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownAnswer {
    /// The tweet.
    pub text: String,
    /// Its image, if the bundle reads images.
    #[serde(default, rename = "picture", skip_serializing_if = "Option::is_none")]
    pub image: Option<Drawing>,
    /// Emission scores, one row of nine per word.
    pub emissions: Vec<Vec<f32>>,
    /// The same of the text without the image, if there is one: the answer while the vision encoder is not loaded yet.
    #[serde(
        default,
        rename = "without_picture",
        skip_serializing_if = "Option::is_none"
    )]
    pub without_image: Option<Vec<Vec<f32>>>,
}

/// An image that is computed, so that a manifest can name it: bright and dark rectangles of any
/// colour laid over each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawing {
    /// Width in pixels, 1 to 1024.
    pub width: u32,
    /// Height in pixels, 1 to 1024.
    pub height: u32,
    /// Seed of the rectangles.
    pub seed: u64,
}

impl Drawing {
    /// Draws it.
    ///
    /// # Errors
    /// [`BundleError::Config`] for a size out of range.
    pub fn draw(self) -> Result<Image, BundleError> {
        const RECTANGLES: usize = 12;
        let sides = 1..=1024;
        if !sides.contains(&self.width) || !sides.contains(&self.height) {
            let problem = "the known answer's image is not 1 to 1024 pixels a side";
            return Err(BundleError::Config(problem.to_owned()));
        }
        let (width, height) = (self.width as usize, self.height as usize);
        let mut random = SplitMix64(self.seed);
        let mut rgb = vec![127_u8; width * height * 3];
        for _ in 0..RECTANGLES {
            let (left, top) = (random.below(width), random.below(height));
            let right = left + 1 + random.below(width - left);
            let bottom = top + 1 + random.below(height - top);
            let colour: [u8; 3] = std::array::from_fn(|_| random.next_u64() as u8);
            for row in top..bottom {
                let pixels = &mut rgb[3 * (row * width + left)..3 * (row * width + right)];
                for pixel in pixels.chunks_exact_mut(3) {
                    pixel.copy_from_slice(&colour);
                }
            }
        }
        Ok(Image {
            width: self.width,
            height: self.height,
            rgb,
        })
    }
}

/// The nine label names in order.
pub fn label_names() -> Vec<String> {
    (0..LABELS)
        .map(|i| Label::from_index(i).to_string())
        .collect()
}

impl Manifest {
    /// Reads a manifest and checks its format, its own SHA-256 and its labels.
    ///
    /// # Errors
    /// [`BundleError::Manifest`], [`BundleError::Format`], [`BundleError::Changed`], [`BundleError::Labels`].
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        // The version first: another version's manifest may differ in everything else.
        let Version { format } = serde_json::from_slice(bytes)?;
        if format != FORMAT {
            return Err(BundleError::Format { found: format });
        }
        let manifest: Self = serde_json::from_slice(bytes)?;
        if let Some(entry) = &manifest.files.manifest
            && without_digits(bytes, &entry.sha256)
                .map(|blank| FileEntry::of(&blank))
                .as_ref()
                != Some(entry)
        {
            return Err(BundleError::Changed);
        }
        if manifest.labels != label_names() {
            return Err(BundleError::Labels {
                found: manifest.labels,
            });
        }
        Ok(manifest)
    }

    /// The file's bytes: indented JSON with its own size and SHA-256, and a final newline.
    ///
    /// # Errors
    /// If a training value is no JSON (a non-finite number).
    pub fn to_bytes(&self) -> Result<Vec<u8>, BundleError> {
        let mut sealed = self.clone();
        let mut bytes = Vec::new();
        // The size is one of the things that are written.
        loop {
            let size = bytes.len();
            sealed.files.manifest = Some(FileEntry {
                bytes: size as u64,
                sha256: NO_DIGITS.to_owned(),
            });
            bytes = serde_json::to_vec_pretty(&sealed)?;
            bytes.push(b'\n');
            if bytes.len() == size {
                break;
            }
        }
        let digits = FileEntry::of(&bytes).sha256;
        if let Some(place) = place_of(&bytes, NO_DIGITS) {
            bytes[place..place + NO_DIGITS.len()].copy_from_slice(digits.as_bytes());
        }
        Ok(bytes)
    }
}

/// What stands in the place of a manifest's own digits while they are computed.
const NO_DIGITS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The first place of some text in a manifest.
fn place_of(bytes: &[u8], text: &str) -> Option<usize> {
    str::from_utf8(bytes).ok()?.find(text)
}

/// A manifest's bytes with zeros in the place of its own digits; none where they do not stand there.
fn without_digits(bytes: &[u8], digits: &str) -> Option<Vec<u8>> {
    if digits.len() != NO_DIGITS.len() {
        return None;
    }
    let place = place_of(bytes, digits)?;
    let mut blank = bytes.to_vec();
    blank[place..place + digits.len()].copy_from_slice(NO_DIGITS.as_bytes());
    Some(blank)
}

impl Files {
    /// The entries of these files, but for the manifest's own.
    pub fn of(files: &BundleFiles) -> Self {
        Self {
            manifest: None,
            weights: FileEntry::of(&files.weights),
            tokenizer: FileEntry::of(&files.tokenizer),
            vision: files.vision.as_deref().map(FileEntry::of),
            augmentation: files.augmentation.as_deref().map(FileEntry::of),
        }
    }
}

/// In parts: a browser that is at work in a function cannot go on in a faster version of it, so one call for all bytes would stay in what
/// its first compiler made.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    const PART: usize = 1 << 14;
    let mut hash = Sha256::new();
    for part in bytes.chunks(PART) {
        hash.update(part);
    }
    hash.finalize().into()
}

impl FileEntry {
    /// The entry of a file with these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.len() as u64,
            sha256: hex(&sha256(bytes)),
        }
    }

    /// Checks `bytes` against the entry.
    ///
    /// # Errors
    /// [`BundleError::Size`] or [`BundleError::Hash`], naming `file`.
    pub fn verify(&self, file: &'static str, bytes: &[u8]) -> Result<(), BundleError> {
        let found = Self::of(bytes);
        if found.bytes != self.bytes {
            return Err(BundleError::Size {
                file,
                found: found.bytes,
                expected: self.bytes,
            });
        }
        if found.sha256 != self.sha256 {
            return Err(BundleError::Hash {
                file,
                expected: self.sha256.clone(),
            });
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
