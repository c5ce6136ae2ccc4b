//! Formats of other programs, told by name.

use crate::data::corpus::Fault;
use crate::data::corpus::format::columns;
use serde_json::Value;

const TO_JSONL: &str =
    "write lines of {\"tokens\": [..], \"labels\": [..]} from its words and spans";

/// The fault for a first line that is no format's, if it is known whose it is.
pub(super) fn line(line: &str) -> Option<Fault> {
    let columns = columns(line);
    let (name, remedy) = if is_brat(line) {
        (
            "a brat annotation file (.ann)",
            "export its documents as CoNLL, with brat's tools/anntoconll.py, and give the two columns word and label",
        )
    } else if line.starts_with("Sentence: ") || line.starts_with("Sentence #") {
        (
            "a table with a column of sentence numbers",
            "keep the columns word and label, with a blank line between sentences",
        )
    } else if columns.len() == 10
        && columns[0]
            .split(['-', '.'])
            .all(|n| n.parse::<u32>().is_ok())
    {
        (
            "CoNLL-U",
            "keep the columns word and label, for example by `cut -f2,10` where the last one is the label",
        )
    } else if line.starts_with('[') {
        return Some(array(line));
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

/// `T1<TAB>Person 0 5<TAB>Obama` and the like.
fn is_brat(line: &str) -> bool {
    let mut fields = line.split('\t');
    let id = fields.next().unwrap_or_default();
    let numbered = id.split_at_checked(1).is_some_and(|(kind, number)| {
        "TREAMN#".contains(kind) && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    });
    let span = fields.next().unwrap_or_default();
    let words = span.split(' ').count();
    numbered && line.contains('\t') && words >= 2
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

/// A file that is one JSON array.
fn array(line: &str) -> Fault {
    let has = |key: &str| line.contains(&format!("\"{key}\""));
    let (name, remedy) = if has("annotations") || has("completions") || (has("id") && has("data")) {
        (
            "a Label Studio export",
            "export it as CONLL2003 there, or write lines of {\"tokens\": [..], \"labels\": [..]} from its spans",
        )
    } else if has("entities") {
        ("spaCy training data", TO_JSONL)
    } else {
        (
            "a JSON array",
            "write one object a line, {\"tokens\": [..], \"labels\": [..]}; `jq -c '.[]'` cuts an array into lines. Label Studio \
             exports such arrays: export CONLL2003 there",
        )
    };
    Fault::Foreign { name, remedy }
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
    let value: Value = serde_json::from_str(line).ok()?;
    let has = |key: &str| value.get(key).is_some();
    let first = |key: &str| value.get(key).and_then(|list| list.get(0));
    let spans = |key: &str| {
        let list = value.get(key).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().all(|span| span.is_array() || span.is_object()))
    };
    let whole = |key: &str| first(key).is_some_and(Value::is_number);
    let (name, remedy) = if has("annotations") && has("data") || has("completions") {
        (
            "a Label Studio export",
            "export it as CONLL2003 there, or write lines of {\"tokens\": [..], \"labels\": [..]} from its spans",
        )
    } else if has("spans") && (has("text") || has("tokens")) {
        (
            "a Prodigy export",
            "write {\"tokens\": [..], \"labels\": [..]} from its tokens and spans, for example by `prodigy data-to-spacy` and spaCy's \
             offsets_to_biluo_tags",
        )
    } else if ["labels", "ner_tags", "tags", "ner"].into_iter().any(whole) {
        (
            "labels as numbers, as Hugging Face datasets write them",
            "write their names: dataset.features[\"ner_tags\"].feature.int2str gives each",
        )
    } else if has("text") && ["label", "labels", "entities"].into_iter().any(spans) {
        (
            "a doccano export",
            "write {\"tokens\": [..], \"labels\": [..]} from its spans, for example by the package doccano-transformer",
        )
    } else if has("paragraphs") || has("cats") {
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
    } else if has("tokens")
        && !has("labels")
        && ["ner_tags", "tags", "ner", "label"]
            .into_iter()
            .any(|key| first(key).is_some_and(Value::is_string))
    {
        (
            "labels under another name than \"labels\"",
            "rename the member, for example by `jq -c '{tokens, labels: .ner_tags}'`",
        )
    } else {
        return None;
    };
    Some(Fault::Foreign { name, remedy })
}
