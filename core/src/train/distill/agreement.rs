//! How far two detectors agree on the objects of a picture.

use crate::picture::detect::{Object, intersection_over_union};
use burn::tensor::TensorReadError;
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Least overlap (intersection over union) of boxes that are the same object.
pub const SAME: f32 = 0.5;

/// Objects after suppression, counted over pictures.
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
    /// Compares the objects of one picture. The student's, the best first, each take the free
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

/// A figure of the agreement as burn-train's learner tracks it, in per cent.
#[derive(Clone, Debug)]
pub struct AgreementMetric {
    name: Arc<String>,
    figure: fn(&Agreement) -> f64,
    sum: Agreement,
}

impl AgreementMetric {
    fn new(name: &str, figure: fn(&Agreement) -> f64) -> Self {
        Self {
            name: Arc::new(name.to_owned()),
            figure,
            sum: Agreement::default(),
        }
    }

    /// [`Agreement::recall`].
    pub fn recall() -> Self {
        Self::new("Recall", Agreement::recall)
    }

    /// [`Agreement::precision`].
    pub fn precision() -> Self {
        Self::new("Precision", Agreement::precision)
    }

    fn percent(&self) -> f64 {
        100.0 * (self.figure)(&self.sum)
    }

    fn entry(&self, value: NumericEntry) -> SerializedEntry {
        SerializedEntry::new(format!("{:.2} %", self.percent()), value.serialize())
    }
}

impl Metric for AgreementMetric {
    type Input = Agreement;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: Some("%".to_owned()),
            higher_is_better: true,
        }
        .into()
    }

    fn update(
        &mut self,
        item: &Agreement,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.sum = self.sum.plus(*item);
        Ok(self.entry(NumericEntry::Value(self.percent())))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.entry(self.final_value()))
    }

    fn clear(&mut self) {
        self.sum = Agreement::default();
    }
}

impl Numeric for AgreementMetric {
    fn value(&self) -> Option<NumericEntry> {
        Some(NumericEntry::Value(self.percent()))
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.value()
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.percent())
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
