//! How sure the student has to sound so that it finds as many objects as the teacher.
//!
//! A student that cannot see enough learns to say what the teacher says on average, so near the
//! score at which detections become objects it falls silent more often. One number repairs that on
//! the whole: what is added to every logit of objectness.

use crate::train::distill::error::DistillError;
use crate::train::distill::lessons::{Exam, dense};
use crate::train::distill::student::Student;
use crate::vision::detections;
use crate::vision::detections::DetectConfig;

/// Largest change of a logit.
const MOST: f64 = 2.0;
/// Halvings of the range: more than the counts of objects can tell apart.
const HALVINGS: usize = 12;

/// What to add to the student's logits of objectness so that it finds as many objects in `exams` as
/// the teacher, as nearly as their number allows; within ±2.
///
/// # Errors
/// [`DistillError::Device`]
pub fn shift(student: &Student, exams: &[Exam]) -> Result<f64, DistillError> {
    let mut outputs = Vec::with_capacity(exams.len());
    for exam in exams {
        outputs.push(dense(&student.detector, exam.input.clone())?);
    }
    let goal: usize = exams
        .iter()
        .flat_map(|exam| &exam.objects)
        .map(Vec::len)
        .sum();
    let found = |shift: f64| -> usize {
        let each = exams.iter().zip(&outputs).map(|(exam, (dense, row))| {
            let mut dense = dense.clone();
            for values in dense.chunks_exact_mut(*row) {
                values[4] = shifted(values[4], shift);
            }
            let images = dense.chunks_exact(dense.len() / exam.frames.len());
            let objects = images.zip(&exam.frames).map(|(dense, frame)| {
                detections::objects(dense, row - 5, frame, &DetectConfig::default()).len()
            });
            objects.sum::<usize>()
        });
        each.sum()
    };
    let (mut low, mut high) = (-MOST, MOST);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if found(middle) < goal {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok((low + high) / 2.0)
}

/// The probability whose logit is `shift` above that of `probability`.
fn shifted(probability: f32, shift: f64) -> f32 {
    (1.0 / (1.0 + (-(logit(probability) + shift)).exp())) as f32
}

/// The logarithm of the odds, bounded where they are 0 or infinite.
fn logit(probability: f32) -> f64 {
    let p = f64::from(probability).clamp(1e-9, 1.0 - 1e-9);
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_are_shifted() {
        for probability in [1e-4, 0.3, 0.5, 0.99] {
            let moved = logit(shifted(probability, 0.7)) - logit(probability);
            assert!((moved - 0.7).abs() < 1e-2, "{probability}: {moved}");
        }
        for certain in [0.0, 1.0] {
            assert!((shifted(certain, 1.0) - certain).abs() < 1e-6);
        }
    }
}
