//! Where the names of hosts end.

use crate::tweet::words::clusters::{Cluster, Kind, run_length};

/// The end of a host name, or `from` where there is none. Its last part ends where ASCII letters and
/// others meet or one has a mark on it, has no `_`, and is not of another script than the part before. A part of Han, Kana, Thai and their like is one where
/// another follows it, or one of its kind goes before.
pub(super) fn host_end(clusters: &[Cluster], from: usize) -> usize {
    /// The longest host (RFC 1035).
    const LONGEST: usize = 255;
    let unspaced = |at: usize| clusters.get(at).is_some_and(|c| c.kind == Kind::Unspaced);
    let letters = |at: usize, wide: bool| {
        let rest = clusters.get(at..).unwrap_or_default();
        let fits =
            |c: &&Cluster| c.is_word() || c.text == "-" || (wide && c.kind == Kind::Unspaced);
        at + rest.iter().take(LONGEST).take_while(fits).count()
    };
    let dotted = |at: usize| {
        clusters.get(at).is_some_and(|c| c.text == ".")
            && (clusters.get(at + 1).is_some_and(Cluster::is_word) || unspaced(at + 1))
    };
    let part = |at: usize, foreign: bool| {
        let end = letters(at, false);
        if !(unspaced(end) && (end == at || at == from)) {
            return end;
        }
        let wide = letters(at, true);
        if foreign || dotted(wide) { wide } else { end }
    };
    let mut before: Option<(usize, bool)> = None;
    let mut at = from;
    loop {
        let foreign = matches!(before, Some((_, false)));
        let end = part(at, foreign);
        let own = clusters.get(at..end).unwrap_or_default();
        let alike = own.iter().any(|c| c.kind == Kind::Unspaced);
        let goes_on = |next: usize| match clusters.get(next) {
            Some(c) if c.kind == Kind::Unspaced => part(next, alike) > next,
            Some(c) => c.is_word(),
            None => false,
        };
        let more = end > at
            && end - from < LONGEST
            && clusters.get(end).is_some_and(|c| c.text == ".")
            && goes_on(end + 1);
        let ascii = clusters.get(at).is_some_and(is_ascii);
        if more {
            let ascii = clusters[at..end].iter().all(|c| c.text.is_ascii());
            before = Some((end, ascii));
            at = end + 1;
            continue;
        }
        if let Some((end, true)) = before
            && !ascii
        {
            return end;
        }
        // No domain has a `_`.
        let same = |c: &Cluster| is_ascii(c) == ascii && (before.is_none() || c.text != "_");
        let mut last = at + run_length(&clusters[at..end], same);
        while last > at && clusters[last - 1].text == "-" {
            last -= 1;
        }
        return last;
    }
}

/// Whether it is an ASCII character, with marks on it or without.
fn is_ascii(cluster: &Cluster) -> bool {
    cluster.text.starts_with(|c: char| c.is_ascii())
}

/// What they are together.
pub(super) fn joined(clusters: &[Cluster]) -> String {
    clusters.iter().map(|c| c.text).collect()
}

/// Whether all letters are small, or all capitals.
pub(super) fn in_one_case(text: &str) -> bool {
    text.to_lowercase() == text || text.to_uppercase() == text
}
