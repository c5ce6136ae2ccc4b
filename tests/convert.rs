//! The program with files of annotation tools, in and out.

mod program;

use program::{fail, path, piped, run};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Standard output and standard error of a command that does what it should.
fn succeed(args: &[&str]) -> (String, String) {
    let output = run(args);
    let said = text(&output.stderr);
    assert!(output.status.success(), "mner {args:?}: {said}");
    (text(&output.stdout), said)
}

fn with_file(name: &str, content: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = path(&folder, name);
    fs::write(&file, content).unwrap();
    (folder, file)
}

#[test]
fn a_file_is_converted_and_what_was_guessed_is_said() {
    let doccano = json!({"id": 7, "text": "👩 Sunita in Houston", "label": [[3, 9, "PERSON"], [13, 20, "GPE"]], "image": "a.jpg"});
    let (folder, file) = with_file("in.jsonl", &format!("{doccano}\n"));
    let (out, said) = succeed(&["convert", "--to", "prodigy", &file, "-"]);
    assert!(
        said.contains("taken for doccano, offsets in UTF-16 units"),
        "{said}"
    );
    assert!(said.contains("wrote 1 texts with 2 spans"), "{said}");
    let record: Value = serde_json::from_str(&out).unwrap();
    // The type's name stays; Python counts characters.
    assert_eq!(
        record["spans"][0],
        json!({"start": 2, "end": 8, "label": "PERSON"})
    );
    assert_eq!(
        (&record["id"], &record["image"]),
        (&json!("7"), &json!("a.jpg"))
    );

    let brat = path(&folder, "brat");
    succeed(&["convert", "--from", "doccano", "--to", "brat", &file, &brat]);
    let ann = fs::read_to_string(Path::new(&brat).join("7.ann")).unwrap();
    assert_eq!(ann, "T1\tPERSON 2 8\tSunita\nT2\tGPE 12 19\tHouston\n");
    let conf = fs::read_to_string(Path::new(&brat).join("annotation.conf")).unwrap();
    assert!(conf.starts_with("[entities]\nGPE\nPERSON\n"), "{conf}");
    let (out, said) = succeed(&[
        "convert",
        "--to",
        "conll2",
        "--to-scheme",
        "bioes",
        &brat,
        "-",
    ]);
    assert!(said.contains("taken for brat"), "{said}");
    assert_eq!(out, "👩\tO\nSunita\tS-PERSON\nin\tO\nHouston\tS-GPE\n\n");
    assert!(fail(&["convert", "--to", "brat", &file, "-"], 1).contains("name a folder"));
    let (_, nothing) = with_file("x.txt", "no format at all\n");
    assert!(fail(&["convert", "--to", "jsonl", &nothing, "-"], 1).contains("x.txt"));
}

#[test]
fn files_of_no_format_are_told_by_what_is_wrong_with_them() {
    let wrong = |bytes: &[u8]| {
        let (_folder, file) = with_file("x.txt", "");
        fs::write(&file, bytes).unwrap();
        let said = fail(&["convert", "--to", "conll2", &file, "-"], 1);
        assert!(said.contains("x.txt:"), "{said}");
        said
    };
    for (text, sentence) in [
        ("De Art O\nParis N B-LOC\n", "CoNLL-2002"),
        ("1-1 De Art x B-LOC\n1-2 b c d O\n", "{print $2"),
        ("1 De Art x B-LOC\n2 b c d O\n", "{print $2"),
        ("word,label\nObama,B-PER\n", "a line of names"),
        ("Obama\t1\nwon\t0\n", "labels as numbers"),
        ("a\tO\rb\tO\rc\tO\r", "carriage return"),
        ("{\"text\": \"a\"}\r{\"text\": \"b\"}\r", "carriage return"),
        ("Obama\tPER\nwon\tO\n", "found the label `PER`"),
        ("Obama\tB_PER\nwon\tO\n", "write `B-PER`"),
        ("word\ttag\nObama\tB-PER\n", "the head of a table"),
        ("won\tO\nObama\tPER\n", "line 2: found the tag `PER`"),
        (
            "{\"text\": \"a\", \"entities\": []}\n{\"text\": \"a\", \"score\": NaN}\n",
            "line 2: not JSON: NaN (column 24)",
        ),
        (
            "[\n{\"text\": \"a\",\n \"score\": NaN}\n]\n",
            "not JSON: NaN (column 11)",
        ),
        ("{\"text\": \"a\",}\n", "line 1: not JSON: trailing comma"),
        (
            "{\"text\":\"Obama in\",\"label\":[[0,5,\"PER\"]]}\nxx\n",
            "line 2: not JSON: expected value at column 1",
        ),
        ("[CLS]\tX\nObama\tB-PER\n", "looks like no format"),
        ("[@Obama#PER*] in [@Rome#LOC*]\n", "YEDDA"),
        ("no format at all\n", "looks like no format"),
        ("{\"a\": 1}\n", "looks like no format"),
    ] {
        let said = wrong(text.as_bytes());
        assert!(said.contains(sentence), "{text:?}: {said}");
    }
    assert!(wrong(b"\x1f\x8b\x08\0").contains("gzip -dc"));
    assert!(wrong(b"\xff\xfea\0\t\0O\0\n\0").contains("UTF-16"));
    let wide = "a\tO\n".chars().flat_map(|c| u32::from(c).to_be_bytes());
    let wide: Vec<u8> = wide.collect();
    assert!(wrong(&wide).contains("iconv -f UTF-32BE -t UTF-8"));
    let (folder, _) = with_file("a.txt", "Obama won");
    let said = fail(
        &[
            "convert",
            "--to",
            "conll2",
            folder.path().to_str().unwrap(),
            "-",
        ],
        1,
    );
    assert!(said.contains("no .ann file is in this folder"), "{said}");
}

#[test]
fn spans_that_words_cannot_say_stop_a_conversion_unless_they_are_to_go() {
    let lines = concat!(
        r#"{"text": "Obama in Rome", "spans": [{"start": 0, "end": 5, "label": "PER"}, {"start": 0, "end": 3, "label": "X"}]}"#,
        "\n"
    );
    let (folder, file) = with_file("in.jsonl", lines);
    let out = path(&folder, "out.conll");
    let said = fail(&["convert", "--to", "conll2", &file, &out], 1);
    assert!(
        said.contains("line 1: the span \"Oba\" (X, code points 0 to 3) cuts a word")
            && said.contains("--unfit-spans drop"),
        "{said}"
    );
    assert!(!Path::new(&out).exists(), "nothing is written");
    let (_, said) = succeed(&[
        "convert",
        "--to",
        "conll2",
        "--unfit-spans",
        "drop",
        &file,
        &out,
    ]);
    assert!(
        said.contains("cuts a word") && said.contains("1 spans"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(&out).unwrap(),
        "Obama\tB-PER\nin\tO\nRome\tO\n\n"
    );
}

#[test]
fn numbers_are_tags_once_their_names_are_known() {
    let (folder, file) = with_file("in.jsonl", "{\"tokens\": [\"Rome\"], \"ner_tags\": [1]}\n");
    let said = fail(&["convert", "--to", "conll2", &file, "-"], 1);
    assert!(said.contains("`--names O,B-PER,I-PER,...`"), "{said}");
    let (out, _) = succeed(&[
        "convert", "--to", "conll2", "--names", "O,B-LOC", &file, "-",
    ]);
    assert_eq!(out, "Rome\tB-LOC\n\n");
    let (_columns, file_of_columns) = with_file("in.txt", "Rome\t1\nis\t0\n");
    let names = [
        "convert", "--from", "conll2", "--to", "conll2", "--names", "O,B-LOC",
    ];
    let (out, _) = succeed(&[&names[..], &[&file_of_columns, "-"]].concat());
    assert_eq!(out, "Rome\tB-LOC\nis\tO\n\n");
    let info = json!({"features": {"ner_tags": {"feature": {"names": ["O", "B-GPE"], "_type": "ClassLabel"}}}});
    fs::write(folder.path().join("dataset_info.json"), info.to_string()).unwrap();
    let (out, _) = succeed(&["convert", "--to", "conll2", &file, "-"]);
    assert_eq!(out, "Rome\tB-GPE\n\n");
}

#[test]
fn answers_and_scores_speak_other_tools_formats() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = path(&folder, "bundle");
    succeed(&["init", "--out", &bundle]);
    let tweet = "👩 Sunita Williams is back in Houston with #Boeing";
    let input = path(&folder, "in.jsonl");
    let record = json!({"id": 7, "text": tweet, "user": "ann", "image": "lost.jpg"});
    fs::write(&input, format!("{record}\n{{\"text\": 3}}\n")).unwrap();
    let json = run(&["predict", "--bundle", &bundle, "--input", &input, "--json"]).stdout;
    let answer: Value = serde_json::from_str(text(&json).lines().next().unwrap()).unwrap();
    let entities = answer["entities"].as_array().unwrap();
    assert!(!entities.is_empty(), "random weights find something");

    // What went wrong is passed over when answers are read again.
    let answers = path(&folder, "answers.jsonl");
    fs::write(&answers, &json).unwrap();
    let (again, said) = succeed(&["convert", "--to", "mner", &answers, "-"]);
    assert!(said.contains("1 answer(s) that say why"), "{said}");
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["entities"].as_array().unwrap().len(), entities.len());
    // Also from the API's members.
    let api = path(&folder, "api.jsonl");
    let record = json!({"id": 7, "full_text": tweet, "entities": {"urls": []}});
    fs::write(&api, format!("{record}\n")).unwrap();
    let field = ["predict", "--bundle", &bundle, "--json", "--input", &api];
    let (json, _) = succeed(&[&field[..], &["--field", "full_text"]].concat());
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["mner_read_field"], "full_text");
    fs::write(&answers, &json).unwrap();
    let (from_api, _) = succeed(&["convert", "--to", "doccano", &answers, "-"]);
    let from_api: Value = serde_json::from_str(&from_api).unwrap();
    assert_eq!(from_api["text"], tweet);
    assert_eq!(from_api["label"].as_array().unwrap().len(), entities.len());
    let scored = [
        "evaluate", "--bundle", &bundle, "--data", &answers, "--json",
    ];
    let scores: Value = serde_json::from_str(&succeed(&scored).0).unwrap();
    assert_eq!(scores["lenient"]["micro"]["support"], entities.len());

    let out = path(&folder, "out.json");
    let said = fail(
        &[
            "predict",
            "--bundle",
            &bundle,
            "--input",
            &input,
            "--format",
            "label-studio",
            "--out",
            &out,
        ],
        1,
    );
    assert!(
        said.contains("line 2: \"text\" is not a string")
            && said.contains("line 1: this model reads text alone"),
        "{said}"
    );
    let tasks: Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(tasks[0]["id"], 7);
    assert_eq!(
        tasks[0]["data"],
        json!({"text": tweet, "user": "ann", "image": "lost.jpg"})
    );
    let prediction = &tasks[0]["predictions"][0];
    assert_eq!(prediction["model_version"], "mner text");
    for (region, entity) in prediction["result"]
        .as_array()
        .unwrap()
        .iter()
        .zip(entities)
    {
        assert_eq!(
            json!([region["value"]["start"], region["value"]["end"]]),
            entity["chars"]
        );
        assert_eq!(region["value"]["labels"][0], entity["type"]);
        assert_eq!(region["score"], entity["confidence"]);
    }

    // Scored against its own answers, the model is right, whatever format they are in.
    let text_file = path(&folder, "one.jsonl");
    fs::write(&text_file, format!("{}\n", json!({"id": 7, "text": tweet}))).unwrap();
    for format in [
        "doccano",
        "label-studio",
        "spacy",
        "prodigy",
        "conll2",
        "conllu",
        "datasets",
        "brat",
    ] {
        let out = path(&folder, &format!("gold.{format}"));
        succeed(&[
            "predict", "--bundle", &bundle, "--input", &text_file, "--format", format, "--out",
            &out,
        ]);
        let (printed, _) = succeed(&["evaluate", "--bundle", &bundle, "--data", &out, "--json"]);
        let scores: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(
            scores["lenient"]["micro"]["support"],
            json!(entities.len()),
            "{format}"
        );
        let (asked, _) = succeed(&[
            "evaluate", "--bundle", &bundle, "--data", &out, "--format", format, "--json",
        ]);
        assert_eq!(asked, printed, "{format}");
    }
}

#[test]
fn what_is_not_utf_8_is_told_how_to_be_from_a_file_and_from_standard_input() {
    let latin = b"Angela\tB-PER\nin\tO\nM\xfcnchen\tB-LOC\n\n".to_vec();
    let wide = "Angela\tB-PER\n\n".encode_utf16();
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(wide.flat_map(u16::to_le_bytes))
        .collect();
    for (bytes, why) in [
        (latin, "byte 20 is not UTF-8"),
        (wide, "iconv -f UTF-16 -t UTF-8"),
    ] {
        let (_folder, file) = with_file("some.txt", "");
        fs::write(&file, &bytes).unwrap();
        let said = fail(&["convert", "--to", "jsonl", &file, "-"], 1);
        assert!(
            said.contains(why) && said.matches("some.txt").count() == 1,
            "{said}"
        );

        let mut child = piped(&["convert", "--to", "jsonl", "-", "-"]);
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.contains(why), "{said}");
    }
}
