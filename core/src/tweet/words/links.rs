//! Where links and addresses end, rules 2 and 3 of the splitter; and which words are such.

use crate::tweet::reading::{Reading, Unseen};
use crate::tweet::words::addresses::{LONGEST_LOCAL, address_end, handle_end, is_address};
use crate::tweet::words::apostrophes::short_form;
use crate::tweet::words::clusters::{Cluster, Kind, clusters, run_length, unbroken};
use crate::tweet::words::hosts::{host_end, in_one_case, joined};

/// Rules 2 and 3: the end of the link or address that begins at cluster `at`, before a mark nobody sees. An address is looked for
/// where an `@` is near, and a host without a scheme where it may begin.
pub(super) fn link_end(
    clusters: &[Cluster],
    at: usize,
    addressed: bool,
    bare: bool,
) -> Option<usize> {
    let clusters = unbroken(clusters, at);
    let address = || match addressed {
        true => address_end(clusters, at),
        false => None,
    };
    let handle = || handle_end(clusters, at);
    let url = || url_end(clusters, at, link_prefix(clusters[at].ahead)?);
    let host = || match bare {
        true => bare_link_end(clusters, at),
        false => None,
    };
    address().or_else(handle).or_else(url).or_else(host)
}

/// Whether a link or address begins at cluster `at` behind a mark nobody sees.
pub(super) fn link_behind_mark(clusters: &[Cluster], at: usize) -> bool {
    clusters[at].unseen != Unseen::Nothing && link_end(clusters, at, true, true).is_some()
}

/// Rule 2: the end of a URL whose prefix is `prefix` ASCII characters long; `None` where nothing
/// follows the prefix.
fn url_end(clusters: &[Cluster], at: usize, prefix: usize) -> Option<usize> {
    let body = at + prefix;
    let is = |at: usize, mark: &str| clusters.get(at).is_some_and(|c| c.text == mark);
    if is(body - 1, ":") {
        return mail_end(clusters, body);
    }
    let slug = |from: usize| {
        let rest = clusters.get(from..).unwrap_or_default();
        let another = |at: usize| {
            let head = clusters.get(at..).unwrap_or_default().iter().take(8);
            let head: String = head.map(|c| c.text).collect();
            url_prefix(&head).is_some_and(|length| length > "www.".len())
        };
        let length = run_length(rest, |c| c.is_ascii_based());
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
        let host = behind_user(clusters, body).unwrap_or(body);
        end = host_end(clusters, host);
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
            if is(end, ":") && clusters.get(end + 1).is_some_and(is_digit) {
                end += 1;
                end += clusters[end..].iter().take_while(|c| is_digit(c)).count();
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

/// Where the host begins if a user, with or without a password, goes before it: `http://user:password@nasa.gov`.
fn behind_user(clusters: &[Cluster], at: usize) -> Option<usize> {
    let rest = clusters.get(at..).unwrap_or_default();
    let fits = |c: &&Cluster| {
        c.is_word()
            || matches!(
                c.text,
                "." | "-" | "~" | "%" | "+" | ":" | "!" | "$" | "*" | "&"
            )
    };
    let length = rest.iter().take(LONGEST_LOCAL).take_while(fits).count();
    let host = at + length + 1;
    // What has a dot and no password may be a host, with a user name of Twitter glued to it.
    let user = &rest[..length];
    let told = user.iter().any(|c| c.text == ":") || !user.iter().any(|c| c.text == ".");
    let signed = told && length > 0 && rest.get(length)?.text == "@";
    let end = if signed {
        host_end(clusters, host)
    } else {
        host
    };
    let dotted = signed && clusters[host..end].iter().any(|c| c.text == ".");
    dotted.then_some(host)
}

/// The end of what follows `mailto:`: addresses with commas between them, and what is asked to be in the letter.
fn mail_end(clusters: &[Cluster], body: usize) -> Option<usize> {
    let is = |at: usize, mark: &str| clusters.get(at).is_some_and(|c| c.text == mark);
    let address = |at: usize| match at < clusters.len() {
        true => address_end(clusters, at),
        false => None,
    };
    let mut end = address(body).unwrap_or(body);
    while end > body
        && is(end, ",")
        && let Some(next) = address(end + 1)
    {
        end = next;
    }
    if is(end, "?") {
        end = path_end(clusters, end);
    }
    (end > body).then_some(end)
}

/// Rule 2: the end of the link without a scheme that begins at `at`: a host and a path, `bit.ly/2x`, or a host that cannot be
/// taken for words, `nasa.gov`.
fn bare_link_end(clusters: &[Cluster], at: usize) -> Option<usize> {
    page_end(clusters, at).or_else(|| site_end(clusters, at))
}

/// The end of a host, perhaps with a port, and a path. The host is one that shortens links, or its last part is one that many
/// sites have, or that of a country, where the path has a digit: `love.me/him` is a slip, `ow.ms/7abc` is none.
fn page_end(clusters: &[Cluster], at: usize) -> Option<usize> {
    const LONGEST: usize = 64;
    const COMMON: [&str; 18] = [
        "com", "org", "net", "gov", "edu", "mil", "info", "biz", "io", "co", "ly", "gl", "tv",
        "fm", "app", "dev", "social", "uk",
    ];
    const SHORTENING: [&str; 15] = [
        "amzn.to",
        "bbc.in",
        "cnn.it",
        "discord.gg",
        "fb.me",
        "instagr.am",
        "linktr.ee",
        "lnkd.in",
        "nyti.ms",
        "redd.it",
        "reut.rs",
        "t.me",
        "wa.me",
        "wp.me",
        "youtu.be",
    ];
    let fits = |c: &&Cluster| {
        c.text.is_ascii() && c.text != "_" && (c.is_word() || matches!(c.text, "." | "-"))
    };
    let rest = &clusters[at..];
    let length = rest.iter().take(LONGEST).take_while(fits).count();
    let slash = behind_port(clusters, at + length);
    if clusters.get(slash)?.text != "/" || !rest[0].is_word() {
        return None;
    }
    let dot = rest[..length].iter().rposition(|c| c.text == ".")?;
    let top = joined(&rest[dot + 1..length]);
    let path = slash + 1;
    // Of a path that may be as long as the text, only where it is one.
    let digit = || {
        let part = |c: &&Cluster| is_latin(c, false) || matches!(c.text, "/" | "-" | "_");
        let mut slug = clusters[path..].iter().take(LONGEST).take_while(part);
        slug.any(|c| c.kind == Kind::Digit)
    };
    let country = top.len() == 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
    let host = joined(&rest[..length]).to_ascii_lowercase();
    let known = COMMON.contains(&top.to_ascii_lowercase().as_str())
        || SHORTENING.contains(&host.as_str())
        || (country && digit());
    if !(known && in_one_case(&top) && rest[dot - 1].is_word()) {
        return None;
    }
    if is_glued(clusters, at, at + length) {
        return None;
    }
    let end = path_end(clusters, slash);
    (end > path).then_some(end)
}

/// The end of a host by itself: in small letters, and its last part one that is no word. Of those who leave out the blank behind a
/// full stop most begin what follows with a capital.
fn site_end(clusters: &[Cluster], at: usize) -> Option<usize> {
    /// The longest part of a host (RFC 1035), and the most parts.
    const LONGEST: usize = 63;
    const MOST: usize = 8;
    const TOPS: [&str; 13] = [
        "com", "org", "net", "gov", "edu", "mil", "io", "co", "uk", "de", "ru", "jp", "nl",
    ];
    /// What goes before the part of a country.
    const SECOND: [&str; 7] = ["com", "co", "org", "net", "gov", "edu", "ac"];
    let small = |c: &Cluster| {
        let first = c.text.as_bytes().first();
        let small = matches!(first, Some(b'a'..=b'z' | b'0'..=b'9' | b'-'));
        small && (c.text.len() == 1 || c.is_marked())
    };
    let part = |from: usize| {
        let rest = clusters.get(from..).unwrap_or_default();
        let length = run_length(&rest[..rest.len().min(LONGEST)], small);
        let whole = length > 0 && rest[0].is_word() && rest[length - 1].is_word();
        let goes_on = |c: &Cluster| c.is_ascii_based() && !rest[length - 1].is_marked();
        (whole && !rest.get(length).is_some_and(goes_on)).then_some(from + length)
    };
    // Most words end here.
    if clusters.get(part(at)?)?.text != "." {
        return None;
    }
    let mut names = Vec::new();
    let (mut from, mut end) = (at, at);
    while names.len() < MOST
        && let Some(next) = part(from)
    {
        names.push(bases(&clusters[from..next]));
        end = next;
        if clusters.get(end).is_none_or(|c| c.text != ".") {
            break;
        }
        from = end + 1;
    }
    let letter = |c: char| c.is_ascii_alphabetic();
    let known = match names.as_slice() {
        [_, .., second, top] if top.len() == 2 && SECOND.contains(&second.as_str()) => {
            top.chars().all(letter)
        }
        _ => false,
    };
    let [first, .., top] = names.as_slice() else {
        return None;
    };
    let known = (known || TOPS.contains(&top.as_str())) && first.contains(letter);
    (known && !is_glued(clusters, at, end)).then(|| root_end(clusters, behind_port(clusters, end)))
}

/// What they are together without marks on them.
fn bases(clusters: &[Cluster]) -> String {
    clusters
        .iter()
        .filter_map(|c| c.text.chars().next())
        .collect()
}

/// An ASCII digit.
fn is_digit(cluster: &Cluster) -> bool {
    matches!(cluster.text.as_bytes(), [b'0'..=b'9'])
}

/// The end of the port behind a host, if there is one: `:8080`, or `:80/`, where `bbc.com:10 things` has none.
fn behind_port(clusters: &[Cluster], host: usize) -> usize {
    const LONGEST: usize = 5;
    let rest = clusters.get(host..).unwrap_or_default();
    let [colon, rest @ ..] = rest else {
        return host;
    };
    let digits = rest.iter().take(LONGEST + 1);
    let digits = digits.take_while(|c| is_digit(c)).count();
    let slash = rest.get(digits).is_some_and(|c| c.text == "/");
    let port =
        colon.text == ":" && (if slash { 2..=LONGEST } else { 4..=LONGEST }).contains(&digits);
    if port { host + 1 + digits } else { host }
}

/// The end of the slash of a host's first page, if there is one: `nasa.gov/`, where `nasa.gov/usa` has two words.
fn root_end(clusters: &[Cluster], at: usize) -> usize {
    let is = |at: usize, mark: &str| clusters.get(at).is_some_and(|c| c.text == mark);
    let word = clusters.get(at + 1).is_some_and(Cluster::is_word);
    if is(at, "/") && !word { at + 1 } else { at }
}

/// Whether in the host between `at` and `end`, all of it ASCII, another link begins.
fn is_glued(clusters: &[Cluster], at: usize, end: usize) -> bool {
    (at + 1..end).any(|inner| link_inside(clusters, at, inner))
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
        if cluster.is_marked() && (query || !is_accented(cluster)) {
            return at + 1;
        } else if mark == "?" {
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
            if short_form(clusters, at).is_some() {
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

/// Whether its marks are accents, which a path may have.
fn is_accented(cluster: &Cluster) -> bool {
    let mut marks = cluster.text.chars().skip(1);
    marks.all(|c| matches!(c, '\u{300}'..='\u{36F}'))
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
const URL_PREFIXES: [&str; 6] = [
    "http://",
    "https://",
    "ftp://",
    "www.",
    "pic.twitter.com/",
    "pic.x.com/",
];

/// Whether a link begins at cluster `at`, inside the word that begins at `start`: `Houstonpic.twitter.com/x`.
pub(super) fn link_inside(clusters: &[Cluster], start: usize, at: usize) -> bool {
    let clusters = unbroken(clusters, at);
    match url_prefix(clusters[at].ahead) {
        // `Awww.so sweet`
        Some(prefix) if prefix == "www.".len() => {
            let host = at + prefix..host_end(clusters, at + prefix);
            clusters[host].iter().any(|c| c.text == ".")
        }
        Some(prefix) => url_end(clusters, at, prefix).is_some(),
        None => short_link_inside(clusters, start, at),
    }
}

/// Whether `t.co/` and a slug begin at `at`. Hosts end so too (`pinterest.co/x`): it is taken for a link
/// only behind a name with a capital, and where the slug is no word in small letters.
fn short_link_inside(clusters: &[Cluster], start: usize, at: usize) -> bool {
    const LONGEST: usize = 16;
    let head = clusters.get(at..at + 5).unwrap_or_default();
    if !head.iter().map(|c| c.text).eq(["t", ".", "c", "o", "/"]) {
        return false;
    }
    let word = &clusters[start..at];
    let letters = word.iter().all(|c| c.kind == Kind::Letter);
    let capital = |c: &Cluster| c.text.starts_with(char::is_uppercase);
    let slug = clusters[at + 5..].iter().take(LONGEST);
    let mut slug = slug.take_while(|c| is_latin(c, false));
    let coded = slug.any(|c| capital(c) || c.kind == Kind::Digit);
    letters && word.iter().any(capital) && coded
}

/// Length in bytes of the URL prefix that `text` begins with, in any case.
fn url_prefix(text: &str) -> Option<usize> {
    let head = |n| text.as_bytes().get(..n).unwrap_or_default();
    URL_PREFIXES
        .iter()
        .map(|p| p.as_bytes())
        .find(|p| p.eq_ignore_ascii_case(head(p.len())))
        .map(<[u8]>::len)
}

/// [`url_prefix`] where a word begins: there any scheme makes it a URL, and so does `mailto:`.
fn link_prefix(text: &str) -> Option<usize> {
    /// The longest scheme.
    const LONGEST: usize = 16;
    const MAIL: &[u8] = b"mailto:";
    let bytes = text.as_bytes();
    let scheme = || {
        let fits = |b: &&u8| b.is_ascii_alphanumeric() || matches!(**b, b'+' | b'-' | b'.');
        let length = bytes.iter().take(LONGEST).take_while(fits).count();
        if length < 2 || !bytes[length..].starts_with(b"://") {
            return None;
        }
        // `readhttp://` is a word and a link, and so is `Paris-ftp://`.
        let scheme = text[..length].to_ascii_lowercase();
        let glued = ["http", "https", "-ftp", ".ftp"];
        let glued = glued.into_iter().any(|end| scheme.ends_with(end));
        (bytes[0].is_ascii_alphabetic() && !glued).then_some(length + "://".len())
    };
    let mail = || {
        let head = bytes.get(..MAIL.len())?;
        head.eq_ignore_ascii_case(MAIL).then_some(MAIL.len())
    };
    url_prefix(text).or_else(scheme).or_else(mail)
}

/// Whether a word that is read is a link or an address: nothing is named in it.
pub(crate) fn is_link(word: &str) -> bool {
    link_prefix(word).is_some() || is_address(word) || is_bare_link(word)
}

/// Whether a word that is read is a link without a scheme.
fn is_bare_link(word: &str) -> bool {
    // Most words end here.
    if !word.contains('.') {
        return false;
    }
    let reading = Reading::of_read(word);
    let clusters = clusters(&reading);
    bare_link_end(&clusters, 0) == Some(clusters.len())
}
