//! Files of annotation tools as corpora.

use crate::data::corpus::{Sample, Source, read};

/// A file of this name and content as samples, words and labels.
fn read_file(name: &str, text: &str, settings: &str) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let source = format!(r#"{{"path": "some.txt"{settings}}}"#);
    let mut source: Source = serde_json::from_str(&source).unwrap();
    source.path = folder.path().join(name);
    std::fs::write(&source.path, text).unwrap();
    let samples = source.read().map_err(|error| error.to_string())?;
    let show = |sample: &Sample| {
        let words = sample.tokens.iter().zip(&sample.labels);
        let words: Vec<_> = words
            .map(|(word, label)| format!("{word}/{label}"))
            .collect();
        words.join(" ")
    };
    Ok(samples.iter().map(show).collect())
}

#[test]
fn files_of_annotation_tools_are_read() {
    for text in [
        r#"{"tokens": ["Obama", "!"], "ner_tags": ["B-person", "O"]}"#,
        r#"{"tokens": ["Obama", "!"], "tags": ["S-person", "O"]}"#,
        r#"{"id": 1, "text": "Obama!", "label": [[0, 5, "PER"]]}"#,
        r#"{"id": 1, "text": "Obama!", "labels": [[0, 5, "PERSON"]]}"#,
        r#"{"id": 1, "data": "Obama!", "label": [[0, 5, "PERSON"]]}"#,
        r#"{"id": 1, "text": "Obama!", "entities": [{"id": 1, "label": "PER", "start_offset": 0, "end_offset": 5}], "relations": []}"#,
        r#"{"text": "Obama!", "tokens": [{"text": "Obama", "start": 0, "end": 5, "id": 0}, {"text": "!", "start": 5, "end": 6}],
            "spans": [{"start": 0, "end": 5, "label": "PER"}], "answer": "accept"}"#,
        r#"{"text": "Obama!", "spans": [{"start": 0, "end": 5, "label": "PER"}]}"#,
        r#"[{"id":1,"annotations":[{"result":[{"type":"labels","value":{"start":0,"end":5,"labels":["PER"]}}]}],"data":{"text":"Obama!"}}]"#,
        r#"[["Obama!", {"entities": [[0, 5, "PERSON"]]}]]"#,
        "1\tObama\t_\tPROPN\t_\t_\t0\troot\t_\tB-PER\n2\t!\t_\t_\t_\t_\t_\t_\t_\t_\n",
        "# sent_id = 1\n1\tObama\tB-PER\t-\tann\n2\t!\tO\t-\t-\n",
        "Obama\tS-PER\n!\tO\n",
        "Obama\tI-PER\n!\tO\n",
    ] {
        // One object over two lines is one, too.
        let read = read_file("some.json", text, "");
        assert_eq!(read, Ok(vec!["Obama/B-PER !/O".to_owned()]), "{text}");
    }
    let numbers = r#"{"tokens": ["Obama", "!"], "ner_tags": [1, 0]}"#;
    assert_eq!(
        read_file("a.jsonl", numbers, r#", "names": ["O", "B-PER"]"#),
        Ok(vec!["Obama/B-PER !/O".to_owned()])
    );
    let error = read_file("a.jsonl", numbers, "").unwrap_err();
    assert!(
        error.contains("a.jsonl: line 1: found the number 1 for a tag, and 0 names"),
        "{error}"
    );
}

#[test]
fn spans_that_are_no_words_are_refused_or_left_out_aloud() {
    let text = concat!(
        r#"{"text": "Obama in Rome", "label": [[0, 5, "PER"], [0, 3, "PER"], [9, 13, "GPE"], [9, 13, "DATE"]]}"#,
        "\n",
        r#"{"text": "👩 Obama", "label": [[3, 8, "PER"]]}"#,
    );
    let error = read_file("a.jsonl", text, "").unwrap_err();
    assert!(
        error.contains("2 annotated span(s)")
            && error.contains("line 1: the span \"Oba\" (PER, code points 0 to 3)")
            && error.contains("\"unfit_spans\": \"drop\""),
        "{error}"
    );
    let drop = r#", "unfit_spans": "drop""#;
    let read = read_file("a.jsonl", text, drop).unwrap();
    assert_eq!(read[1], "👩/O Obama/B-PER");
    // The type first by name of the two at one place.
    assert_eq!(read[0], "Obama/B-PER in/O Rome/O");
    let chars = format!(r#"{drop}, "offsets": "chars""#);
    let error = read_file("a.jsonl", text, &chars).unwrap_err();
    assert!(
        error.contains("line 2: the span 3 to 8 (PER) is none of this text of 7 code points"),
        "{error}"
    );
    let unknown = r#"{"text": "Obama", "label": [[0, 5, "drug"]]}"#;
    let error = read_file("a.jsonl", unknown, "").unwrap_err();
    assert!(
        error.contains("a.jsonl: line 1: found the type `drug`"),
        "{error}"
    );
    assert_eq!(
        read_file("a.jsonl", unknown, r#", "labels": {"drug": "MISC"}"#),
        Ok(vec!["Obama/B-MISC".to_owned()])
    );
}

#[test]
fn labels_that_are_all_as_iob1_writes_them_become_bio() {
    // One that only IOB2 has leaves them as they are.
    let iob1 = "a\tI-PER\nb\tI-PER\nc\tB-PER\n";
    let read = |text: &str, settings: &str| read_file("a.conll", text, settings).unwrap().join(" ");
    assert_eq!(read(iob1, ""), "a/B-PER b/I-PER c/B-PER");
    let iob2 = "a\tI-PER\nb\tI-PER\nc\tB-LOC\n";
    assert_eq!(read(iob2, ""), "a/I-PER b/I-PER c/B-LOC");
    assert_eq!(
        read(iob2, r#", "scheme": "iob1""#),
        "a/B-PER b/I-PER c/B-LOC"
    );
}

#[test]
fn brat_is_read_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("7.txt", "Obama\nin 東京 now");
    write(
        "7.ann",
        "T1\tPerson 0 5\tObama\nT2\tGPE 9 11\t東京\nR1\tIn Arg1:T1 Arg2:T2\n",
    );
    for path in [
        folder.path().to_owned(),
        folder.path().join("7.ann"),
        folder.path().join("7.txt"),
    ] {
        let samples = read(path).unwrap();
        assert_eq!(samples[0].id.as_deref(), Some("7"));
        let words: Vec<_> = samples[0].tokens.iter().zip(&samples[0].labels).collect();
        let words: Vec<_> = words
            .iter()
            .map(|(word, label)| format!("{word}/{label}"))
            .collect();
        assert_eq!(words.join(" "), "Obama/B-PER in/O 東/B-LOC 京/I-LOC now/O");
    }
    let other = tempfile::tempdir().unwrap();
    let file = |name: &str| other.path().join(name);
    std::fs::write(file("7.TXT"), "Obama won").unwrap();
    std::fs::write(file("7.ANN"), "\u{feff}T1\tPerson 0 5\tObama\n").unwrap();
    for path in [file(""), file("7.ANN"), file("7.TXT")] {
        let samples = read(path).unwrap();
        assert_eq!(samples[0].labels[0].to_string(), "B-PER");
    }
    write("8.ann", "T1\tPerson 0 5\tObama\n");
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("8.ann: there is no 8.txt beside it"),
        "{error}"
    );
}
