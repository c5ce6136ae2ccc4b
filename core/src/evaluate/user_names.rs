//! Entities of user names, which some corpora label and others do not.

use crate::decode::chunks::Chunk;

/// Whether an entity among the words of a corpus is a user name: `@x` as one word or as two. A name
/// of one word after an `@` counts, though `@` may mean "at" there: a corpus does not say.
///
/// # Panics
/// If the entity is not of these words.
pub fn is_user_name<S: AsRef<str>>(words: &[S], chunk: Chunk) -> bool {
    let word = |at: usize| words[at].as_ref();
    let named = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let sigil = |at: usize| matches!(word(at), "@" | "＠");
    let first = chunk.start;
    match chunk.end - first {
        1 => {
            // The Broad Twitter Corpus has `@` in the place of names.
            sigil(first)
                || word(first).strip_prefix(['@', '＠']).is_some_and(named)
                || (first > 0 && sigil(first - 1) && named(word(first)))
        }
        2 => sigil(first) && named(word(first + 1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::EntityType;

    #[test]
    fn a_user_name_is_one_word_or_two() {
        let words = [
            "@nasa", "@", "warriors", "at", "@", "Oracle", "Arena", "Boeing", "@",
        ];
        let is = |start: usize, end: usize| {
            is_user_name(
                &words,
                Chunk {
                    kind: EntityType::Org,
                    start,
                    end,
                },
            )
        };
        assert!(is(0, 1) && is(2, 3) && is(1, 3) && is(8, 9));
        assert!(!is(5, 7) && !is(4, 7) && !is(7, 8) && !is(3, 4));
    }
}
