//! Words that are written short, with a dot.

use crate::tweet::reading::fold;
use crate::tweet::words::clusters::{Cluster, Kind};
use crate::tweet::words::hosts::joined;
use crate::tweet::words::is_tag_sigil;

/// Words that are written short, with a dot; the second half of names, or words of streets and firms.
const SHORT: [&str; 85] = [
    "Adm", "Amb", "Ariz", "Assn", "Assoc", "Atty", "Ave", "Bhd", "Bldg", "Blvd", "Brig", "Bros",
    "Calif", "Capt", "Cmdr", "Co", "Col", "Colo", "Comdr", "Conn", "Corp", "Cpl", "Ctr", "Dept",
    "Dist", "Dr", "Dra", "Esq", "Fla", "Ft", "Gen", "Gov", "Hon", "Hosp", "Hwy", "Inc", "Insp",
    "Inst", "Intl", "Jnr", "Jr", "Llc", "Ln", "Lt", "Ltd", "Maj", "Messrs", "Mfg", "Mich", "Minn",
    "Mlle", "Mme", "Mr", "Mrs", "Ms", "Msgr", "Mt", "Mts", "Natl", "Okla", "Pfc", "Pkwy", "Plc",
    "Pres", "Prof", "Pt", "Pty", "Pvt", "Rd", "Rep", "Rev", "Sen", "Sgt", "Snr", "Sq", "Sr", "Sra",
    "Srta", "St", "Ste", "Supt", "Tenn", "Tpke", "Univ", "Wis",
];

/// Whether a word is one that is written short wherever it stands.
pub(crate) fn is_short(word: &str) -> bool {
    is_among(word, &SHORT)
}

/// Whether a word is one of these: as listed, or in capitals.
pub(crate) fn is_among(word: &str, listed: &[&str]) -> bool {
    let upper = word.chars().all(char::is_uppercase);
    let mut listed = listed.iter();
    listed.any(|short| word == *short || (upper && short.eq_ignore_ascii_case(word)))
}

/// Whether the dot at `at` belongs to the abbreviation before it, whatever follows: `Jr.`, `U.S.`
pub(super) fn abbreviation_ends(clusters: &[Cluster], at: usize) -> bool {
    /// The longest of those that are written short.
    const LONGEST: usize = 6;
    // Where the word before `end` begins.
    let begin = |end: usize| {
        let before = clusters[..end].iter().rev().take(LONGEST + 1);
        end - before.take_while(|c| c.is_word()).count()
    };
    let free = |start: usize| start == 0 || !is_tag_sigil(clusters[start - 1].text);
    let letters = |start: usize, end: usize| {
        clusters[start..end]
            .iter()
            .all(|c| c.kind == Kind::Letter && c.text != "_")
    };
    let start = begin(at);
    if start == at || at - start > LONGEST || !free(start) || !letters(start, at) {
        return false;
    }
    if at - start > 1 {
        return is_short(&fold(&joined(&clusters[start..at])));
    }
    // An initial behind another.
    if start == 0 || clusters[start - 1].text != "." {
        return false;
    }
    let (first, end) = (begin(start - 1), start - 1);
    matches!(end - first, 1 | 2) && free(first) && letters(first, end)
}
