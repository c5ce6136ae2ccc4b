//! The short forms that apostrophes begin: rule 8 of the splitter.

use crate::tweet::reading::fold;
use crate::tweet::words::clusters::Cluster;

/// Whether an apostrophe or one of the marks that are taken for letters begins a word of rule 8.
pub(super) fn is_apostrophe(cluster: &Cluster) -> bool {
    matches!(cluster.text, "'" | "’") || cluster.is_letter_mark()
}

/// The apostrophe that Unicode takes for a letter.
const LETTER_APOSTROPHE: &str = "\u{2BC}";

/// Rule 8: how many letters after the apostrophe at `at` form a short form that ends there. Other marks that are taken for
/// letters are apostrophes before `s` alone: `Saʿd` is a name.
pub(super) fn short_form(clusters: &[Cluster], at: usize) -> Option<usize> {
    let rest = &clusters[at + 1..];
    let letters = rest.iter().take(3).take_while(|c| c.is_word()).count();
    let form: String = rest[..letters].iter().map(|c| c.text).collect();
    let other = clusters[at].is_letter_mark() && clusters[at].text != LETTER_APOSTROPHE;
    match fold(&form).to_ascii_lowercase().as_str() {
        "s" => Some(letters),
        "m" | "d" | "t" | "re" | "ve" | "ll" if !other => Some(letters),
        _ => None,
    }
}
