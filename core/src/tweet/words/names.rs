//! Names and other words of letters and digits: rule 6 of the splitter.

use crate::tweet::reading::fold;
use crate::tweet::words::apostrophes::short_form;
use crate::tweet::words::clusters::{Cluster, Kind};
use crate::tweet::words::links::{link_behind_mark, link_inside};

/// The end of the word of letters and digits that begins at cluster `at`.
pub(super) fn name_end(clusters: &[Cluster], at: usize) -> usize {
    let Some(end) = styled_name_end(clusters, at) else {
        return plain_end(clusters, at);
    };
    let mut inner = at + 1..end;
    let link = inner.find(|&i| link_begins(clusters, at, i));
    link.unwrap_or(end)
}

/// Whether a link begins at cluster `at`, inside the word that begins at `start`.
fn link_begins(clusters: &[Cluster], start: usize, at: usize) -> bool {
    link_inside(clusters, start, at) || link_behind_mark(clusters, at)
}

/// Rule 6: the end of a run of letters and digits with what may join them.
fn plain_end(clusters: &[Cluster], at: usize) -> usize {
    let mut end = at;
    while let Some(cluster) = clusters.get(end) {
        let inside = end > at;
        let fits = if cluster.is_word() {
            let short = || cluster.is_letter_mark() && short_form(clusters, end).is_some();
            !(inside && (link_begins(clusters, at, end) || short()))
        } else {
            inside
                && clusters
                    .get(end + 1)
                    .is_some_and(|next| joins(clusters[end - 1].kind, cluster.text, next.kind))
        };
        if !fits {
            break;
        }
        end += 1;
    }
    // What would have joined a word that is a link: `Houston-https://t.co/x`.
    while end > at + 1 && (clusters[end - 1].joins() || !clusters[end - 1].is_word()) {
        end -= 1;
    }
    dollars_end(clusters, at, end).unwrap_or(end)
}

/// The end of one or two `$` that stand for the last letters of the name between `at` and `end`: `Travi$`, `Bada$$`. The codes of
/// money (`US$`, `AUD$`) are none.
pub(super) fn dollars_end(clusters: &[Cluster], at: usize, end: usize) -> Option<usize> {
    let rest = &clusters[end..];
    let count = rest.iter().take(3).take_while(|c| c.text == "$").count();
    let name = &clusters[at..end];
    let code = name.len() <= 3 && name.iter().all(|c| c.text.chars().all(char::is_uppercase));
    let letter = name.last().is_some_and(|c| c.kind == Kind::Letter);
    let word = rest.get(count).is_some_and(Cluster::is_word);
    let free = !word || link_inside(clusters, at, end + count);
    (matches!(count, 1 | 2) && name.len() > 1 && letter && !code && free).then_some(end + count)
}

/// Whether a mark joins what stands on its two sides into one word.
fn joins(before: Kind, mark: &str, after: Kind) -> bool {
    let both = |kinds: &[Kind]| kinds.contains(&before) && kinds.contains(&after);
    match mark {
        // Hyphen-minus, hyphen, non-breaking hyphen, a small one.
        "-" | "\u{2010}" | "\u{2011}" | "\u{FE63}" => both(&[Kind::Letter, Kind::Digit]),
        "$" => both(&[Kind::Letter]),
        "." | "," | ":" | "/" => both(&[Kind::Digit]),
        _ => false,
    }
}

/// Rule 6: the end of a name with marks for letters or between them that begins at `at`.
fn styled_name_end(clusters: &[Cluster], at: usize) -> Option<usize> {
    let letters = |from: usize| {
        let rest = clusters.get(from..).unwrap_or_default();
        from + rest.iter().take(16).map_while(plain_letter).count()
    };
    let text = |from: usize, to: usize| -> String {
        clusters[from..to].iter().filter_map(plain_letter).collect()
    };
    let is = |at: usize, mark: &str| clusters.get(at).is_some_and(|c| c.text == mark);
    let ends = |at: usize| !clusters.get(at).is_some_and(Cluster::is_word);
    let capitals = |s: &str| s.chars().all(|c| c.is_ascii_uppercase());
    let first = letters(at);
    let mark = clusters.get(first)?.text;
    // Most words end here.
    let begins = match mark {
        "!" => first - at <= 2,
        "." => first - at >= 2,
        "*" => first - at == 1,
        _ => false,
    };
    if !begins || ends(first + 1) {
        return None;
    }
    let mut segments = vec![text(at, first)];
    let mut end = first;
    while is(end, mark) && segments.len() < 8 {
        let next = letters(end + 1);
        if next == end + 1 || !ends(next) {
            break;
        }
        segments.push(text(end + 1, next));
        end = next;
    }
    let lengths: Vec<usize> = segments.iter().map(String::len).collect();
    let more = is(end, mark) && !ends(end + 1);
    let fits = match (mark, segments.as_slice()) {
        // An exclamation mark for an i: nothing else is a vowel before it.
        ("!", [before, after]) => {
            let vowel = |c: char| "aeiouyAEIOUY".contains(c);
            !before.contains(vowel)
                && !after.starts_with(vowel)
                && (capitals(before) || !after.starts_with(|c: char| c.is_ascii_uppercase()))
        }
        // Short words between longer ones; not the countries' `.co.uk`.
        (".", [_, inner @ .., _]) => {
            !inner.is_empty()
                && lengths[lengths.len() - 1] >= 2
                && inner.iter().all(|s| s.len() <= 2 && s != "co" && s != "ac")
        }
        ("*", [first, rest]) => {
            rest.len() >= 3 && capitals(first) && rest.starts_with(|c: char| c.is_ascii_uppercase())
        }
        ("*", [_, _, _, ..]) => segments.iter().all(|s| s.len() == 1 && capitals(s)),
        _ => false,
    };
    (fits && !more).then_some(end)
}

/// The ASCII letter that a letter is, styled or not.
fn plain_letter(cluster: &Cluster) -> Option<char> {
    if cluster.kind != Kind::Letter {
        return None;
    }
    let folded = fold(cluster.text);
    let mut chars = folded.chars();
    let letter = chars.next().filter(char::is_ascii_alphabetic);
    letter.filter(|_| chars.next().is_none())
}
