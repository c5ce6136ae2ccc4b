//! How far two detectors agree on the objects of an image.

use crate::train::metric::{Percentage, Tally};
use crate::vision::detections::{Object, intersection_over_union};
use serde::{Deserialize, Serialize};

/// Least overlap (intersection over union) of boxes that are the same object.
pub const SAME: f32 = 0.5;

/// Objects after suppression, counted over images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// The teacher's.
    pub teacher: usize,
    /// The student's.
    pub student: usize,
    /// Pairs of one of each, of one class and with an overlap of at least [`SAME`].
    pub shared: usize,
}

impl Agreement {
    /// Compares the objects of one image. The student's, the best first, each take the free
    /// object of the teacher's with the same class and the greatest overlap.
    pub fn of(teacher: &[Object], student: &[Object]) -> Self {
        let mut free = vec![true; teacher.len()];
        let mut shared = 0;
        for object in student {
            let best = teacher
                .iter()
                .enumerate()
                .filter(|(index, theirs)| free[*index] && theirs.class == object.class)
                .map(|(index, theirs)| {
                    (index, intersection_over_union(theirs.bounds, object.bounds))
                })
                .filter(|(_, overlap)| *overlap >= SAME)
                .max_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((index, _)) = best {
                free[index] = false;
                shared += 1;
            }
        }
        Self {
            teacher: teacher.len(),
            student: student.len(),
            shared,
        }
    }

    /// Both counts together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            teacher: self.teacher + other.teacher,
            student: self.student + other.student,
            shared: self.shared + other.shared,
        }
    }

    /// The fraction of the teacher's objects that the student finds; 1 where there are none.
    pub fn recall(&self) -> f64 {
        fraction(self.shared, self.teacher)
    }

    /// The fraction of the student's objects that are the teacher's; 1 where there are none.
    pub fn precision(&self) -> f64 {
        fraction(self.shared, self.student)
    }

    /// The harmonic mean of both.
    pub fn f1(&self) -> f64 {
        fraction(2 * self.shared, self.teacher + self.student)
    }
}

fn fraction(part: usize, whole: usize) -> f64 {
    match whole {
        0 => 1.0,
        _ => part as f64 / whole as f64,
    }
}

/// Name of [`recall`], also in the run's logs.
pub const RECALL: &str = "Recall";
/// Name of [`precision`], also in the run's logs.
pub const PRECISION: &str = "Precision";

/// [`Agreement::recall`] as burn-train's learner tracks it.
pub fn recall() -> Percentage<Agreement> {
    Percentage::new(RECALL, Agreement::recall)
}

/// [`Agreement::precision`] as burn-train's learner tracks it.
pub fn precision() -> Percentage<Agreement> {
    Percentage::new(PRECISION, Agreement::precision)
}

impl Tally for Agreement {
    type Report = Self;

    fn add(&mut self, report: &Self) {
        *self = self.plus(*report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(class: usize, left: f32) -> Object {
        Object {
            class,
            score: 0.5,
            bounds: [left, 0.0, left + 10.0, 10.0],
        }
    }

    #[test]
    fn objects_are_shared_once_and_by_class() {
        let teacher = [object(0, 0.0), object(0, 2.0), object(1, 50.0)];
        // On the second, near the first, a second time on the second, another class, nowhere.
        let student = [
            object(0, 2.0),
            object(0, 1.0),
            object(0, 2.0),
            object(2, 50.0),
            object(1, 80.0),
        ];
        let found = Agreement::of(&teacher, &student);
        let expected = Agreement {
            teacher: 3,
            student: 5,
            shared: 2,
        };
        assert_eq!(found, expected);
        assert_eq!(found.precision(), 0.4);
        assert_eq!(found.f1(), 0.5);
        assert_eq!(Agreement::of(&teacher, &teacher).f1(), 1.0);
        assert_eq!(Agreement::of(&[], &[]).recall(), 1.0);
    }
}
