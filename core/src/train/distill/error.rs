//! Why there is no detector.

use crate::data::corpus::mixture::MixtureError;
use crate::formats::vision_networks::VisionFileError;
use crate::image::DecodeError;
use crate::train::config::ConfigError;
use crate::train::supervised::RunError;
use std::path::PathBuf;

/// Why there is no detector.
#[derive(Debug, thiserror::Error)]
pub enum DistillError {
    /// A side is no multiple of 32, or the student's is above the teacher's.
    #[error(
        "the student's side {student} and the teacher's {teacher} must be multiples of 32 up to 1280, the student's not above the teacher's"
    )]
    Sides {
        /// The student's.
        student: u32,
        /// The teacher's.
        teacher: u32,
    },
    /// A value is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The teacher.
    #[error(transparent)]
    Teacher(#[from] VisionFileError),
    /// The folders' weights.
    #[error("the photographs' folders: {0}")]
    Mixture(#[from] MixtureError),
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A photograph.
    #[error("{}: {cause}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: DecodeError,
    },
    /// Nothing to learn from.
    #[error("there is no photograph to learn from in {}; give a folder with JPEG, PNG, WebP or GIF files", .0.display())]
    NoPhotographs(PathBuf),
    /// The device failed.
    #[error("the compute device failed: {0}")]
    Device(String),
    /// The weights as a file.
    #[error("{}: {problem}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The run.
    #[error(transparent)]
    Run(#[from] RunError),
}
