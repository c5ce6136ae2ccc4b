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
/// tweet that fits is one window; no words are no windows. Windows overlap by a half to two thirds, and a
/// word is kept from the window where its shorter side of context, in subwords, is longest: the cut
/// lies in the middle of the overlap. Where the tweet itself ends, nothing is missing.
///
/// `marks` is a number a word, the same for the same word: of the words with which a window may begin it begins with the last one
/// whose mark is least. So a few windows after an edit of a long text, its windows are those from before the edit.
///
/// # Panics
/// If `limit < 3`, see [`subword_cap`], or there are not as many marks as words.
pub fn windows(subwords_per_word: &[usize], marks: &[u64], limit: usize) -> Vec<Window> {
    assert_eq!(marks.len(), subwords_per_word.len(), "a mark a word");
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
        // The next window starts a third to half a window on, but no later than where this one
        // ends; the last one reaches back as far as it can.
        let after = |part: usize| offset.partition_point(|&o| o < offset[start] + part);
        let half = after(cap.div_ceil(2)).clamp(start + 1, end);
        let first = after((5 * cap).div_ceil(16)).clamp(start + 1, half);
        let marked = (first..=half).rev().min_by_key(|&word| marks.get(word));
        let tail = offset.partition_point(|&o| o + cap < sum);
        let next = marked.unwrap_or(half).min(tail.max(start + 1));
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

    /// The windows of words that are all alike.
    fn windows(subwords: &[usize], limit: usize) -> Vec<Window> {
        super::windows(subwords, &vec![0; subwords.len()], limit)
    }

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
            words in prop::collection::vec((prop_oneof![8 => 0usize..5, 1 => 0usize..60], 0u64..9), 0..80),
            limit in 3usize..40,
        ) {
            let cap = limit - 2;
            let (raw, marks): (Vec<usize>, Vec<u64>) = words.into_iter().unzip();
            let subwords: Vec<usize> = raw.iter().map(|&p| p.clamp(1, cap)).collect();
            let all = super::windows(&raw, &marks, limit);
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
            words in prop::collection::vec((1usize..4, any::<u64>()), 1..600),
        ) {
            let (subwords, marks): (Vec<usize>, Vec<u64>) = words.into_iter().unzip();
            for w in super::windows(&subwords, &marks, 128) {
                for word in w.keep.clone() {
                    prop_assert!(context(&subwords, &w.words, word) >= 25);
                }
            }
        }
    }

    /// How many windows of a text there are, and how many of another are among them, by their words.
    fn in_common(before: &[(usize, u64)], after: &[(usize, u64)]) -> [usize; 2] {
        let cut = |text: &[(usize, u64)]| -> Vec<Vec<(usize, u64)>> {
            let (subwords, marks): (Vec<usize>, Vec<u64>) = text.iter().copied().unzip();
            let all = super::windows(&subwords, &marks, 128).into_iter();
            all.map(|window| text[window.words].to_vec()).collect()
        };
        let (before, after) = (cut(before), cut(after));
        let known = after.iter().filter(|window| before.contains(window));
        [after.len(), known.count()]
    }

    #[test]
    fn an_edit_changes_few_windows_wherever_it_is() {
        let mut random = crate::splitmix::SplitMix64(7);
        let mut word = || (1 + random.below(3), random.next_u64());
        let text: Vec<(usize, u64)> = (0..20_000).map(|_| word()).collect();
        for at in [0, 1, 5_000, 12_345, 19_990, 20_000] {
            for (out, into) in [(0, 1), (1, 0), (1, 1), (0, 40), (300, 7)] {
                let end = (at + out).min(text.len());
                let new: Vec<_> = (0..into).map(|_| word()).collect();
                let edited = [&text[..at], &new, &text[end..]].concat();
                let [all, known] = in_common(&text, &edited);
                assert!(all - known < 40, "{at} {out} {into}: {known} of {all} stay");
            }
        }
    }
}
