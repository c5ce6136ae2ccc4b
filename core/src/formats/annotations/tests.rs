//! What every format has in common: what goes out comes in again, and nothing panics.

use super::*;
use proptest::prelude::*;
use std::ops::Range;

const OFFSETS: [Format; 6] = [
    Format::Mner,
    Format::Doccano,
    Format::LabelStudio,
    Format::Prodigy,
    Format::Brat,
    Format::Spacy,
];
const TAGS: [Format; 8] = [
    Format::ImgId,
    Format::Conll2,
    Format::Conll4,
    Format::Numbered,
    Format::Jsonl,
    Format::Datasets,
    Format::ConllU,
    Format::UniversalNer,
];

fn read_back(format: Format, writing: &Writing) -> Vec<Document> {
    let reading = format.read(&writing.files, &ReadOptions::default());
    let reading = reading.unwrap_or_else(|error| panic!("{}: {error}\n{writing:?}", format.name()));
    assert!(
        reading.losses.is_empty(),
        "{}: {:?}",
        format.name(),
        reading.losses
    );
    let mut documents = reading.documents;
    documents
        .iter_mut()
        .for_each(|document| document.place.clear());
    documents
}

/// A text and its spans with their types.
type Plain = (String, Vec<(Range<usize>, String)>);

/// What every format keeps: texts and spans.
fn plain(documents: &[Document]) -> Vec<Plain> {
    let span = |span: &Span| (span.bytes.clone(), span.kind.clone());
    let plain = |document: &Document| {
        let spans = document.spans.iter().map(span);
        (document.text.clone(), spans.collect())
    };
    documents.iter().map(plain).collect()
}

/// A text of words, emoji, marks and white space.
fn texts() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "Sunita",
        "in",
        "東京",
        "👩🏽‍🚀",
        "🇺🇸",
        "é",
        "e\u{301}",
        "\n",
        " ",
        "  ",
        "@nasa",
        "#Boeing",
        "\"",
        "\\n",
        "|",
        "=",
        "\u{200b}",
        "\u{a0}",
        "\r\n",
        "\t",
        "<b>",
        "O",
        "{",
        "𝓑",
    ]);
    prop::collection::vec(parts, 1..12).prop_map(|parts| parts.concat())
}

fn documents() -> impl Strategy<Value = Document> {
    let spans = prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
            "[A-C]{1,3}",
        ),
        0..5,
    );
    (texts(), spans, any::<bool>()).prop_map(|(text, places, image)| {
        let borders: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        let mut document = Document {
            text,
            ..Document::default()
        };
        for (a, b, kind) in places {
            let (a, b) = (*a.get(&borders), *b.get(&borders));
            if a != b {
                document.spans.push(Span::new(a.min(b)..a.max(b), kind));
            }
        }
        if image {
            document.images = vec!["a/b.jpg".to_owned()];
        }
        document.sort();
        document.spans.dedup();
        document
    })
}

/// Words with entities over them, as columns have them.
fn labelled_words() -> impl Strategy<Value = Document> {
    let words = prop::sample::select(vec![
        "Sunita",
        "in",
        "東京",
        "👩🏽‍🚀",
        "é",
        "#",
        "#Boeing",
        "@",
        "{\"",
        "[",
        "1",
        "O",
        "B-PER",
        "IMGID:",
        "ke s",
        "\u{200b}",
        "=",
        "|",
        "_",
        "\u{a0}",
        "-",
    ]);
    let parts = prop::collection::vec((words, 0..4usize, "[A-C]"), 1..12);
    parts.prop_map(|parts| {
        let words: Vec<&str> = ["RT"]
            .into_iter()
            .chain(parts.iter().map(|part| part.0))
            .collect();
        let mut document = Document::of_words(&words);
        let tokens = document.tokens.clone().unwrap();
        let mut at = 1;
        while at < words.len() {
            let (_, size, kind) = &parts[at - 1];
            let end = (at + size).min(words.len());
            if end > at {
                let bytes = tokens[at].start..tokens[end - 1].end;
                document.spans.push(Span::new(bytes, kind.as_str()));
            }
            at = end.max(at + 1);
        }
        document
    })
}

/// `cat` of files that begin with a mark.
#[test]
fn files_that_were_put_together_are_read() {
    for (format, text) in [
        (
            Format::Doccano,
            r#"{"text": "in Oslo", "label": [[3, 7, "LOC"]]}"#,
        ),
        (Format::Conll2, "in\tO\nOslo\tB-LOC\n"),
    ] {
        let text = format!("\u{feff}{text}\n\u{feff}{text}\n");
        let name = String::new();
        let files = [TextFile { name, text }];
        assert_eq!(Format::detect(&files), Some(format));
        let read = format.read(&files, &ReadOptions::default()).unwrap();
        let found = read.documents.iter().map(|one| one.of(&one.spans[0]));
        assert_eq!(found.collect::<Vec<_>>(), ["Oslo", "Oslo"]);
    }
}

/// A line as the format that it is, or looks like where that is not asked for.
fn spans_of(format: Option<Format>, text: &str) -> Result<Vec<Plain>, String> {
    let files = [TextFile {
        name: String::new(),
        text: text.to_owned(),
    }];
    let format = format.or(Format::detect(&files)).ok_or("no format")?;
    let reading = format.read(&files, &ReadOptions::default());
    let reading = reading.map_err(|error| error.to_string())?;
    Ok(plain(&reading.documents))
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (format, line, sentence) in [
        (
            Format::Mner,
            r#"{"text":"Obama in","entities":[{"type":"PER","chars":[0,5],"text":"Rome"}]}"#,
            "0 to 5 is \"Obama\" in the text, but annotated as \"Rome\"",
        ),
        (
            Format::Mner,
            r#"{"text":"Obama in","entities":[{"type":"PER","chars":[0,5],"utf16":[6,8]}]}"#,
            "6 to 8 is \"in\" in the text, but annotated as \"Obama\"",
        ),
        (
            Format::Mner,
            r#"{"text":"in in","entities":[{"type":"PER","chars":[0,2],"bytes":[3,5]}]}"#,
            "offsets are of one stretch",
        ),
        (
            Format::Prodigy,
            r#"{"text":"Obama in","spans":[{"start":0,"end":5,"label":"PER","text":"Rome"}]}"#,
            "annotated as \"Rome\"",
        ),
        (
            Format::Prodigy,
            r#"{"text":"Obama in","tokens":[{"text":"Obama","start":0,"end":4},{"start":6,"end":8}],"spans":[]}"#,
            "0 to 4 is \"Obam\" in the text, but annotated as \"Obama\"",
        ),
        (
            Format::Prodigy,
            r#"{"text":"Obama in Rome","tokens":[{"start":0,"end":5},{"start":9,"end":13}],"spans":[]}"#,
            "\"in\" in the text is in none of its tokens",
        ),
        (
            Format::Doccano,
            "{\"text\":\"Obama\",\"label\":[[0,5,\"PER\"]]}\n{\"text\":\"Obama\",\"spans\":[{\"start\":0,\"end\":5,\"label\":\"PER\"}]}",
            "line 2: found [{",
        ),
        (
            Format::Mner,
            r#"{"text":"Obama","label":[[0,5,"PER"]]}"#,
            "expected entities {",
        ),
    ] {
        let error = spans_of(Some(format), line).expect_err(line);
        assert!(error.contains(sentence), "{error}");
    }
}

#[test]
fn spacy_is_read_in_all_its_forms() {
    let obama = vec![(0..5, "PER".to_owned())];
    for line in [
        r#"[["Obama in Rome",{"spans":{"sc":[[0,5,"PER"]]}}]]"#,
        r#"["Obama in Rome",{"entities":[],"spans":{"a":[],"b":[{"start":0,"end":5,"label":"PER"}]}}]"#,
        r#"{"text":"Obama in Rome","ents":[{"start":0,"end":5,"label":"PER"}],"sents":[],"tokens":[{"id":0,"start":0,"end":5}]}"#,
        r#"["Obama in Rome",{"entities":[[0,5,"PER"]],"spans":{"sc":[[6,8,"X"]]}}]"#,
    ] {
        let read = spans_of(None, line);
        let expected = vec![("Obama in Rome".to_owned(), obama.clone())];
        assert_eq!(read, Ok(expected), "{line}");
    }
    // doccano's where nobody labelled anything.
    let unlabelled = spans_of(None, r#"{"id":1,"text":"Obama","label":null}"#);
    assert_eq!(unlabelled, Ok(vec![("Obama".to_owned(), Vec::new())]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Offsets of every unit, in every format that has offsets: the same spans, or each that is missing is named.

#[test]
    fn spans_come_back_from_every_format_with_offsets(
        documents in prop::collection::vec(documents(), 1..4),
    ) {
        for format in OFFSETS {
            for offsets in [None, Some(Unit::Chars), Some(Unit::Utf16), Some(Unit::Graphemes), Some(Unit::Bytes)] {
                if format == Format::Mner && offsets.is_some() {
                    continue;
                }
                let writing = format.write(&documents, &WriteOptions { offsets, ..WriteOptions::default() });
                let options = ReadOptions { offsets, ..ReadOptions::default() };
                let reading = format.read(&writing.files, &options);
                let read = reading.map_err(|error| TestCaseError::fail(format!("{}: {error}", format.name())))?;
                prop_assert!(read.losses.is_empty());
                let lost = writing.losses.iter().filter(|loss| loss.is_span()).count();
                let count = |documents: &[Document]| documents.iter().map(|d| d.spans.len()).sum::<usize>();
                prop_assert_eq!(count(&read.documents) + lost, count(&documents), "{}", format.name());
                for (read, written) in plain(&read.documents).iter().zip(plain(&documents)) {
                    prop_assert_eq!(&read.0, &written.0);
                    prop_assert!(read.1.iter().all(|span| written.1.contains(span)));
                }
                let says_all = matches!(format, Format::Mner | Format::Doccano | Format::LabelStudio | Format::Prodigy);
                if says_all && offsets != Some(Unit::Graphemes) {
                    prop_assert_eq!(lost, 0);
                }
                if says_all && offsets.is_none() {
                    let mut expected = documents.clone();
                    expected.iter_mut().for_each(|document| document.place.clear());
                    prop_assert_eq!(read_back(format, &writing), expected, "{}", format.name());
                }
            }
        }
    }

    /// Words and entities, in every format of tags and in every scheme.
    #[test]
    fn words_come_back_from_every_format_with_tags(
        documents in prop::collection::vec(labelled_words(), 1..4),
    ) {
        for format in TAGS {
            for scheme in [Scheme::Iob1, Scheme::Iob2, Scheme::Bioes] {
                let writing = format.write(&documents, &WriteOptions { scheme, ..WriteOptions::default() });
                prop_assert!(!writing.losses.iter().any(Loss::is_span), "{:?}", writing.losses);
                let read = read_back(format, &writing);
                prop_assert_eq!(plain(&read), plain(&documents), "{} {}", format.name(), scheme.name());
                for (read, written) in read.iter().zip(&documents) {
                    prop_assert_eq!(&read.tokens, &written.tokens);
                }
                let options = ReadOptions { scheme: Some(scheme), ..ReadOptions::default() };
                let asked = format.read(&writing.files, &options);
                prop_assert_eq!(plain(&asked.unwrap().documents), plain(&documents));
            }
        }
    }

    /// CoNLL-U has the white space of any text.
    #[test]
    fn a_text_comes_back_from_conllu(document in documents()) {
        let writing = Format::ConllU.write(std::slice::from_ref(&document), &WriteOptions::default());
        if writing.files[0].text.is_empty() {
            return Ok(());
        }
        let kept = !writing.losses.iter().any(|loss| loss.to_string().contains("in a word"));
        prop_assert!(kept);
        let read = read_back(Format::ConllU, &writing);
        prop_assert_eq!(&read[0].text, &document.text);
    }

    /// From any format to any other by way of a third: the spans stay.
    #[test]
    fn formats_agree_with_each_other(document in labelled_words()) {
        let documents = [document];
        for first in Format::ALL {
            let once = read_back(first, &first.write(&documents, &WriteOptions::default()));
            for second in Format::ALL {
                let twice = read_back(second, &second.write(&once, &WriteOptions::default()));
                if OFFSETS.contains(&first) && TAGS.contains(&second) {
                    // Words are cut anew where the first format has none.
                    continue;
                }
                prop_assert_eq!(plain(&twice), plain(&documents), "{} {}", first.name(), second.name());
            }
        }
    }

    #[test]
    fn what_is_written_is_known_again(documents in prop::collection::vec(labelled_words(), 1..3)) {
        // Of a tweet without entities several formats write the same.
        prop_assume!(documents.iter().all(|document| !document.spans.is_empty()));
        for format in Format::ALL {
            let writing = format.write(&documents, &WriteOptions::default());
            prop_assert_eq!(Format::detect(&writing.files), Some(format), "{}", writing.files[0].text);
        }
    }

    #[test]
    fn nothing_panics(text in any_file(), other: String) {
        for format in Format::ALL {
            let name = |ending: &str| TextFile { name: format!("a{ending}"), text: text.clone() };
            let files = match format {
                Format::Brat => vec![name(".ann"), TextFile { name: "a.txt".to_owned(), text: other.clone() }],
                _ => vec![name("")],
            };
            let _ = Format::detect(&files);
            for offsets in [None, Some(Unit::Utf16), Some(Unit::Graphemes)] {
                let options = ReadOptions { offsets, scheme: None, names: vec!["O".to_owned(), "B-A".to_owned()] };
                if let Ok(reading) = format.read(&files, &options) {
                    for second in Format::ALL {
                        let _ = second.write(&reading.documents, &WriteOptions::default());
                    }
                }
            }
        }
        let _ = token_lists::names(&text);
    }
}

/// Files that are almost of a format: pieces of all of them in any order.
fn any_file() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        r#"{"text": "Obama 👩", "label": [[0, 5, "PER"]]}"#,
        r#"{"text": "Obama", "label": [[5, 0, "PER"]], "id": 1e400}"#,
        r#"{"text": "Obama", "entities": [{"start_offset": -1, "end_offset": 99999999999999999999, "label": ""}]}"#,
        r#"{"text": "Obama", "spans": [{"start": 0, "end": 2.0, "label": "PER"}], "tokens": [{"start": 3, "end": 4}, {"start": 0, "end": 1}]}"#,
        r#"{"data": {"text": "Obama"}, "annotations": [{"result": [{"type": "labels", "value": {"start": 0, "end": 5, "labels": ["A", "B"]}}]}]}"#,
        r#"{"data": {"a": "b", "c": "d"}, "predictions": [{"result": null}]}"#,
        r#"["Obama", {"entities": [[0, 5, "PER", 3]]}]"#,
        r#"{"tokens": ["", "a"], "ner_tags": [1, 0]}"#,
        r#"{"tokens": ["a"], "labels": ["E-A"]}"#,
        "[",
        "]",
        ",",
        "{",
        "}",
        "\n",
        "\n",
        "\n\n",
        "\t",
        "O",
        "B-PER",
        "I-PER",
        "S-PER",
        "E-",
        "-DOCSTART-",
        "IMGID:7",
        "1",
        "2",
        "1-2",
        "8.1",
        "_",
        "# text = Obama",
        "# sent_id",
        "T1\tPerson 0 5;8 9\tObama",
        "T2\tPerson 5 0\tx",
        "T3\tA 0 1\tO",
        "R1\tx",
        "\u{feff}",
        "NE=B-PER|SpacesAfter=\\s\\",
        "\r",
        "Obama",
        "👩",
        "\0",
        " ",
    ]);
    prop_oneof![
        any::<String>(),
        prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat()),
    ]
}

#[test]
fn a_list_of_no_documents_is_written_and_said_to_be_empty() {
    for format in Format::ALL {
        let writing = format.write(&[], &WriteOptions::default());
        let error = format
            .read(&writing.files, &ReadOptions::default())
            .unwrap_err();
        assert_eq!(error, AnnotationError::Empty(format));
    }
}
