//! Formats that are not read, told by name.

use crate::data::corpus::Fault;
use crate::formats::annotations::lines::{columns, counts_words};
use crate::formats::annotations::{Format, TextFile};
use serde_json::Value;

const TO_JSONL: &str =
    "write lines of {\"tokens\": [..], \"labels\": [..]} from its words and spans";

/// UTF-16, by its mark or the zeros in it.
pub(super) const UTF_16: Fault = Fault::Foreign {
    name: "UTF-16",
    remedy: "save the file as UTF-8, for example by `iconv -f UTF-16 -t UTF-8`",
};

/// Columns that begin with the number of the sentence and that of the word.
pub(super) fn sentence_numbers() -> Fault {
    Fault::Foreign {
        name: "the number of a sentence and of a word, a word and a label",
        remedy: "keep the third and the last column, with a blank line between sentences, for example by `awk 'NF {if (NR > 1 && $1 != s) print \"\"; s = $1; print $3 \"\\t\" $NF}'`",
    }
}

/// Columns that are none of the formats', the last a label, by the lines of the first tweet.
pub(super) fn more_columns(lines: &[&str]) -> Fault {
    let digits = |field: &str| field.ends_with(|c: char| c.is_ascii_digit());
    // Numbers, though they may not count from 1: `T7`, `s2-3`.
    let numbers = lines.len() > 1 && lines.iter().all(|line| digits(columns(line)[0]));
    let (name, remedy) = if numbers || counts_words(lines) {
        (
            "a number, a word, other columns and a label",
            "keep the second and the last column, for example by `awk 'NF {print $2 \"\\t\" $NF; next} {print}'`",
        )
    } else {
        (
            "a word, other columns and a label, as in CoNLL-2002 and OntoNotes",
            "keep the first and the last column, for example by `awk 'NF {print $1 \"\\t\" $NF; next} {print}'`",
        )
    };
    Fault::Foreign { name, remedy }
}

/// The fault for a first line whose characters or line ends are not read.
pub(super) fn encoding(line: &str) -> Option<Fault> {
    match line.as_bytes() {
        [1..=255, 0, 1..=255, 0, ..] | [0, 1..=255, 0, 1..=255, ..] => Some(UTF_16),
        line if line.contains(&b'\r') => Some(Fault::Foreign {
            name: "lines that end in a carriage return alone",
            remedy: "end them in line feeds, for example by `tr '\\r' '\\n'`",
        }),
        _ => None,
    }
}

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
    } else if line.starts_with("#FORMAT=WebAnno") {
        (
            "WebAnno TSV, as INCEpTION and WebAnno export it",
            "export CoNLL 2002 there",
        )
    } else if is_table_head(line) {
        (
            "a table with commas and a line of names",
            "write its columns word and label with a tab between them and a blank line between tweets",
        )
    } else {
        return None;
    };
    Some(Fault::Foreign { name, remedy })
}

/// `word,label` and the like: the names of the columns of a CSV file.
fn is_table_head(line: &str) -> bool {
    const NAMES: [&str; 12] = [
        "sentence",
        "sentence #",
        "sentence_id",
        "word",
        "words",
        "token",
        "tokens",
        "text",
        "tag",
        "tags",
        "label",
        "labels",
    ];
    let fields: Vec<String> = line
        .split([',', ';'])
        .map(|field| field.trim_matches([' ', '"']).to_lowercase())
        .collect();
    let known = fields
        .iter()
        .filter(|field| NAMES.contains(&field.as_str()));
    fields.len() > 1 && known.count() > 1
}

/// The fault for a file that is one JSON array of nothing that is known.
fn array() -> Fault {
    Fault::Foreign {
        name: "a JSON array of nothing that is known",
        remedy: "write one object a line, {\"tokens\": [..], \"labels\": [..]}; `jq -c '.[]'` cuts an array into lines",
    }
}

/// The fault for a label that is no BIO label, if it is known what it is.
pub(super) fn label(text: &str) -> Option<Fault> {
    let bioes = text.split_once('-').is_some_and(|(prefix, kind)| {
        ["S", "E", "U", "L", "M"].contains(&prefix) && !kind.is_empty()
    });
    let (name, remedy) = if bioes {
        (
            "labels that mark the ends of entities too (BIOES, BILOU)",
            "write B- for S- and U-, and I- for E-, L- and M-, for example by `sed -E 's/[SU](-[^\\t ]+)$/B\\1/; s/[ELM](-[^\\t ]+)$/I\\1/'`",
        )
    } else if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        (
            "labels as numbers",
            "write their names in their place: the list of names comes with the corpus",
        )
    } else {
        return None;
    };
    Some(Fault::Foreign { name, remedy })
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
        _ => of_its_members(line),
    }
}

/// The fault for an object of a tool whose format is not read.
fn of_its_members(line: &str) -> Option<Fault> {
    let value: Value = serde_json::from_str(line).ok()?;
    let has = |key: &str| value.get(key).is_some();
    let spans = |key: &str| {
        let list = value.get(key).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().all(|span| span.is_array() || span.is_object()))
    };
    let whole = |key: &str| value.get(key).is_some_and(|list| list[0].is_number());
    let (name, remedy) = if has("paragraphs") || has("cats") {
        ("spaCy training data", TO_JSONL)
    } else if has("tokenized_text") && has("ner") {
        (
            "GLiNER's training data",
            "write {\"tokens\": [..], \"labels\": [..]} from its spans of tokens, whose ends are inside",
        )
    } else if has("content") && has("annotation") {
        ("a Dataturks export", TO_JSONL)
    } else if has("text_snippet")
        || has("text_segment_annotations")
        || has("textSegmentAnnotations")
    {
        ("Google's format of annotated text", TO_JSONL)
    } else if has("annotatable") || has("anncomplete") {
        ("a tagtog export", TO_JSONL)
    } else if has("sentences") && has("ner") {
        (
            "DyGIE's format",
            "write {\"tokens\": [..], \"labels\": [..]} from its sentences and spans of tokens, whose ends are inside",
        )
    } else if has("tokens") && !has("labels") && spans("entities") {
        (
            "tokens with spans over them, as SpERT reads them",
            "write {\"tokens\": [..], \"labels\": [..]} from its spans of tokens, whose ends are outside",
        )
    } else if has("text") && (has("annotation") || has("annotations") || has("annotation_agent")) {
        ("an export of an annotation tool", TO_JSONL)
    } else if has("words") && ["labels", "tags", "ner_tags", "ner"].into_iter().any(has) {
        (
            "words under another name than \"tokens\"",
            "rename the members, for example by `jq -c '{tokens: .words, labels: .ner_tags}'`",
        )
    } else if ["labels", "ner_tags", "tags", "ner"].into_iter().any(whole) {
        (
            "labels as numbers",
            "write their names: dataset.features[\"ner_tags\"].feature.int2str gives each",
        )
    } else {
        return None;
    };
    Some(Fault::Foreign { name, remedy })
}

/// The fault for a line of an annotation tool's where a corpus is read line by line.
pub(super) fn of_a_tool(format: Format) -> Fault {
    Fault::Foreign {
        name: format.shape(),
        remedy: "if all of the file is such, name its format, as in \"format\": \"doccano\" (`--format doccano`), else part the two",
    }
}
