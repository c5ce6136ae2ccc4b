//! A line of a JSONL stream: the tweet and the images in it, and the line as it goes out. The first byte says which member is read
//! and how the answer's names begin.

// The program's own file, which is no part of the library.
#[allow(dead_code)]
#[path = "../../../core/src/bin/mner/record.rs"]
mod record;

use mner_core::formats::lone_surrogates::without_lone_surrogates;
use record::{MOST_IMAGES, Record};
use serde_json::{Map, Value, json};

const FIELDS: [&str; 4] = ["text", "full_text", "data.text", "extended_tweet.full_text"];
const PREFIXES: [Option<&str>; 3] = [None, Some("ner_"), Some("\"\\")];

/// Tries one input.
pub fn run(bytes: &[u8]) {
    let Some((&how, line)) = bytes.split_first() else {
        return;
    };
    let how = usize::from(how);
    let field = FIELDS[how % 4];
    let record = match Record::parse(line, field) {
        Ok(record) => record,
        Err(error) => {
            assert!(!error.is_empty());
            return;
        }
    };
    let _ = record.tweet(field);
    assert!(record.images().0.len() <= MOST_IMAGES);
    let entities = json!({ "entities": [], "image_error": "\u{1F600}\"" });
    let fault = json!({ "error": "x", "line": 1 });
    let came = str::from_utf8(line).expect("what is not UTF-8 is refused");
    let came = came
        .trim_ascii()
        .trim_start_matches('\u{feff}')
        .trim_ascii();
    for members in [&entities, &fault].map(|value| value.as_object().expect("an object")) {
        let out = record.answered(members, PREFIXES[how / 4 % 3]);
        assert!(out.starts_with(&came[..came.len() - 1]));
        let objects = [came, &out].map(|json| {
            let mended = without_lone_surrogates(json.as_bytes());
            serde_json::from_slice::<Map<String, Value>>(&mended)
        });
        match objects {
            [Ok(came), Ok(out)] => {
                assert_eq!(out.len(), came.len() + members.len());
                for (name, value) in &came {
                    assert_eq!(&out[name], value);
                }
                for (name, value) in members {
                    let mut found = out.iter().filter(|(given, _)| !came.contains_key(*given));
                    assert!(
                        found
                            .any(|(given, found)| given.ends_with(name.as_str()) && found == value)
                    );
                }
            }
            // Numbers that no f64 holds are copied and not read.
            [Err(_), Err(_)] => {}
            [came, out] => panic!("{came:?} became {out:?}"),
        }
    }
}
