//! Where addresses end: rule 3 of the splitter.

use crate::tweet::reading::Reading;
use crate::tweet::words::clusters::{Cluster, clusters};
use crate::tweet::words::hosts::{host_end, in_one_case, joined};

/// The longest name before the `@` of an address (RFC 5321).
pub(super) const LONGEST_LOCAL: usize = 64;

/// Rule 3: the end of the address that begins at `at`. Its host has a dot and ends with two letters or
/// more in one case, so that of `RT@nasa.Great` the user name is left.
pub(super) fn address_end(clusters: &[Cluster], at: usize) -> Option<usize> {
    let remote = clusters[at].text == "@";
    let from = at + usize::from(remote);
    let rest = clusters.get(from..)?;
    let local = |c: &&Cluster| c.is_word() || matches!(c.text, "." | "_" | "-" | "+" | "%" | "'");
    let length = rest
        .iter()
        .take(LONGEST_LOCAL + 1)
        .take_while(local)
        .count();
    let sign = from + length;
    let last = clusters.get(sign.checked_sub(1)?)?;
    let is_name = length > 0
        && rest[0].is_word()
        && !matches!(last.text, "." | "'")
        && clusters.get(sign)?.text == "@";
    if !is_name || length > LONGEST_LOCAL {
        return None;
    }
    // Words that precede a user name.
    let word: String = clusters[from..sign].iter().map(|c| c.text).collect();
    if !remote && ["rt", "mt", "ht", "cc", "via", "by"].contains(&word.to_lowercase().as_str()) {
        return None;
    }
    let end = host_end(clusters, sign + 1);
    let dot = (sign + 1..end).rfind(|&at| clusters[at].text == ".")?;
    let top = &clusters[dot + 1..end];
    let coded = joined(top).starts_with("xn--");
    // Others end before what may be behind them: `press@nasa.gov_`, `press@nasa.gov-thanks`.
    let own = |c: &&Cluster| coded || !matches!(c.text, "_" | "-");
    let end = dot + 1 + top.iter().take_while(own).count();
    let top = joined(&clusters[dot + 1..end]);
    let letters = coded || top.chars().all(char::is_alphabetic);
    // Telephones begin whatever they take for a sentence with a capital. Those that are words as well are left out.
    let known = KNOWN.contains(&top.as_str());
    ((in_one_case(&top) || known) && letters && top.chars().count() >= 2).then_some(end)
}

/// The last parts of hosts that are taken for such with a capital too.
const KNOWN: [&str; 18] = [
    "Com", "Org", "Net", "Gov", "Edu", "Mil", "Info", "Social", "Au", "Br", "Ca", "Ch", "Eu", "Fr",
    "Jp", "Nl", "Ru", "Uk",
];

/// Rule 3: the end of the name at Bluesky that begins at `at`: `@nasa.bsky.social`.
pub(super) fn handle_end(clusters: &[Cluster], at: usize) -> Option<usize> {
    if clusters[at].text != "@" {
        return None;
    }
    let end = host_end(clusters, at + 1);
    let ours = |host: &str| host.len() > HANDLES.len() && host.to_lowercase().ends_with(HANDLES);
    ours(&joined(&clusters[at + 1..end])).then_some(end)
}

/// How names at Bluesky end that have no domain of their own.
const HANDLES: &str = ".bsky.social";

/// Whether a word that is read is `user@host.tld`, `@user@host.tld` or a name at Bluesky.
pub(super) fn is_address(word: &str) -> bool {
    // Most words end here.
    if !word.contains('@') {
        return false;
    }
    let reading = Reading::of_read(word);
    let clusters = clusters(&reading);
    let whole = Some(clusters.len());
    address_end(&clusters, 0) == whole || handle_end(&clusters, 0) == whole
}
