//! Long tweets in overlapping windows: the encoder's limit never cuts a tweet.

use std::ops::Range;

/// One run of the encoder over part of a tweet's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The words that the encoder sees.
    pub words: Range<usize>,
    /// The words whose result is taken from this window; never empty, inside `words`.
    pub keep: Range<usize>,
}

/// How many subwords of one word may enter an encoder of `limit` subwords: all but `[CLS]` and `[SEP]`.
///
/// Whoever packs a window takes at most so many subwords of each word, the first ones. Labels are
/// read off the first subword, so a word longer than a window still gets one.
///
/// # Panics
/// If `limit < 3`: no room for a subword.
pub fn subword_cap(limit: usize) -> usize {
    assert!(
        limit >= 3,
        "an encoder of {limit} subwords has no room for a word"
    );
    limit - 2
}

/// Cuts a tweet into windows of at most `limit` subwords, `[CLS]` and `[SEP]` included.
///
/// `subwords_per_word` counts each word's subwords; counts are taken as at least 1 and at most
/// [`subword_cap`]. The windows cover every word, and their `keep` ranges partition the words. A
/// tweet that fits is one window; no words are no windows. Windows overlap by about half, and a
/// word is kept from the window where its shorter side of context, in subwords, is longest: the cut
/// lies in the middle of the overlap. Where the tweet itself ends, nothing is missing.
///
/// # Panics
/// If `limit < 3`, see [`subword_cap`].
pub fn windows(subwords_per_word: &[usize], limit: usize) -> Vec<Window> {
    let cap = subword_cap(limit);
    let count = subwords_per_word.len();
    // offset[i]: subwords before word i.
    let mut offset = Vec::with_capacity(count + 1);
    offset.push(0);
    let mut sum = 0;
    for &subwords in subwords_per_word {
        sum += subwords.clamp(1, cap);
        offset.push(sum);
    }

    let mut windows: Vec<Window> = Vec::new();
    let (mut start, mut kept) = (0, 0);
    while kept < count {
        let end = offset.partition_point(|&o| o <= offset[start] + cap) - 1;
        // The next window starts half a window on, but no later than where this one ends; the last
        // one reaches back as far as it can.
        let half = offset.partition_point(|&o| o < offset[start] + cap.div_ceil(2));
        let tail = offset.partition_point(|&o| o + cap < sum);
        let next = half.clamp(start + 1, end).min(tail.max(start + 1));
        let cut = if end == count {
            count
        } else {
            (next..end)
                .find(|&w| offset[w] + offset[w + 1] > offset[end] + offset[next])
                .unwrap_or(end)
        };
        if kept < cut {
            windows.push(Window {
                words: start..end,
                keep: kept..cut,
            });
        }
        (start, kept) = (next, cut);
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Subwords of context on the shorter side of `word`, none missing at the tweet's own ends.
    fn context(subwords: &[usize], seen: &Range<usize>, word: usize) -> usize {
        let sum = |r: Range<usize>| subwords[r].iter().sum::<usize>();
        let left = if seen.start == 0 {
            usize::MAX
        } else {
            sum(seen.start..word)
        };
        let right = if seen.end == subwords.len() {
            usize::MAX
        } else {
            sum(word + 1..seen.end)
        };
        left.min(right)
    }

    #[test]
    fn what_fits_is_one_window() {
        assert_eq!(windows(&[], 128), []);
        let whole = |n| {
            vec![Window {
                words: 0..n,
                keep: 0..n,
            }]
        };
        assert_eq!(windows(&[1; 126], 128), whole(126));
        assert_eq!(windows(&[9], 3), whole(1));
        assert_eq!(windows(&[1; 127], 128).len(), 2);
    }

    #[test]
    fn the_cut_is_in_the_middle_of_the_overlap() {
        let expected = [
            Window {
                words: 0..8,
                keep: 0..6,
            },
            Window {
                words: 4..12,
                keep: 6..12,
            },
        ];
        assert_eq!(windows(&[1; 12], 10), expected);
    }

    #[test]
    #[should_panic(expected = "no room for a word")]
    fn a_limit_without_room_is_refused() {
        windows(&[1], 2);
    }

    proptest! {
        #[test]
        fn windows_cover_fit_and_keep_the_best_context(
            raw in prop::collection::vec(prop_oneof![8 => 0usize..5, 1 => 0usize..60], 0..80),
            limit in 3usize..40,
        ) {
            let cap = limit - 2;
            let subwords: Vec<usize> = raw.iter().map(|&p| p.clamp(1, cap)).collect();
            let all = windows(&raw, limit);
            let mut kept = 0;
            for w in &all {
                prop_assert_eq!(w.keep.start, kept);
                prop_assert!(w.words.start <= w.keep.start && w.keep.start < w.keep.end && w.keep.end <= w.words.end);
                prop_assert!(subwords[w.words.clone()].iter().sum::<usize>() <= cap);
                kept = w.keep.end;
                for word in w.keep.clone() {
                    let here = context(&subwords, &w.words, word);
                    for other in all.iter().filter(|o| o.words.contains(&word)) {
                        prop_assert!(here >= context(&subwords, &other.words, word), "word {word} of {all:?}");
                    }
                }
            }
            prop_assert_eq!(kept, raw.len());
            if subwords.iter().sum::<usize>() <= cap && !raw.is_empty() {
                prop_assert_eq!(all.len(), 1);
            }
        }

        #[test]
        fn words_of_few_subwords_have_a_fifth_of_a_window_on_both_sides(
            subwords in prop::collection::vec(1usize..4, 1..600),
        ) {
            for w in windows(&subwords, 128) {
                for word in w.keep.clone() {
                    prop_assert!(context(&subwords, &w.words, word) >= 25);
                }
            }
        }
    }
}
