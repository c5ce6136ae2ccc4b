//! The white space between the words of a CoNLL-U sentence, and the text that they make.

use std::ops::Range;

/// A token and the white space around it.
pub(super) struct Token {
    pub(super) form: String,
    pub(super) before: String,
    /// `None` where nothing is said: a blank, or nothing at the text's end.
    pub(super) after: Option<String>,
    /// Whether the space was spelled out.
    pub(super) spelled: bool,
}

/// A token of a row.
pub(super) fn token(form: &str, misc: &str) -> Token {
    let part = |name: &str| {
        misc.split('|')
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    let spelled = part("SpacesAfter").map(unescaped);
    let before = part("SpacesBefore").map(unescaped);
    let none = part("SpaceAfter") == Some("No");
    Token {
        form: form.to_owned(),
        spelled: spelled.is_some() || before.is_some(),
        before: before.unwrap_or_default(),
        after: spelled.or_else(|| none.then(String::new)),
    }
}

/// White space as UDPipe writes it.
const ESCAPES: [(char, char); 6] = [
    (' ', 's'),
    ('\t', 't'),
    ('\n', 'n'),
    ('\r', 'r'),
    ('|', 'p'),
    ('\\', '\\'),
];

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut signs = text.chars();
    while let Some(c) = signs.next() {
        let meant = match c {
            '\\' => signs.clone().next().and_then(|next| {
                let found = ESCAPES.iter().find(|(_, letter)| *letter == next);
                found.map(|(meant, _)| *meant)
            }),
            _ => None,
        };
        match meant {
            Some(meant) => {
                signs.next();
                out.push(meant);
            }
            None => out.push(c),
        }
    }
    out
}

/// As [`unescaped`] reads it.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match ESCAPES.iter().find(|(meant, _)| *meant == c) {
            Some((_, letter)) => out.extend(['\\', *letter]),
            None => out.push(c),
        }
    }
    out
}

/// The places of tokens in a text in which they follow each other with nothing but white space between.
pub(super) fn aligned(text: &str, tokens: &[Token]) -> Option<Vec<Range<usize>>> {
    let mut found = Vec::with_capacity(tokens.len());
    let mut at = 0;
    for token in tokens {
        let rest = &text[at..];
        let start = match rest.starts_with(&token.form) {
            true => at,
            false => text.len() - rest.trim_start().len(),
        };
        text[start..].strip_prefix(&token.form)?;
        at = start + token.form.len();
        found.push(start..at);
    }
    text[at..].trim().is_empty().then_some(found)
}

/// The text that tokens make with the space between them.
pub(super) fn joined(tokens: &[Token]) -> (String, Vec<Range<usize>>) {
    let (mut text, mut found) = (String::new(), Vec::with_capacity(tokens.len()));
    for (at, token) in tokens.iter().enumerate() {
        text.push_str(&token.before);
        let start = text.len();
        text.push_str(&token.form);
        found.push(start..text.len());
        let last = at + 1 == tokens.len();
        match &token.after {
            Some(after) => text.push_str(after),
            None if last => {}
            None => text.push(' '),
        }
    }
    (text, found)
}
