//! Against the tools themselves: `tests/reference/annotations.py` ran them.

use super::*;
use std::fs;
use std::path::PathBuf;

fn folder(name: &str) -> PathBuf {
    let reference = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/reference/annotations"
    );
    PathBuf::from(reference).join(name)
}

fn file(name: &str) -> TextFile {
    let path = folder(name);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    TextFile { name, text }
}

fn brat_files(name: &str) -> Vec<TextFile> {
    let mut names: Vec<String> = fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
        .iter()
        .map(|one| file(&format!("{name}/{one}")))
        .collect()
}

fn truth() -> Vec<Document> {
    let file = file("documents.jsonl");
    Format::Mner
        .read(&[file], &ReadOptions::default())
        .unwrap()
        .documents
}

/// A text and its spans with their types.
type Spans<'a> = (&'a str, Vec<(std::ops::Range<usize>, &'a str)>);

/// Texts with the spans in them.
fn spans(documents: &[Document]) -> Vec<Spans<'_>> {
    let span = |span: &'_ Span| span.bytes.clone();
    let spans = |document: &'_ Document| document.spans.iter().map(span).collect::<Vec<_>>();
    documents
        .iter()
        .map(|document| {
            let kinds = document.spans.iter().map(|span| span.kind.as_str());
            (
                document.text.as_str(),
                spans(document).into_iter().zip(kinds).collect(),
            )
        })
        .collect()
}

/// The entities of each document without the space between their words.
fn names(documents: &[Document]) -> Vec<Vec<String>> {
    let name = |document: &Document, span: &Span| {
        let words: Vec<&str> = document.of(span).split_whitespace().collect();
        format!("{} {}", span.kind, words.concat())
    };
    let names = |document: &Document| {
        document
            .spans
            .iter()
            .map(|span| name(document, span))
            .collect()
    };
    documents.iter().map(names).collect()
}

#[test]
fn what_tools_write_is_read_as_they_mean_it() {
    let truth = truth();
    let graphemes = ReadOptions {
        offsets: Some(Unit::Graphemes),
        ..ReadOptions::default()
    };
    for (name, format, options) in [
        ("spacy.json", Format::Spacy, ReadOptions::default()),
        ("spacy.jsonl", Format::Spacy, ReadOptions::default()),
        ("prodigy.jsonl", Format::Prodigy, ReadOptions::default()),
        (
            "doccano-utf16.jsonl",
            Format::Doccano,
            ReadOptions::default(),
        ),
        ("doccano-graphemes.jsonl", Format::Doccano, graphemes),
        (
            "label-studio-min.json",
            Format::LabelStudio,
            ReadOptions::default(),
        ),
    ] {
        let file = file(&format!("tools/{name}"));
        assert_eq!(
            Format::detect(std::slice::from_ref(&file)),
            Some(format),
            "{name}"
        );
        let read = format.read(&[file], &options).unwrap();
        assert_eq!(spans(&read.documents), spans(&truth), "{name}");
    }
    let read = Format::Brat
        .read(&brat_files("tools/brat"), &ReadOptions::default())
        .unwrap();
    assert_eq!(spans(&read.documents), spans(&truth));
    assert!(read.losses.is_empty(), "{:?}", read.losses);
}

#[test]
fn names_are_the_same_in_formats_of_words() {
    let truth = truth();
    let info = file("tools/dataset_info.json");
    let options = ReadOptions {
        names: token_lists::names(&info.text).unwrap(),
        ..ReadOptions::default()
    };
    for (name, format) in [
        ("conllu.conllu", Format::ConllU),
        ("datasets.jsonl", Format::Datasets),
        ("label-studio.conll", Format::Conll4),
    ] {
        let file = file(&format!("tools/{name}"));
        assert_eq!(
            Format::detect(std::slice::from_ref(&file)),
            Some(format),
            "{name}"
        );
        let read = format.read(&[file], &options).unwrap();
        assert_eq!(names(&read.documents), names(&truth), "{name}");
    }
}

/// The files that the tools were shown are those that are written.
#[test]
fn what_tools_have_read_is_what_is_written() {
    let truth = truth();
    for format in Format::ALL {
        let writing = format.write(&truth, &WriteOptions::default());
        let lost: Vec<&Loss> = writing
            .losses
            .iter()
            .filter(|loss| loss.is_span())
            .collect();
        assert!(lost.is_empty(), "{lost:?}");
        if format == Format::Brat {
            let mut written = writing.files;
            written.sort_by(|a, b| a.name.cmp(&b.name));
            assert_eq!(written, brat_files("written/brat"));
            continue;
        }
        let name = format!("written/{}{}", format.name(), format.ending());
        assert_eq!(writing.files[0].text, file(&name).text, "{name}");
    }
}

#[test]
fn tags_mean_what_they_mean_to_seqeval() {
    let cases: serde_json::Value = serde_json::from_str(&file("schemes.json").text).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 100);
    for case in cases {
        let tags: Vec<&str> = case["tags"].as_str().unwrap().split(' ').collect();
        let found = tags::entities(&tags).unwrap().into_iter();
        let found: Vec<serde_json::Value> = found
            .map(|(words, kind)| serde_json::json!([words.start, words.end, kind]))
            .collect();
        assert_eq!(case["lenient"], serde_json::json!(found), "{case}");
    }
}
