//! What a parser of JSON says of one line, and what other languages write for a value and JSON does not have.

const WORDS: [&str; 9] = [
    "NaN",
    "nan",
    "-Infinity",
    "Infinity",
    "inf",
    "undefined",
    "None",
    "True",
    "False",
];

/// What a parser said of a line of a file: where in the line, which to the parser was the first.
pub fn in_line(error: &serde_json::Error) -> String {
    error
        .to_string()
        .replace(" at line 1 column ", " at column ")
}

/// A sentence on the word of another language at which a parser stopped, in this column of a line, if it is one.
pub fn no_value(line: &str, column: usize) -> Option<String> {
    // The parser stops at a word's first letter or, after a sign, at its second.
    let start = column.saturating_sub(2).min(line.len());
    let near = line.as_bytes()[start..].trim_ascii_start();
    let stopped = near.len().min(3);
    let stands = |word: &str, at: usize| {
        let rest = near[at..].strip_prefix(word.as_bytes());
        rest.is_some_and(|rest| {
            !matches!(
                rest.first(),
                Some(b'"' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')
            )
        })
    };
    let found = WORDS
        .iter()
        .find(|word| (0..=stopped).any(|at| stands(word, at)))?;
    Some(format!(
        "{found} (column {column}) is no value of JSON; write null, true, false or a number"
    ))
}
