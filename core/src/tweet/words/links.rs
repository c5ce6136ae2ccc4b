//! Where links and addresses end: rules 2 and 3 of the splitter.

use crate::tweet::words::clusters::{Cluster, Kind, clusters};
use crate::tweet::words::short_form;

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
    let top: String = clusters[dot + 1..end].iter().map(|c| c.text).collect();
    let one_case = top.to_lowercase() == top || top.to_uppercase() == top;
    let letters = top.chars().all(char::is_alphabetic) || top.starts_with("xn--");
    (one_case && letters && top.chars().count() >= 2).then_some(end)
}

/// The end of a host name, or `from` where there is none. Its last part ends where ASCII letters and
/// others meet, and is not of another script than the part before.
fn host_end(clusters: &[Cluster], from: usize) -> usize {
    /// The longest host (RFC 1035).
    const LONGEST: usize = 255;
    let part = |at: usize| {
        let rest = clusters.get(at..).unwrap_or_default();
        let fits = |c: &&Cluster| c.is_word() || c.text == "-";
        at + rest.iter().take(LONGEST).take_while(fits).count()
    };
    let mut before: Option<(usize, bool)> = None;
    let mut at = from;
    loop {
        let end = part(at);
        let more = end > at
            && end - from < LONGEST
            && clusters.get(end).is_some_and(|c| c.text == ".")
            && clusters.get(end + 1).is_some_and(Cluster::is_word);
        let ascii = clusters.get(at).is_some_and(|c| c.text.is_ascii());
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
        let same = |c: &&Cluster| c.text.is_ascii() == ascii;
        let mut last = at + clusters[at..end].iter().take_while(same).count();
        while last > at && clusters[last - 1].text == "-" {
            last -= 1;
        }
        return last;
    }
}

/// Rule 2: the end of a URL whose prefix is `prefix` ASCII characters long; `None` where nothing
/// follows the prefix.
pub(super) fn url_end(clusters: &[Cluster], at: usize, prefix: usize) -> Option<usize> {
    let body = at + prefix;
    let is = |at: usize, mark: &str| clusters.get(at).is_some_and(|c| c.text == mark);
    let slug = |from: usize| {
        let rest = clusters.get(from..).unwrap_or_default();
        let another = |at: usize| {
            let head = clusters.get(at..).unwrap_or_default().iter().take(8);
            let head: String = head.map(|c| c.text).collect();
            url_prefix(&head).is_some_and(|length| length > "www.".len())
        };
        let length = rest.iter().take_while(|c| is_latin(c, false)).count();
        let slug = from..from + length;
        slug.clone()
            .find(|&at| matches!(clusters[at].text, "h" | "H") && another(at))
            .unwrap_or(slug.end)
    };
    let short = |host: &[Cluster]| {
        host.iter()
            .map(|c| c.text)
            .collect::<String>()
            .eq_ignore_ascii_case("t.co")
    };
    let mut end;
    if clusters.get(body - 1)?.text == "/" && !is(body - 2, "/") {
        // A page of pic.twitter.com: the prefix has the host.
        end = slug(body);
    } else {
        end = host_end(clusters, body);
        if end == body + 4 && short(&clusters[body..end]) && is(end, "/") {
            end = slug(end + 1);
            // `?amp=1`
            if is(end, "?") && is(slug(end + 1), "=") && slug(end + 1) > end + 1 {
                let value = slug(end + 1) + 1;
                end = if slug(value) > value {
                    slug(value)
                } else {
                    end
                };
            }
        } else if end > body {
            if is(end, ":") && clusters.get(end + 1).is_some_and(|c| c.kind == Kind::Digit) {
                end += 1;
                end += clusters[end..]
                    .iter()
                    .take_while(|c| c.kind == Kind::Digit)
                    .count();
            }
            end = path_end(clusters, end);
        }
    }
    // Twitter cuts retweets off in the middle of a URL.
    if is(end, "…") {
        end += 1;
    }
    (end > body).then_some(end)
}

/// The end of the path and query that begin at `from`, after twitter-text 3.1: which characters they
/// may have, and which may be their last. A short form (`'s`) ends them, other than there.
fn path_end(clusters: &[Cluster], from: usize) -> usize {
    let mut end = from;
    let mut at = from;
    match clusters.get(at).map(|c| c.text) {
        Some("/" | "?") => {}
        _ => return end,
    }
    let mut query = false;
    while let Some(cluster) = clusters.get(at) {
        let mark = cluster.text;
        if mark == "?" {
            query = true;
        } else if is_latin(cluster, !query)
            || matches!(mark, "=" | "_" | "#" | "/" | "-")
            || (mark == "+" && !query)
            || (mark == "&" && query)
        {
            end = at + 1;
        } else if mark == "(" && !query {
            match balanced(clusters, at) {
                Some(after) => (end, at) = (after, after),
                None => break,
            }
            continue;
        } else if mark == "'" {
            if short_form(&clusters[at + 1..]).is_some() {
                break;
            }
        } else if !matches!(
            (mark, query),
            (
                "!" | "*"
                    | ";"
                    | ":"
                    | "+"
                    | ","
                    | "."
                    | "$"
                    | "%"
                    | "["
                    | "]"
                    | "~"
                    | "@"
                    | "|"
                    | "&",
                _
            ) | ("–", false)
                | ("(" | ")", true)
        ) {
            break;
        }
        at += 1;
    }
    end
}

/// The end of the parentheses that open at `at` and close in the same path.
fn balanced(clusters: &[Cluster], at: usize) -> Option<usize> {
    /// Links to `Star_Wars_(film)` have short ones.
    const LONGEST: usize = 64;
    let inside = clusters[at + 1..].iter().take(LONGEST);
    let mut depth = 1;
    for (i, cluster) in inside.enumerate() {
        match cluster.text {
            "(" if depth == 1 => depth = 2,
            ")" => depth -= 1,
            "!" | "*" | "'" | ";" | ":" | "=" | "+" | "," | "." | "$" | "/" | "%" | "#" | "["
            | "]" | "-" | "–" | "_" | "~" | "@" | "|" | "&" => {}
            _ if is_latin(cluster, true) => {}
            _ => return None,
        }
        if depth == 0 {
            return (i > 0).then_some(at + i + 2);
        }
    }
    None
}

/// An ASCII letter or digit or, in `wide` places, a Latin or Cyrillic one.
fn is_latin(cluster: &Cluster, wide: bool) -> bool {
    let Some(first) = cluster.text.chars().next() else {
        return false;
    };
    (cluster.text.len() == 1 && first.is_ascii_alphanumeric())
        || wide
            && cluster.is_word()
            && (first.is_ascii_alphanumeric()
                || matches!(u32::from(first), 0xC0..=0x24F | 0x253..=0x2BB | 0x400..=0x4FF | 0x1E00..=0x1EFF))
}

/// Prefixes that make a word a URL, in lower case.
const URL_PREFIXES: [&str; 4] = ["http://", "https://", "www.", "pic.twitter.com/"];

/// Length in bytes of the URL prefix that `text` begins with, in any case.
pub(super) fn url_prefix(text: &str) -> Option<usize> {
    let head = |n| text.as_bytes().get(..n).unwrap_or_default();
    URL_PREFIXES
        .iter()
        .map(|p| p.as_bytes())
        .find(|p| p.eq_ignore_ascii_case(head(p.len())))
        .map(<[u8]>::len)
}

/// Whether a word that is read is a link or an address: nothing is named in it.
pub(crate) fn is_link(word: &str) -> bool {
    url_prefix(word).is_some() || is_address(word)
}

/// Whether a word that is read is `user@host.tld` or `@user@host.tld`.
fn is_address(word: &str) -> bool {
    // Most words end here.
    if !word.get(1..).is_some_and(|rest| rest.contains('@')) {
        return false;
    }
    let clusters = clusters(word);
    address_end(&clusters, 0) == Some(clusters.len())
}
