//! What comes beside a model as a folder of its own, [`MANIFEST`] and one file of weights: a captioner, a reader of text.

use crate::bundle::manifest::FileEntry;
use crate::bundle::quantize::{LinearInputs, Scheme, quantize};
use crate::bundle::weights::{self, WeightsError};
use crate::bundle::{BundleError, MANIFEST};
use burn::module::Module;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// What such a folder says of itself.
pub trait BesideManifest: Serialize + DeserializeOwned {
    /// What it is, for messages: `captioner`.
    const WHAT: &'static str;
    /// The name of the file of the weights.
    const WEIGHTS: &'static str;
    /// The manifest's key for the version of its format.
    const VERSION: &'static str;
    /// The version this program writes and reads.
    const FORMAT: u32;

    /// The entry of the file of the weights.
    fn weights(&self) -> &FileEntry;

    /// Whether the configuration fits itself.
    ///
    /// # Errors
    /// What contradicts what.
    fn check(&self) -> Result<(), &'static str>;
}

/// What a manifest says beside sizes.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The training's configuration, seed included.
    pub training: serde_json::Value,
    /// What was measured on what nothing was learnt from, as fractions.
    pub scores: BTreeMap<String, f64>,
    /// Licences or terms of what it learnt from.
    pub licences: Vec<String>,
}

/// The two files, as read.
#[derive(Clone, Debug)]
pub struct BesideFiles {
    /// [`MANIFEST`]
    pub manifest: Vec<u8>,
    /// [`BesideManifest::WEIGHTS`], burnpack in 8 bits
    pub weights: Vec<u8>,
}

/// Why such a folder cannot be used.
#[derive(Debug, Error)]
pub enum BesideError {
    /// The manifest is no JSON or lacks a field.
    #[error("{MANIFEST} cannot be read ({error}); the folder holds no {what}, or a damaged one")]
    Manifest {
        /// What it should be.
        what: &'static str,
        /// What serde says.
        error: serde_json::Error,
    },
    /// It comes from another version.
    #[error(
        "the {what} has format {found}, this program reads format {known}; get a matching version"
    )]
    Format {
        /// What it is.
        what: &'static str,
        /// The manifest's number.
        found: u64,
        /// This program's.
        known: u32,
    },
    /// The configuration contradicts itself.
    #[error("the {what}'s configuration is not usable: {problem}")]
    Config {
        /// What it is.
        what: &'static str,
        /// What contradicts what.
        problem: &'static str,
    },
    /// The weights are not the manifest's.
    #[error(transparent)]
    File(#[from] BundleError),
    /// The weights do not fit the configuration, or cannot be read from their device.
    #[error("{file} does not fit the manifest's configuration: {error}")]
    Weights {
        /// The file of the weights.
        file: &'static str,
        /// Which of them, and why.
        error: WeightsError,
    },
}

impl BesideFiles {
    /// Packs a trained network in 8 bits beside the manifest that `manifest` makes of the entry of its file.
    ///
    /// # Errors
    /// If the weights cannot be read from their device.
    pub fn pack<M: BesideManifest>(
        network: impl Module,
        manifest: impl FnOnce(FileEntry) -> M,
    ) -> Result<Self, BesideError> {
        let packed = weights::pack(network)
            .and_then(|file| quantize(file, Scheme::Q8, &BTreeSet::new(), &LinearInputs::new()));
        let weights = packed.map_err(not_fitting::<M>)?;
        let manifest = manifest(FileEntry::of(&weights));
        let mut manifest = serde_json::to_vec_pretty(&manifest).map_err(unreadable::<M>)?;
        manifest.push(b'\n');
        Ok(Self { manifest, weights })
    }

    /// Checks the files against each other and this program, and loads the weights into the network that `network` makes of the
    /// manifest.
    ///
    /// # Errors
    /// [`BesideError`], for anything that does not match.
    pub fn unpack<M: BesideManifest, N: Module>(
        self,
        network: impl FnOnce(&M) -> N,
    ) -> Result<(M, N), BesideError> {
        let manifest: M = self.checked()?;
        let network = network(&manifest);
        let network = weights::load(network, self.weights).map_err(not_fitting::<M>)?;
        Ok((manifest, network))
    }

    /// The manifest, once it was found to fit itself, this program and the weights.
    fn checked<M: BesideManifest>(&self) -> Result<M, BesideError> {
        let all: serde_json::Value =
            serde_json::from_slice(&self.manifest).map_err(unreadable::<M>)?;
        if let Some(found) = all[M::VERSION].as_u64()
            && found != u64::from(M::FORMAT)
        {
            return Err(BesideError::Format {
                what: M::WHAT,
                found,
                known: M::FORMAT,
            });
        }
        // From the bytes again: repeated keys are refused, and errors have a line.
        let manifest: M = serde_json::from_slice(&self.manifest).map_err(unreadable::<M>)?;
        manifest.weights().verify(M::WEIGHTS, &self.weights)?;
        manifest.check().map_err(|problem| BesideError::Config {
            what: M::WHAT,
            problem,
        })?;
        Ok(manifest)
    }
}

fn unreadable<M: BesideManifest>(error: serde_json::Error) -> BesideError {
    BesideError::Manifest {
        what: M::WHAT,
        error,
    }
}

fn not_fitting<M: BesideManifest>(error: WeightsError) -> BesideError {
    BesideError::Weights {
        file: M::WEIGHTS,
        error,
    }
}
