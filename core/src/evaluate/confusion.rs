//! Which type was taken for which.

use crate::evaluate::mistakes::{Gold, Kind, Mistake};
use crate::label::EntityType;

/// Columns and rows beyond the four types.
const TYPES: usize = EntityType::ALL.len();

/// Counts of entities: a row for what the labels say, a column for what was found.
///
/// Rows and columns are the types in the order of [`EntityType::ALL`], then *other ends*, then *nothing*. A name of which other
/// words were found stands in its type's row under *other ends*, and what was found there in the row *other ends* under its own
/// type. So a type's row adds up to the names of the labels, its column to those of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confusion(pub [[usize; TYPES + 2]; TYPES + 2]);

/// The row or column of entities whose words are partly others'.
pub const OTHER_ENDS: usize = TYPES;
/// The column of names that were missed, the row of those that were invented.
pub const NOTHING: usize = TYPES + 1;

impl Confusion {
    /// Counts a tweet, whose labels have the names `gold` and whose answer differs in `mistakes`.
    pub fn add(&mut self, gold: &[Gold], mistakes: &[Mistake]) {
        let wrong = |gold: &&Gold| mistakes.iter().any(|mistake| mistake.gold.contains(gold));
        for right in gold.iter().filter(|gold| !wrong(gold)) {
            let kind = right.chunk.kind as usize;
            self.0[kind][kind] += 1;
        }
        for mistake in mistakes {
            let (rows, columns) = match mistake.kind() {
                Kind::WrongType => {
                    let (gold, found) = (mistake.gold[0].chunk.kind, mistake.found[0].kind);
                    self.0[gold as usize][found as usize] += 1;
                    continue;
                }
                Kind::WrongEnds => (OTHER_ENDS, OTHER_ENDS),
                Kind::Missed | Kind::Invented => (NOTHING, NOTHING),
            };
            for gold in &mistake.gold {
                self.0[gold.chunk.kind as usize][columns] += 1;
            }
            for found in &mistake.found {
                self.0[rows][found.kind as usize] += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::mistakes::mistakes;
    use crate::evaluate::mistakes::tests::{found, gold};
    use EntityType::{Loc, Misc, Org, Per};

    #[test]
    fn rows_add_up_to_the_labels_and_columns_to_the_answer() {
        let labels = [
            gold(Per, 0..2, 0.9),
            gold(Loc, 3..4, 0.2),
            gold(Org, 5..7, 0.1),
            gold(Loc, 8..9, 0.3),
        ];
        let answer = [
            found(Per, 0..2, 0.9),
            found(Per, 3..4, 0.7),
            found(Org, 5..6, 0.5),
            found(Misc, 6..7, 0.5),
            found(Misc, 10..11, 0.6),
        ];
        let mut confusion = Confusion::default();
        confusion.add(&labels, &mistakes(&labels, &answer));
        let Confusion(table) = confusion;
        assert_eq!(table[Per as usize], [1, 0, 0, 0, 0, 0]);
        assert_eq!(table[Loc as usize], [1, 0, 0, 0, 0, 1]);
        assert_eq!(table[Org as usize], [0, 0, 0, 0, 1, 0]);
        assert_eq!(table[OTHER_ENDS], [0, 0, 1, 1, 0, 0]);
        assert_eq!(table[NOTHING], [0, 0, 0, 1, 0, 0]);
        let column = |at: usize| table.iter().map(|row| row[at]).sum::<usize>();
        for kind in EntityType::ALL {
            let of = |kinds: &[EntityType]| kinds.iter().filter(|k| **k == kind).count();
            let golds = labels.map(|gold| gold.chunk.kind);
            let founds = answer.each_ref().map(|entity| entity.kind);
            assert_eq!(table[kind as usize].iter().sum::<usize>(), of(&golds));
            assert_eq!(column(kind as usize), of(&founds));
        }
    }
}
