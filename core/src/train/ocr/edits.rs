//! How much of a text is right.

use crate::train::metric::Tally;

/// Characters and lines, read and right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Characters to read.
    pub characters: usize,
    /// Characters to insert, delete or replace so that what was read is right.
    pub edits: usize,
    /// Lines to read.
    pub lines: usize,
    /// Lines without an edit.
    pub exact: usize,
}

impl Edits {
    /// Of one line.
    pub fn of(expected: &str, read: &str) -> Self {
        let edits = distance(expected, read);
        Self {
            characters: expected.chars().count(),
            edits,
            lines: 1,
            exact: usize::from(edits == 0),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            characters: self.characters + other.characters,
            edits: self.edits + other.edits,
            lines: self.lines + other.lines,
            exact: self.exact + other.exact,
        }
    }

    /// 1 less the character error rate; below 0 where more is wrong than there is to read.
    pub fn right(&self) -> f64 {
        1.0 - self.edits as f64 / self.characters.max(1) as f64
    }

    /// Fraction of lines without an edit.
    pub fn exact(&self) -> f64 {
        self.exact as f64 / self.lines.max(1) as f64
    }
}

impl Tally for Edits {
    type Report = Self;

    fn add(&mut self, report: &Self) {
        *self = self.plus(*report);
    }
}

/// Levenshtein's distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, expected) in [
            ("kitten", "sitting", 3),
            ("", "ab", 2),
            ("ab", "", 2),
            ("é", "e", 1),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected);
        }
        let both = Edits::of("NASA", "NASA").plus(Edits::of("Houston", "Huston!"));
        assert_eq!(
            (both.characters, both.edits, both.lines, both.exact),
            (11, 2, 2, 1)
        );
        assert!((both.right() - 9.0 / 11.0).abs() < 1e-9 && both.exact() == 0.5);
        assert_eq!(
            (Edits::default().right(), Edits::default().exact()),
            (1.0, 0.0)
        );
    }
}
