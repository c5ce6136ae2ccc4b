//! The program with the text in images, and the reader that ships.

mod program;

use program::{fail, path, run, succeed, with_bundle};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

fn repository(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name);
    root.to_str().unwrap().to_owned()
}

/// Drawn by `tests/ocr/posters.py`: three names and a line more.
const SAYS: &str = "VEGA RECORDS\nPriya Petrova\nDublin\nWITH SPECIAL GUESTS";

#[test]
fn the_reader_that_ships_reads_a_poster_and_finds_its_names() {
    let [ocr, bundle, poster] =
        ["www/models/ocr", "www/models/text", "tests/ocr/poster.png"].map(repository);
    let read = succeed(&["ocr", "--ocr", &ocr, "--bundle", &bundle, &poster]);
    let read: Value = serde_json::from_str(&read).unwrap();
    let lines = read["lines"].as_array().unwrap();
    let text = |value: &Value| value["text"].as_str().unwrap().to_owned();
    let said: Vec<String> = lines.iter().map(text).collect();
    assert_eq!(said.join("\n"), SAYS);
    for line in lines {
        let [left, top, right, bottom] = bounds(&line["bounds"]);
        assert!(0.0 <= left && left < right && right <= read["width"].as_f64().unwrap());
        assert!(0.0 <= top && top < bottom && bottom <= read["height"].as_f64().unwrap());
    }
    let entities = read["entities"].as_array().unwrap();
    for name in ["Priya Petrova", "Dublin"] {
        let entity = entities.iter().find(|entity| entity["text"] == name);
        let entity = entity.unwrap_or_else(|| panic!("{name} is not in {entities:?}"));
        let line = lines.iter().find(|line| line["text"] == name).unwrap();
        let [at] = &entity["bounds"].as_array().unwrap()[..] else {
            panic!("{entity}");
        };
        // Its words lie in its line.
        let (words, line) = (bounds(at), bounds(&line["bounds"]));
        assert!(
            words[0] >= line[0] - 1.0 && words[2] <= line[2] + 1.0,
            "{words:?} {line:?}"
        );
    }
}

fn bounds(value: &Value) -> [f64; 4] {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn a_folder_without_a_reader_and_a_file_without_an_image_are_explained() {
    let bundle = with_bundle("text");
    let none = path(&bundle, "bundle");
    let poster = repository("tests/ocr/poster.png");
    let said = fail(&["ocr", "--ocr", &none, &poster], 1);
    assert!(said.contains("ocr.bpk"), "{said}");
    fs::write(format!("{none}/ocr.bpk"), b"none").unwrap();
    let said = fail(&["ocr", "--ocr", &none, &poster], 1);
    assert!(
        said.contains("the folder holds no reader of text"),
        "{said}"
    );
}

#[test]
fn images_that_cannot_be_read_are_answered_with_their_errors() {
    let ocr = repository("www/models/ocr");
    let folder = tempfile::tempdir().unwrap();
    let [lost, broken] = ["lost.png", "broken.jpg"].map(|name| path(&folder, name));
    fs::write(&broken, b"<html>404</html>").unwrap();
    let poster = repository("tests/ocr/poster.png");
    let output = run(&["ocr", "--ocr", &ocr, &lost, &broken, &poster]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("2 of 3 images could not be read"), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!([&lines[0]["image"], &lines[1]["image"]], [&lost, &broken]);
    assert!(lines[0]["error"].as_str().unwrap().contains("No such file"));
    assert!(lines[1]["error"].as_str().unwrap().contains("not an image"));
    assert!(lines[2]["error"].is_null() && lines[2]["lines"].is_array());
}
