//! The model file: a folder of `manifest.json`, `weights.bpk`, `tokenizer.json` and, for a system
//! that reads images, `eyes.bpk`.
//!
//! This module works on bytes; who reads or writes the folder does the I/O. Unpacking verifies
//! everything: format version, sizes, SHA-256, labels, every tensor's name and shape. The specification is
//! `core/FORMAT.md`.

pub mod beside;
mod bits;
pub mod compensated;
pub(crate) mod host;
pub mod manifest;
pub mod quantize;
pub mod vision;
pub mod weights;

use crate::systems::{System, SystemConfig};
use crate::tweet::augmentation::{Augmentation, AugmentationError};
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use crate::tweet::words::Sigils;
use crate::vision::encoder::VisionEncoder;
use burn::tensor::Device;
use manifest::{FileEntry, Manifest};
use std::sync::Arc;
use vision::VisionEntry;
use weights::WeightsError;

/// File names inside the bundle's folder, in the order of [`BundleFiles`].
pub const MANIFEST: &str = "manifest.json";
/// The weights' file name.
pub const WEIGHTS: &str = "weights.bpk";
/// The tokenizer's file name.
pub const TOKENIZER: &str = "tokenizer.json";
/// The file name of the vision networks' weights.
pub const EYES: &str = "eyes.bpk";
/// The file name of the augmentation table.
pub const AUGMENTATION: &str = "augmentation.bin";

/// A bundle's files, as read.
#[derive(Clone, Debug)]
pub struct BundleFiles {
    /// `manifest.json`
    pub manifest: Vec<u8>,
    /// `weights.bpk`, burnpack
    pub weights: Vec<u8>,
    /// `tokenizer.json`, Hugging Face tokenizers
    pub tokenizer: Vec<u8>,
    /// `eyes.bpk`, burnpack; none in the bundle of a system that reads text alone
    pub vision: Option<Vec<u8>>,
    /// `augmentation.bin`, [`Augmentation`]; there if and only if the system reads augmentation
    pub augmentation: Option<Vec<u8>>,
}

/// Why a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The manifest is no JSON or lacks a field.
    #[error("{MANIFEST} cannot be read ({0}); the bundle is damaged or not an mner bundle")]
    Manifest(#[from] serde_json::Error),
    /// The manifest is not as it was written.
    #[error(
        "{MANIFEST} was changed after it was written: it does not have the size and SHA-256 that it gives for itself; download or \
         copy the bundle again, or, if the change is meant, take \"manifest\" out of its \"files\""
    )]
    Changed,
    /// The bundle comes from another version.
    #[error(
        "the bundle has format {found}, this program reads format {}; get a matching version",
        manifest::FORMAT
    )]
    Format {
        /// The manifest's format number.
        found: u32,
    },
    /// The labels are not ours.
    #[error(
        "the bundle labels words with {found:?}, this program with the nine BIO labels of PER, LOC, ORG and MISC"
    )]
    Labels {
        /// The manifest's labels.
        found: Vec<String>,
    },
    /// A file has the wrong size.
    #[error(
        "{file} has {found} bytes where the manifest says {expected}; download or copy the bundle again"
    )]
    Size {
        /// File name.
        file: &'static str,
        /// Bytes found.
        found: u64,
        /// Bytes expected.
        expected: u64,
    },
    /// A file has the wrong content.
    #[error(
        "{file} does not have the SHA-256 the manifest gives ({expected}); download or copy the bundle again"
    )]
    Hash {
        /// File name.
        file: &'static str,
        /// SHA-256 expected, lower-case hexadecimal.
        expected: String,
    },
    /// The configuration contradicts itself.
    #[error("the bundle's configuration is not usable: {0}")]
    Config(String),
    /// The weights do not fit the configuration.
    #[error("{WEIGHTS} does not fit the manifest's configuration: {0}")]
    Weights(WeightsError),
    /// The vision networks' weights do not fit the configuration.
    #[error("{EYES} does not fit the manifest's configuration: {0}")]
    VisionEncoder(WeightsError),
    /// The augmentation table cannot be used.
    #[error("{AUGMENTATION}: {0}")]
    Augmentation(#[from] AugmentationError),
    /// The tokenizer cannot be used.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
}

/// A bundle taken apart and checked.
#[derive(Debug)]
pub struct Unpacked {
    /// What the bundle says of itself.
    pub manifest: Manifest,
    /// The system with its weights.
    pub system: System,
    /// The tokenizer.
    pub tokenizer: SubwordTokenizer,
    /// The vision networks, if the bundle has any, and they were not left for later.
    pub vision: Option<VisionEncoder>,
    /// The augmentation table, if the system reads augmentation.
    pub augmentation: Option<Arc<Augmentation>>,
}

/// What multiplies by the weights of a quantised bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compute {
    /// The device, with weights in f32.
    Device,
    /// This library itself, with the weights of linear layers and of the text encoder in 8 bits
    /// ([`host`](crate::nn::host)), and the device all else: for a device that is the CPU. Those
    /// parameters have no values then.
    Host,
}

/// Checks `files` against their manifest and builds the system on `device`.
///
/// # Errors
/// [`BundleError`], for anything that does not match to the byte.
pub fn unpack(
    mut files: BundleFiles,
    device: &Device,
    compute: Compute,
) -> Result<Unpacked, BundleError> {
    let vision = files.vision.take();
    let mut bundle = unpack_all_but_vision(files, device, compute)?;
    // Where the largest file was, there is room now.
    if bundle.manifest.vision.is_some() {
        let weights = vision.unwrap_or_default();
        bundle.vision = Some(unpack_vision(&bundle.manifest, weights, device, compute)?);
    }
    Ok(bundle)
}

/// As [`unpack`], but the vision networks are left for [`unpack_vision`], and their file need not be there.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_all_but_vision(
    files: BundleFiles,
    device: &Device,
    compute: Compute,
) -> Result<Unpacked, BundleError> {
    let manifest = Manifest::parse(&files.manifest)?;
    manifest.files.weights.verify(WEIGHTS, &files.weights)?;
    manifest
        .files
        .tokenizer
        .verify(TOKENIZER, &files.tokenizer)?;
    check_sizes(&manifest)?;
    let augmentation = unpack_augmentation(&manifest, files.augmentation)?;
    let tokenizer = SubwordTokenizer::from_bytes(&files.tokenizer)?;
    let vocab = manifest.config.encoder().vocab;
    // Numbers may be left out: how many subwords there are says nothing of the highest.
    if let Some((subword, id)) = tokenizer.highest()
        && id as usize >= vocab
    {
        return Err(BundleError::Config(format!(
            "the tokenizer's subword {subword:?} has the number {id}, and the encoder knows {vocab}"
        )));
    }
    let system =
        load(&manifest.config, files.weights, device, compute).map_err(BundleError::Weights)?;
    vision_of(&manifest)?;
    Ok(Unpacked {
        manifest,
        system,
        tokenizer,
        vision: None,
        augmentation,
    })
}

fn load(
    config: &SystemConfig,
    weights: Vec<u8>,
    device: &Device,
    compute: Compute,
) -> Result<System, WeightsError> {
    let mut tensors = weights::by_name(weights)?;
    let host = match compute {
        Compute::Host => host::take_encoder(config.encoder(), &mut tensors)?,
        Compute::Device => None,
    };
    let system = config.init(device);
    match host {
        None => weights::load_all_but(None, system, tensors, compute),
        Some((names, host)) => {
            let system = weights::load_all_but(Some(&names), system, tensors, compute)?;
            let encoder = system.encoder().clone().computed_by(host);
            Ok(system.with_encoder(encoder).computed_on_host(config))
        }
    }
}

fn unpack_augmentation(
    manifest: &Manifest,
    table: Option<Vec<u8>>,
) -> Result<Option<Arc<Augmentation>>, BundleError> {
    let wrong = |problem: &str| Err(BundleError::Config(problem.to_owned()));
    match (
        manifest.config.augmentation_size(),
        &manifest.files.augmentation,
    ) {
        (None, None) => Ok(None),
        (Some(size), Some(file)) => {
            let table = table.unwrap_or_default();
            file.verify(AUGMENTATION, &table)?;
            let table = Augmentation::from_bytes(&table)?;
            match table.size() == size {
                true => Ok(Some(Arc::new(table))),
                false => wrong("the system was made for another augmentation table"),
            }
        }
        (Some(_), None) => wrong("the system reads augmentation and there is no table of it"),
        (None, Some(_)) => wrong("there is an augmentation table and the system reads none"),
    }
}

/// Checks the vision networks' `weights` against the manifest and builds them on `device`.
///
/// # Errors
/// [`BundleError`], for anything that does not match to the byte.
pub fn unpack_vision(
    manifest: &Manifest,
    weights: Vec<u8>,
    device: &Device,
    compute: Compute,
) -> Result<VisionEncoder, BundleError> {
    let (entry, file) = vision_of(manifest)?
        .ok_or_else(|| BundleError::Config(format!("the model has no {EYES}")))?;
    file.verify(EYES, &weights)?;
    entry.unpack(weights, device, compute, &file.sha256)
}

/// What the manifest says of the vision networks and of their file; none of a model that reads text alone.
fn vision_of(manifest: &Manifest) -> Result<Option<(&VisionEntry, &FileEntry)>, BundleError> {
    let (entry, file) = match (&manifest.vision, &manifest.files.vision) {
        (Some(entry), Some(file)) => (entry, file),
        (None, None) => return Ok(None),
        _ => {
            return Err(BundleError::Config(format!(
                "the manifest has the vision encoder's settings or its file {EYES}, not both"
            )));
        }
    };
    if manifest
        .config
        .channels()
        .is_some_and(|channels| channels != entry.config.backbone.channels())
    {
        return Err(BundleError::Config(
            "the system was made for another image backbone".to_owned(),
        ));
    }
    let size = entry.config.projector.as_ref().map(|config| config.size);
    if manifest
        .config
        .sentence()
        .is_some_and(|wanted| Some(wanted) != size)
    {
        return Err(BundleError::Config(
            "the system's relevance was made for another projector of the image".to_owned(),
        ));
    }
    Ok(Some((entry, file)))
}

/// Refuses configurations that would panic or exhaust memory while the system is built.
fn check_sizes(manifest: &Manifest) -> Result<(), BundleError> {
    const LARGEST: usize = 1 << 20;
    let e = manifest.config.encoder();
    let sizes = [
        e.vocab,
        e.d,
        e.layers,
        e.heads,
        e.ffn,
        e.positions,
        e.token_types,
        e.shapes,
        e.distances,
    ];
    // A value takes half a byte at least.
    let most = 2 * u128::from(manifest.files.weights.bytes);
    let problem = if sizes.iter().any(|&s| s > LARGEST) {
        "a size is beyond any model this program knows"
    } else if e.values() > most {
        "its sizes are those of more weights than there are"
    } else if e.heads == 0 || e.d == 0 || !e.d.is_multiple_of(e.heads) {
        "the heads do not divide the hidden size"
    } else if (1..4).contains(&e.distances) {
        "fewer than 4 buckets cannot tell near subwords from far ones"
    } else if e.first_position >= e.positions {
        "the position table has no row for the first subword"
    } else if manifest.max_subwords < 3 || manifest.max_subwords > e.max_subwords() {
        "the limit of subwords is not within the position table"
    } else if !(0.0..1.0).contains(&e.dropout) {
        "the dropout is not within 0 and 1"
    } else if manifest
        .about
        .confidence
        .is_some_and(|lines| !lines.is_sound())
    {
        "a confidence's slope is not above 0, or a number of its line is not finite"
    } else if manifest
        .about
        .fine_types
        .as_ref()
        .is_some_and(|told| !(told.temperature.is_finite() && told.temperature > 0.0))
    {
        "the temperature of the fine types is not a number above 0"
    } else if let Err(problem) = manifest.config.check() {
        problem
    } else {
        return Ok(());
    };
    Err(BundleError::Config(problem.to_owned()))
}

/// What a bundle is made of, beside what is computed from it.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The system's configuration.
    pub config: SystemConfig,
    /// The longest window in subwords, special tokens included.
    pub max_subwords: usize,
    /// How a raw tweet's mentions and hashtags are cut into words.
    pub sigils: Sigils,
    /// The vision networks, for a system that reads images.
    pub vision: Option<VisionEncoder>,
    /// The augmentation table, for a system that reads augmentation.
    pub augmentation: Option<Arc<Augmentation>>,
    /// The bundle's own words on itself.
    pub about: manifest::About,
}

/// Packs a system into a bundle's files.
///
/// # Errors
/// If the weights cannot be read from their device.
///
/// # Panics
/// If the system was unpacked for [`Compute::Host`], and so has not all its weights.
pub fn pack(
    system: System,
    tokenizer: &SubwordTokenizer,
    parts: Parts,
) -> Result<BundleFiles, BundleError> {
    assert!(
        !system.encoder().is_on_host(),
        "a system whose weights are to be packed must hold them"
    );
    let weights = weights::pack(system).map_err(BundleError::Weights)?;
    let mut files = BundleFiles {
        manifest: Vec::new(),
        weights,
        tokenizer: tokenizer.bytes()?,
        vision: parts.vision.as_ref().map(vision::pack).transpose()?,
        augmentation: parts.augmentation.map(|table| table.to_bytes()),
    };
    let manifest = Manifest {
        format: manifest::FORMAT,
        labels: manifest::label_names(),
        config: parts.config,
        max_subwords: parts.max_subwords,
        sigils: parts.sigils,
        vision: parts.vision.as_ref().map(vision::VisionEntry::of),
        quantization: None,
        files: manifest::Files::of(&files),
        about: parts.about,
    };
    files.manifest = manifest.to_bytes()?;
    Ok(files)
}
