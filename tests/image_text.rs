//! The program that says in words what is in images, with what ships.

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

#[test]
fn an_image_is_described_named_and_read() {
    let [bundle, captioner, ocr, poster] = [
        "www/models/ita",
        "www/models/caption",
        "www/models/ocr",
        "tests/ocr/poster.png",
    ]
    .map(repository);
    let own = ["image-text", "--bundle", &bundle, &poster];
    let said: Value = serde_json::from_str(&succeed(&own)).unwrap();
    assert_eq!(said["id"], "poster");
    assert_eq!(said["image"], poster);
    assert!(!said["objects"].as_array().unwrap().is_empty(), "{said}");
    assert_eq!(said["captions"], serde_json::json!([]));
    assert_eq!(said["ocr"], serde_json::json!([]));

    // An image that cannot be read does not stop the others.
    let lost = ["image-text", "--bundle", &bundle, "lost.png", &poster];
    let output = run(&lost);
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout).unwrap();
    let (first, second) = printed.trim_end().split_once('\n').unwrap();
    let first: Value = serde_json::from_str(first).unwrap();
    assert_eq!(
        (&first["id"], &first["image"]),
        (&"lost".into(), &"lost.png".into())
    );
    assert!(first["error"].is_string(), "{first}");
    assert_eq!(serde_json::from_str::<Value>(second).unwrap(), said);

    let more = ["--captioner", &captioner, "--ocr", &ocr];
    let said: Value = serde_json::from_str(&succeed(&[&own[..], &more].concat())).unwrap();
    let captions = said["captions"].as_array().unwrap();
    assert_eq!(captions.len(), 1);
    assert!(captions[0].as_str().unwrap().contains(' '), "{said}");
    let lines: Vec<&str> = said["ocr"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(lines.contains(&"Priya Petrova"), "{lines:?}");
}

#[test]
fn what_is_no_captioner_and_what_places_no_image_are_explained() {
    let bundle = with_bundle("hamlearning");
    let random = path(&bundle, "bundle");
    let poster = repository("tests/ocr/poster.png");
    let captioner = repository("www/models/caption");
    let own = ["image-text", "--bundle", &random, &poster, "--captioner"];
    let failed = |captioner: &str| fail(&[&own[..], &[captioner]].concat(), 1);
    let said = failed(&random);
    assert!(said.contains("caption.bpk"), "{said}");
    fs::write(format!("{random}/caption.bpk"), b"none").unwrap();
    let said = failed(&random);
    assert!(said.contains("the folder holds no captioner"), "{said}");
    // A model of random weights has no projector.
    let said = failed(&captioner);
    assert!(said.contains("mner match"), "{said}");
    let text = repository("www/models/text");
    let said = fail(&["image-text", "--bundle", &text, &poster], 1);
    assert!(said.contains("reads text alone"), "{said}");
}
