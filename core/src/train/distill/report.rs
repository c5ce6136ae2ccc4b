//! How a distillation ended.

use crate::train::distill::agreement::Agreement;
use crate::train::distill::config::DistillConfig;
use crate::vision::detections::DetectConfig;
use serde::{Deserialize, Serialize};

/// How a distillation ended: `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistillReport {
    /// What was asked for.
    pub config: DistillConfig,
    /// Photographs learnt from.
    pub photographs: usize,
    /// Photographs kept apart, on which the rest was measured.
    pub held_out: usize,
    /// Which detections count, for all alike.
    pub detect: DetectConfig,
    /// The teacher's weights run at the student's side as they are.
    pub baseline: Figures,
    /// The same, calibrated as the student is: what training is worth beyond that.
    pub calibrated: Figures,
    /// The student after training.
    pub student: Figures,
    /// What was added to its logits of objectness after training ([`calibration`](crate::train::distill::calibration)).
    pub shift: f64,
}

/// Agreement with the teacher at its own side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Fraction of the teacher's objects that are found.
    pub recall: f64,
    /// Fraction of the objects found that are the teacher's.
    pub precision: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// What was counted.
    #[serde(flatten)]
    pub counts: Agreement,
}

impl From<Agreement> for Figures {
    fn from(counts: Agreement) -> Self {
        Self {
            recall: counts.recall(),
            precision: counts.precision(),
            f1: counts.f1(),
            counts,
        }
    }
}
