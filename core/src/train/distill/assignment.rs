//! What the teacher found, as targets for the student's own rows.
//!
//! Teacher and student read the same letterboxed image at sides `T >= S`. An object that takes
//! `l` of the teacher's input pixels takes `l S / T` of the student's, and both networks, being of
//! one form, answer by size in their own pixels: often on another level, always in other cells. So
//! grids are not compared cell by cell. (Level kept and cells pooled was tried: the student then
//! spends what it learns on moving objects between levels and agrees less than before.) Rows are
//! compared by their boxes, in input pixels of the student, as suppression would compare them:
//!
//! * What the teacher **found**: its rows above `FAINT` after suppression, each with box,
//!   objectness and all class probabilities.
//! * The student's **best row** for each of them, the one of its class that overlaps it enough to be
//!   merged with it and has the highest score, else the one that overlaps it most, is to say exactly
//!   the same: objectness, classes and box.
//! * Any **other row** that suppression would merge with something found is to stay below its score.
//! * A row that is merged with nothing found, but overlaps something of another class, is to say
//!   that class.
//! * A row that overlaps nothing found is not to be surer of an object than the teacher is there, in
//!   the most sure of its cells of that level.
//! * All else is the student's own affair: its target is what it says now.
//!
//! So wherever both sides find the same there is nothing to learn; equal outputs have equal targets.

use crate::nn::yolox::STRIDES;
use crate::vision::detections;
use crate::vision::detections::{DetectConfig, Object, decode_boxes, intersection_over_union};

/// Values of a dense row before its class probabilities: four offsets, objectness.
const HEAD: usize = 5;
/// Values of a target before its class probabilities.
pub const TARGET: usize = 6;
/// Scores up to this are no objects, not even of those the student may learn from. The system's own
/// bound, 0.3, is far above: what lies between teaches too.
const FAINT: f32 = 0.05;
/// Overlaps below this are of different things.
const APART: f32 = 0.3;

/// What the teacher says of one image, in the student's terms.
#[derive(Clone, Debug)]
pub struct Answer {
    found: Vec<Found>,
    /// Its objectness in each of the student's cells.
    sure: Vec<f32>,
}

#[derive(Clone, Debug)]
struct Found {
    object: Object,
    objectness: f32,
    classes: Vec<f32>,
}

/// The rows of a dense output as objects, boxes in input pixels times `scale`, unsuppressed.
fn rows(dense: &[f32], row: usize, side: usize, scale: f32) -> Vec<Object> {
    decode_boxes(dense, row, side, &STRIDES)
        .into_iter()
        .zip(dense.chunks_exact(row))
        .map(|(bounds, values)| {
            let (class, best) = detections::best_class(&values[HEAD..]).unwrap_or((0, 0.0));
            Object {
                class,
                score: values[4] * best,
                bounds: bounds.map(|edge| edge * scale),
            }
        })
        .collect()
}

impl Answer {
    /// The answer in a teacher's dense output at side `from` for a student at side `to`.
    ///
    /// `dense`: `row = 5 + classes` values a row, as [`crate::nn::yolox::YoloxOutput::dense`] gives
    /// them.
    ///
    /// # Panics
    /// If a side is no multiple of 32, or `to` is larger than `from`.
    pub fn new(dense: &[f32], row: usize, from: usize, to: usize) -> Self {
        assert!(
            from.is_multiple_of(32) && to.is_multiple_of(32) && 0 < to && to <= from,
            "a teacher at {from} for a student at {to}"
        );
        let rows = rows(dense, row, from, to as f32 / from as f32);
        let strong: Vec<usize> = (0..rows.len())
            .filter(|&index| rows[index].score > FAINT)
            .collect();
        let objects: Vec<Object> = strong.iter().map(|&index| rows[index]).collect();
        let found = detections::suppress(&objects, DetectConfig::default().overlap)
            .into_iter()
            .map(|kept| {
                let values = &dense[strong[kept] * row..][..row];
                Found {
                    object: objects[kept],
                    objectness: values[4],
                    classes: values[HEAD..].to_vec(),
                }
            })
            .collect();
        Self {
            found,
            sure: sure(dense, row, from, to),
        }
    }

    /// How many objects were found.
    pub fn found(&self) -> usize {
        self.found.len()
    }

    /// A target for each row of the student's dense output at its side: box in input pixels (x1, y1,
    /// x2, y2), objectness, how much box and classes count, and class probabilities; [`TARGET`] +
    /// classes values a row.
    ///
    /// # Panics
    /// If the output is not of the side the answer was made for.
    pub fn targets(&self, dense: &[f32], row: usize, side: usize) -> Vec<f32> {
        let rows = rows(dense, row, side, 1.0);
        assert_eq!(rows.len(), self.sure.len(), "cells at side {side}");
        let merged = DetectConfig::default().overlap;
        let mut best: Vec<Best> = vec![Best::default(); self.found.len()];
        let mut targets = Vec::with_capacity(rows.len() * (row + 1));
        for (index, object) in rows.iter().enumerate() {
            let own = dense[index * row + 4];
            let mut target = Target {
                objectness: own,
                weight: 0.0,
                like: None,
            };
            let (mut same, mut other) = (None, None);
            let (mut same_overlap, mut other_overlap) = (merged, 0.0);
            for (k, found) in self.found.iter().enumerate() {
                let overlap = intersection_over_union(object.bounds, found.object.bounds);
                best[k].see(index, overlap, object, found, merged);
                if found.object.class == object.class && overlap > same_overlap {
                    (same, same_overlap) = (Some(found), overlap);
                }
                if overlap > other_overlap {
                    (other, other_overlap) = (Some(k), overlap);
                }
            }
            if let Some(found) = same {
                if object.score > found.object.score {
                    target.objectness = own * found.object.score / object.score;
                }
            } else if other_overlap < APART {
                target.objectness = own.min(self.sure[index]);
            } else if other_overlap > merged && object.score > FAINT {
                (target.like, target.weight) = (other, own);
            }
            targets.push(target);
        }
        for (k, (best, found)) in best.iter().zip(&self.found).enumerate() {
            if let Some(index) = best.index() {
                targets[index] = Target {
                    objectness: found.objectness,
                    weight: found.objectness,
                    like: Some(k),
                };
            }
        }
        let boxes = rows.iter().map(|object| object.bounds);
        let mut values = Vec::with_capacity(targets.len() * (row + 1));
        for (target, own) in targets.into_iter().zip(boxes) {
            let like = target.like.map(|k| &self.found[k]);
            values.extend(like.map_or(own, |found| found.object.bounds));
            values.extend([target.objectness, target.weight]);
            match like {
                Some(found) => values.extend(&found.classes),
                None => values.extend(std::iter::repeat_n(0.0, row - HEAD)),
            }
        }
        values
    }
}

struct Target {
    objectness: f32,
    weight: f32,
    /// The found object whose box and classes are to be said.
    like: Option<usize>,
}

/// The student's best row for something found.
#[derive(Clone, Default)]
struct Best {
    /// Row and score of the best one that would be merged with it.
    merged: Option<(usize, f32)>,
    /// Row and overlap of the nearest one.
    nearest: Option<(usize, f32)>,
}

impl Best {
    fn see(&mut self, index: usize, overlap: f32, row: &Object, found: &Found, merged: f32) {
        let better = |best: Option<(usize, f32)>, value: f32| best.is_none_or(|(_, v)| value > v);
        if overlap > merged && row.class == found.object.class && better(self.merged, row.score) {
            self.merged = Some((index, row.score));
        }
        if overlap > 0.0 && better(self.nearest, overlap) {
            self.nearest = Some((index, overlap));
        }
    }

    fn index(&self) -> Option<usize> {
        self.merged.or(self.nearest).map(|(index, _)| index)
    }
}

/// The teacher's objectness in each cell of the student: that of its surest cell of the same level
/// whose centre lies in it.
fn sure(dense: &[f32], row: usize, from: usize, to: usize) -> Vec<f32> {
    let mut sure = Vec::new();
    let mut level = 0;
    for stride in STRIDES {
        let (theirs, ours) = (from / stride, to / stride);
        for y in 0..ours {
            for x in 0..ours {
                let inside = within(y, theirs, ours)
                    .flat_map(|v| within(x, theirs, ours).map(move |u| v * theirs + u));
                let objectness = inside.map(|cell| dense[(level + cell) * row + 4]);
                sure.push(objectness.fold(0.0, f32::max));
            }
        }
        level += theirs * theirs;
    }
    sure
}

/// Of `theirs` cells along a side, those whose centres lie in cell `x` of `ours <= theirs`.
fn within(x: usize, theirs: usize, ours: usize) -> std::ops::Range<usize> {
    // Centre (2u + 1) / (2 theirs) in [x / ours, (x + 1) / ours), in whole numbers.
    let first = |x: usize| (2 * x * theirs).saturating_sub(ours).div_ceil(2 * ours);
    first(x)..first(x + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitmix::SplitMix64;

    const CLASSES: usize = 3;
    const ROW: usize = HEAD + CLASSES;

    fn count(side: usize) -> usize {
        STRIDES.iter().map(|stride| (side / stride).pow(2)).sum()
    }

    /// A dense output that finds nothing.
    fn nothing(side: usize) -> Vec<f32> {
        [0.5, 0.5, 0.0, 0.0, 0.001, 0.1, 0.1, 0.1].repeat(count(side))
    }

    fn put(dense: &mut [f32], index: usize, values: [f32; ROW]) {
        dense[index * ROW..][..ROW].copy_from_slice(&values);
    }

    fn target(targets: &[f32], index: usize) -> &[f32] {
        &targets[index * (ROW + 1)..][..ROW + 1]
    }

    #[test]
    fn equal_outputs_have_nothing_to_learn() {
        let mut rng = SplitMix64(3);
        let mut unit = move || rng.below(1 << 20) as f32 / (1 << 20) as f32;
        let mut dense = Vec::new();
        for _ in 0..count(96) {
            dense.extend([unit(), unit(), unit(), unit()].map(|x| 2.0 * x - 0.5));
            // Few are sure, as in real outputs.
            dense.push(unit().powi(4));
            dense.extend([unit(), unit(), unit()]);
        }
        let answer = Answer::new(&dense, ROW, 96, 96);
        assert!(answer.found() > 3);
        let targets = answer.targets(&dense, ROW, 96);
        let boxes = decode_boxes(&dense, ROW, 96, &STRIDES);
        for (index, own) in dense.chunks_exact(ROW).enumerate() {
            let target = target(&targets, index);
            assert!((target[4] - own[4]).abs() < 1e-6, "row {index}");
            assert_eq!(target[..4], boxes[index]);
            assert!(
                target[5] == 0.0 || target[TARGET..] == own[HEAD..],
                "row {index}"
            );
        }
    }

    #[test]
    fn what_the_teacher_found_goes_to_the_students_own_row() {
        let (from, to) = (96, 64);
        let mut teacher = nothing(from);
        // Column 5, row 1 of the first level, sides of 24: x 32 to 56, y 0 to 24 of 96.
        let grown = 3f32.ln();
        put(
            &mut teacher,
            12 + 5,
            [0.5, 0.5, grown, grown, 0.9, 0.1, 0.8, 0.0],
        );
        let answer = Answer::new(&teacher, ROW, from, to);
        assert_eq!(answer.found(), 1);
        let expected = [32.0, 0.0, 56.0, 24.0].map(|x: f32| x * 64.0 / 96.0);
        let near = |row: &[f32]| row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4);

        // The student has it on the second level, column 1, row 0, and once more, fainter, beside.
        let mut student = nothing(to);
        let second = 64 + 1;
        let wide = [0.83, 0.5, 0.0, 0.0];
        let says = |scores: [f32; 4]| [&wide[..], &scores].concat().try_into().unwrap();
        put(&mut student, second, says([0.4, 0.0, 0.9, 0.0]));
        let other = [
            0.33,
            1.0,
            16f32.ln() - 8f32.ln(),
            16f32.ln() - 8f32.ln(),
            0.3,
            0.0,
            0.9,
            0.0,
        ];
        put(&mut student, 3, other);
        let targets = answer.targets(&student, ROW, to);
        let row = target(&targets, second);
        assert!(near(&row[..4]), "{row:?}");
        assert_eq!(row[4..], [0.9, 0.9, 0.1, 0.8, 0.0]);
        assert_eq!(
            target(&targets, 3)[4..6],
            [0.3, 0.0],
            "the fainter one may stay"
        );

        // Surer than the teacher beside its best row: down to the teacher's score.
        let mut sure = answer.clone();
        sure.found[0].object.score = 0.18;
        let row = sure.targets(&student, ROW, to);
        assert!((target(&row, 3)[4] * 0.9 - 0.18).abs() < 1e-6);

        // Of another class: the teacher's class.
        put(
            &mut student,
            3,
            [0.33, 1.0, 2f32.ln(), 2f32.ln(), 0.3, 0.9, 0.0, 0.0],
        );
        let targets = answer.targets(&student, ROW, to);
        assert_eq!(target(&targets, 3)[4..], [0.3, 0.3, 0.1, 0.8, 0.0]);

        // Where the teacher finds nothing: as unsure as it.
        put(
            &mut student,
            7 * 8,
            [0.5, 0.5, 0.0, 0.0, 0.7, 0.0, 0.9, 0.0],
        );
        let targets = answer.targets(&student, ROW, to);
        assert_eq!(target(&targets, 7 * 8)[4..6], [0.001, 0.0]);
    }

    #[test]
    fn an_object_the_student_misses_goes_to_the_nearest_row() {
        let mut teacher = nothing(96);
        put(
            &mut teacher,
            12 + 5,
            [0.5, 0.5, 1.1, 1.1, 0.9, 0.1, 0.8, 0.0],
        );
        let answer = Answer::new(&teacher, ROW, 96, 64);
        let targets = answer.targets(&nothing(64), ROW, 64);
        let taught: Vec<&[f32]> = targets
            .chunks_exact(ROW + 1)
            .filter(|row| row[5] > 0.0)
            .collect();
        assert_eq!(taught.len(), 1);
        assert_eq!(taught[0][4..], [0.9, 0.9, 0.1, 0.8, 0.0]);
    }

    #[test]
    fn every_cell_of_the_teacher_lies_in_one_of_the_students() {
        for (theirs, ours) in [
            (52, 40),
            (26, 20),
            (13, 10),
            (52, 32),
            (13, 8),
            (7, 7),
            (3, 1),
        ] {
            let covered: Vec<usize> = (0..ours).flat_map(|x| within(x, theirs, ours)).collect();
            assert_eq!(
                covered,
                (0..theirs).collect::<Vec<_>>(),
                "{theirs} in {ours}"
            );
            assert!((0..ours).all(|x| !within(x, theirs, ours).is_empty()));
        }
    }
}
