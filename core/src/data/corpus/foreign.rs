//! Formats that are not read, told by name.

use crate::data::corpus::Fault;
use crate::formats::annotations::{Format, TextFile};
use serde_json::Value;

const TO_JSONL: &str =
    "write lines of {\"tokens\": [..], \"labels\": [..]} from its words and spans";

/// The fault for a first line that is no format's, if it is known whose it is.
pub(super) fn line(line: &str) -> Option<Fault> {
    let (name, remedy) = if line.starts_with("Sentence: ") || line.starts_with("Sentence #") {
        (
            "a table with a column of sentence numbers",
            "keep the columns word and label, with a blank line between sentences",
        )
    } else if line.starts_with('[') {
        return Some(array());
    } else if line.starts_with('<') {
        ("XML", TO_JSONL)
    } else if line.starts_with("PAR1") {
        ("a Parquet file", TO_JSONL)
    } else {
        return None;
    };
    Some(Fault::Foreign { name, remedy })
}

/// The fault for a file that is one JSON array of nothing that is known.
fn array() -> Fault {
    Fault::Foreign {
        name: "a JSON array of nothing that is known",
        remedy: "write one object a line, {\"tokens\": [..], \"labels\": [..]}; `jq -c '.[]'` cuts an array into lines",
    }
}

/// The fault for a JSON object without words and their labels, if it is known whose it is.
pub(super) fn object(line: &str) -> Option<Fault> {
    let text = line.to_owned();
    let name = String::new();
    match Format::detect(&[TextFile { name, text }]) {
        Some(
            format @ (Format::Doccano
            | Format::LabelStudio
            | Format::Prodigy
            | Format::Datasets
            | Format::Spacy),
        ) => Some(of_a_tool(format)),
        _ => {
            let value: Value = serde_json::from_str(line).ok()?;
            let spacy = value.get("paragraphs").is_some() || value.get("cats").is_some();
            spacy.then_some(Fault::Foreign {
                name: "spaCy's training data of version 2",
                remedy: TO_JSONL,
            })
        }
    }
}

/// The fault for a line of an annotation tool's where a corpus is read line by line.
pub(super) fn of_a_tool(format: Format) -> Fault {
    Fault::Foreign {
        name: format.shape(),
        remedy: "if all of the file is such, name its format, as in \"format\": \"doccano\" (`--format doccano`), else part the two",
    }
}
