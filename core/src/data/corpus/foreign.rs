//! Formats that are not read, told by name.

use crate::data::corpus::Fault;
use crate::formats::annotations::lines::{begins_json, columns, counts_words};
use crate::formats::annotations::tags::is_tag;
use crate::formats::annotations::{Format, TextFile};
use crate::formats::encoding::other_encoding;
use serde_json::Value;

const TO_JSONL: &str =
    "write lines of {\"tokens\": [..], \"labels\": [..]} from its words and spans";

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

/// The fault for a first line whose characters are not read.
pub(super) fn encoding(line: &[u8]) -> Option<Fault> {
    other_encoding(line).map(|(name, command)| Fault::Encoding { name, command })
}

/// The fault for a first line whose end is not read.
pub(super) fn line_end(line: &str) -> Option<Fault> {
    line.contains('\r').then_some(Fault::Foreign {
        name: "lines that end in a carriage return alone",
        remedy: "end them in line feeds, for example by `tr '\\r' '\\n'`",
    })
}

/// The fault for a first line that is no format's, if it is known whose it is.
pub(super) fn line(line: &str) -> Option<Fault> {
    let (name, remedy) = if line.starts_with("Sentence: ") || line.starts_with("Sentence #") {
        (
            "a table with a column of sentence numbers",
            "keep the columns word and label, with a blank line between sentences",
        )
    } else if line.starts_with('[') && begins_json(line) {
        return Some(array());
    } else if line.contains("[@") && line.contains("*]") {
        ("annotation inside the text, as YEDDA has it", TO_JSONL)
    } else if line.contains("= [(") {
        (
            "source code of Python",
            "write its list with json.dump: that of spaCy, (text, {\"entities\": [..]}), is read so",
        )
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
    } else if is_separated(line) {
        (
            "a word and a label with a comma or semicolon between them",
            "put a tab there, for example by `mlr --icsv --otsv --implicit-csv-header --headerless-csv-output cat` (`--ifs ';'` for semicolons)",
        )
    } else if has_slashes(line) {
        (
            "words with their labels behind a slash",
            "write a word and its label a line with a tab between them, for example by `sed -E 's,/([^/ ]+)( |$),\\t\\1\\n,g'`",
        )
    } else {
        return None;
    };
    Some(Fault::Foreign { name, remedy })
}

/// `Obama,B-PER` and the like.
fn is_separated(line: &str) -> bool {
    let last = line
        .rsplit_once([',', ';'])
        .map(|(_, last)| last.trim_matches('"'));
    last.is_some_and(|last| is_tag(last) && !line.contains('\t'))
}

/// `Obama/B-PER in/O Rome/B-LOC` and the like.
fn has_slashes(line: &str) -> bool {
    let mut words = line.split(' ').map(|word| word.rsplit_once('/'));
    words.all(|word| word.is_some_and(|(_, tag)| is_tag(tag)))
}

/// `word,label` and the like: the names of the columns of a CSV file.
fn is_table_head(line: &str) -> bool {
    const NAMES: [&str; 15] = [
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
        "ner",
        "ner_tag",
        "ner_tags",
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
            "give their names in the order of the numbers, `--names O,B-PER,I-PER,...` (\"names\" of a corpus; mner convert needs --from too)",
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
        ) => Some(Fault::Tool { format }),
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
    let of_lists = |key: &str| value.get(key).is_some_and(|list| list[0].is_array());
    let piped = |key: &str| value["entities"][0].get(key).is_some();
    let (name, remedy) = if has("classes") && has("annotations") {
        (
            "an export of the NER annotator for spaCy",
            "write its list, for example by `jq -c '.annotations[] | select(.)'`, which is read as spaCy's",
        )
    } else if has("rasa_nlu_data") {
        ("Rasa's training data", TO_JSONL)
    } else if has("version") && value["data"].is_array() {
        (
            "records in a list under \"data\"",
            "put each on a line, for example by `jq -c '.data[]'`",
        )
    } else if of_lists("tokens") || of_lists("words") {
        (
            "a dataset as columns",
            "write a record a line, with dataset.to_json(file)",
        )
    } else if has("text") && (piped("entity_group") || piped("entity")) {
        (
            "answers of a pipeline of transformers",
            "rename their members, for example by `jq -c '.entities |= map({type: (.entity_group // .entity), chars: [.start, .end]})'`",
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
