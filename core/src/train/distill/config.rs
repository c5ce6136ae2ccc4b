//! What a distillation is asked for.

use crate::train::config::check_ranges;
use crate::train::distill::error::DistillError;
use crate::train::distill::photographs::Folder;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A distillation, complete: the same values and the same machine give the same detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DistillConfig {
    /// Weights of the teacher (YOLOX-Nano), coco_labels.txt beside them; the student starts from
    /// them
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub teacher: PathBuf,
    /// Folder of photographs, subfolders included: a folder, or a folder@weight, of which an epoch
    /// uses that fraction (repeatable)
    #[cfg_attr(feature = "cli", arg(long, required = true, value_name = "DIR"))]
    pub photos: Vec<Folder>,
    /// Folder of the run
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub out: PathBuf,
    /// Input side of the student, a multiple of 32
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 320))]
    pub side: u32,
    /// Input side of the teacher, a multiple of 32
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 416))]
    pub teacher_side: u32,
    /// Passes over the photographs
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 5))]
    pub epochs: usize,
    /// Photographs a step
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 8))]
    pub batch: usize,
    /// Stages of the trunk that stay as they are, of 5 from the pixels on
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 2))]
    pub freeze: usize,
    /// Peak learning rate
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1e-4))]
    pub lr: f64,
    /// Fraction of the steps over which the learning rate rises from 0; it falls to 0 after
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.05))]
    pub warmup: f64,
    /// Decoupled weight decay
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1e-4))]
    pub weight_decay: f32,
    /// Seed of order and views
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1))]
    pub seed: u64,
}

impl DistillConfig {
    /// Checks that everything is in range.
    ///
    /// # Errors
    /// [`DistillError::Sides`] or [`DistillError::Config`], for the first problem.
    pub fn check(&self) -> Result<(), DistillError> {
        let side = |side: u32| (32..=1280).contains(&side) && side.is_multiple_of(32);
        if !side(self.side) || !side(self.teacher_side) || self.side > self.teacher_side {
            return Err(DistillError::Sides {
                student: self.side,
                teacher: self.teacher_side,
            });
        }
        let many = (1.0, f64::MAX, "1 or more");
        let ranges = [
            ("epochs", self.epochs as f64, many),
            ("batch", self.batch as f64, many),
            ("freeze", self.freeze as f64, (0.0, 5.0, "from 0 to 5")),
            ("lr", self.lr, (0.0, 1.0, "from 0 to 1")),
            ("warmup", self.warmup, (0.0, 0.99, "from 0 to 0.99")),
            (
                "weight_decay",
                self.weight_decay.into(),
                (0.0, 1.0, "from 0 to 1"),
            ),
        ];
        Ok(check_ranges(ranges)?)
    }
}

/// Input sides.
#[derive(Clone, Copy, Debug)]
pub struct Sides {
    /// The teacher's.
    pub teacher: u32,
    /// The student's.
    pub student: u32,
}
