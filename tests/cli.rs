//! The `mner` program as a person or a script uses it, on a tiny model of random weights.

mod program;

use program::{fail, mner, path, piped, run, succeed};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder with a bundle of random weights in `bundle`.
fn with_bundle() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    succeed(&["init", "--out", path(&folder, "bundle").as_str()]);
    folder
}

#[test]
fn spans_cut_the_entities_out_in_every_unit() {
    let folder = with_bundle();
    let bundle = path(&folder, "bundle");
    let tweet = "RT @nasa: 👩🏽‍🚀 Sunita Williams is back in Houston 🇺🇸 with #Boeing";
    let answer: Value = serde_json::from_str(&succeed(&[
        "predict", "--bundle", &bundle, "--text", tweet, "--json",
    ]))
    .unwrap();
    assert_eq!(answer["text"], tweet);
    let entities = answer["entities"].as_array().unwrap();
    assert!(!entities.is_empty(), "random weights find something");
    let (utf16, chars): (Vec<u16>, Vec<char>) =
        (tweet.encode_utf16().collect(), tweet.chars().collect());
    for entity in entities {
        let span = |unit: &str| {
            let at = |i: usize| entity[unit][i].as_u64().unwrap() as usize;
            at(0)..at(1)
        };
        let text = entity["text"].as_str().unwrap();
        assert_eq!(&tweet[span("bytes")], text);
        assert_eq!(String::from_utf16(&utf16[span("utf16")]).unwrap(), text);
        assert_eq!(chars[span("chars")].iter().collect::<String>(), text);
        let confidence = entity["confidence"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&confidence));
        assert!(["PER", "LOC", "ORG", "MISC"].contains(&entity["type"].as_str().unwrap()));
        assert_ne!(entity["runner_up"]["type"], entity["type"]);
    }
}

#[test]
fn a_stream_keeps_its_order_and_survives_bad_lines() {
    let folder = with_bundle();
    let bundle = path(&folder, "bundle");
    let long = "Houston ".repeat(1000);
    let mut lines = vec![
        json!({"id": 1, "text": "Sunita in Houston"}).to_string(),
        "{\"text\": ".to_owned(),
        json!({"text": 3}).to_string(),
        json!(["no object"]).to_string(),
        String::new(),
        json!({"text": ""}).to_string(),
        json!({"text": long}).to_string(),
    ];
    lines.extend(
        (0..150).map(|i| json!({"id": i, "text": format!("tweet {i} from Paris")}).to_string()),
    );

    let mut child = piped(&["predict", "--bundle", &bundle, "--input", "-", "--json"]);
    let mut stdin = child.stdin.take().unwrap();
    let input = lines.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();

    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(answers.len(), 6 + 150, "the blank line has no answer");
    assert_eq!(answers[0]["id"], 1);
    for (answer, line) in answers[1..4].iter().zip(2..) {
        assert_eq!(answer["line"], line);
        assert!(answer["error"].is_string());
    }
    assert_eq!(answers[4]["entities"], json!([]));
    assert!(answers[5]["entities"].is_array());
    for (i, answer) in answers[6..].iter().enumerate() {
        assert_eq!(answer["id"], i);
    }
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("3 of 157 lines could not be read"));
}

/// The lines that a stream is answered with.
fn answers(args: &[&str]) -> Vec<String> {
    succeed(args).lines().map(str::to_owned).collect()
}

#[test]
fn a_stream_comes_out_as_it_went_in() {
    let folder = with_bundle();
    let (bundle, input) = (path(&folder, "bundle"), path(&folder, "tweets.jsonl"));
    let lines = [
        r#"{ "z": 1.10, "id": 123456789012345678901234567890, "text": "Sunita in Houston", "a": 1, "a": 2 }"#,
        r#"{"text":"RT cut…","truncated":true,"extended_tweet":{"full_text":"Sunita is in Houston"},"entities":{"urls":[]}}"#,
        r#"{"text":"lone","other":"\ud83d"}"#,
    ];
    fs::write(&input, format!("\u{feff}{}\r\n", lines.join("\r\n"))).unwrap();
    let base = ["predict", "--bundle", &bundle, "--json", "--input", &input];
    let answered = answers(&base);
    assert_eq!(answered.len(), 3);
    for (line, answer) in lines.iter().zip(&answered) {
        assert!(answer.starts_with(&line[..line.len() - 1]), "{answer}");
    }
    let second: Value = serde_json::from_str(&answered[1]).unwrap();
    assert_eq!(second["entities"], json!({"urls": []}));
    assert_eq!(second["mner_read_field"], "extended_tweet.full_text");
    let whole = "Sunita is in Houston";
    for entity in second["mner_entities"].as_array().unwrap() {
        let at = |i: usize| entity["bytes"][i].as_u64().unwrap() as usize;
        assert_eq!(&whole[at(0)..at(1)], entity["text"]);
    }
    let field = [&base[..], &["--field", "extended_tweet.full_text"]].concat();
    let sentence = fail(&field, 1);
    assert!(sentence.contains("2 of 3 lines"), "{sentence}");
    let prefixed = answers(&[&base[..], &["--prefix", "ner_"]].concat());
    assert!(
        prefixed
            .iter()
            .all(|line| line.contains("\"ner_entities\":"))
    );

    // What is no JSON at all: a text file, or a table.
    fs::write(&input, "Obama in Paris\n2024\n[RT] Obama\nid,text\n").unwrap();
    let output = run(&base);
    assert_eq!(output.status.code(), Some(1));
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let answer: Value = serde_json::from_str(line).unwrap();
        let error = answer["error"].as_str().unwrap();
        assert!(
            error.contains("each line must be one with \"text\"")
                && error.contains("jq -Rc '{text: .}' tweets.txt"),
            "{error}"
        );
    }

    // The rest of the kind: no words for a number, and text that is no UTF-8.
    let bad = "{\"id\": 7, \"tweet\": \"x\"}\n{\"text\": \"x\", \"score\": NaN}\n";
    fs::write(&input, bad).unwrap();
    let output = run(&base);
    let said = String::from_utf8(output.stdout).unwrap();
    let (first, second) = said.trim_end().split_once('\n').unwrap();
    assert!(
        first.starts_with("{\"id\": 7, \"tweet\": \"x\",") && first.contains("--field tweet"),
        "{first}"
    );
    assert!(second.contains("NaN"), "{second}");
    let utf16: Vec<u8> = "\u{feff}{\"text\": \"x\"}\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(&input, utf16).unwrap();
    assert!(fail(&base, 1).contains("UTF-16"));

    let hyphen = [
        "predict",
        "--bundle",
        &bundle,
        "--text",
        "- Obama in Paris",
        "--json",
    ];
    let answer: Value = serde_json::from_str(&succeed(&hyphen)).unwrap();
    assert_eq!(answer["text"], "- Obama in Paris");
}

#[test]
fn a_stream_has_images() {
    let folder = with_bundle();
    let (seeing, input) = (path(&folder, "seeing"), path(&folder, "tweets.jsonl"));
    succeed(&["init", "--system", "hamlearning", "--out", &seeing]);
    let example =
        |name: &str| format!("{}/../www/examples/{name}.webp", env!("CARGO_MANIFEST_DIR"));
    fs::create_dir(path(&folder, "images")).unwrap();
    fs::copy(example("rocket"), path(&folder, "images/a.webp")).unwrap();
    fs::write(path(&folder, "images/broken.jpg"), b"<html>404</html>").unwrap();
    let images = [
        json!("images/a.webp"),
        json!("images/lost.jpg"),
        json!("images/broken.jpg"),
        json!(["images/broken.jpg", "images/a.webp"]),
        json!("https://pbs.twimg.com/media/x.jpg"),
        json!(null),
        json!("images"),
        json!(7),
    ];
    let line =
        |image: &Value| json!({"text": "Sunita in Houston", "image": image}).to_string() + "\n";
    fs::write(&input, images.iter().map(line).collect::<String>()).unwrap();
    let read = |args: &[&str]| -> Vec<Value> {
        let answers = answers(args);
        answers
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let base = ["predict", "--bundle", &seeing, "--json", "--input", &input];
    let answered = read(&base);
    assert_eq!(answered.len(), images.len());
    for (i, answer) in answered.iter().enumerate() {
        assert!(answer["entities"].is_array());
        assert_eq!(answer["image"], images[i]);
        assert_eq!(
            answer["picture"].is_object(),
            [0, 3].contains(&i),
            "{answer}"
        );
        let error = answer["image_error"].as_str();
        assert_eq!(error.is_some(), ![0, 5].contains(&i), "{answer}");
    }
    assert_eq!(answered[3]["image_read"], "images/a.webp");
    assert!(
        answered[2]["image_error"]
            .as_str()
            .unwrap()
            .contains("not an image")
    );
    // What is seen in a stream is what is seen of one tweet.
    let one = [
        "predict",
        "--bundle",
        &seeing,
        "--json",
        "--text",
        "Sunita in Houston",
        "--image",
    ];
    let one: Value = serde_json::from_str(&succeed(
        &[&one[..], &[&path(&folder, "images/a.webp")]].concat(),
    ))
    .unwrap();
    assert_eq!(one["picture"], answered[0]["picture"]);
    assert_eq!(one["entities"], answered[0]["entities"]);

    fs::write(&input, line(&json!("a.webp"))).unwrap();
    assert!(read(&base)[0]["image_error"].is_string());
    let images = path(&folder, "images");
    assert!(read(&[&base[..], &["--images", &images]].concat())[0]["picture"].is_object());
    // A model that reads text alone says so.
    let bundle = path(&folder, "bundle");
    let blind = ["predict", "--bundle", &bundle, "--json", "--input", &input];
    let blind = read(&blind);
    assert!(
        blind[0]["image_error"]
            .as_str()
            .unwrap()
            .contains("text alone")
    );
    assert!(blind[0]["entities"].is_array());
}

#[test]
fn a_reader_who_leaves_is_no_failure() {
    let folder = with_bundle();
    let (bundle, data) = (path(&folder, "bundle"), path(&folder, "dev.txt"));
    fs::write(&data, corpus(4)).unwrap();
    let (inspect, json) = (["inspect", &bundle], ["inspect", &bundle, "--json"]);
    let evaluate = ["evaluate", "--bundle", &bundle, "--data", &data];
    for args in [&inspect[..], &json, &evaluate] {
        let mut child = mner(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success() && !said.contains("panicked"),
            "{said}"
        );
        assert!(!said.contains('\r'), "{said}");
    }
    // Also one who has read enough of what is said beside the answer.
    let out = path(&folder, "out");
    let bad = ["evaluate", "--bundle", &bundle, "--data", &bundle];
    for (args, code) in [(&["init", "--out", &out][..], 0), (&bad, 1)] {
        let mut child = mner(args).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{args:?}");
    }
}

#[test]
fn evaluation_prints_fractions_and_a_table() {
    let folder = with_bundle();
    let bundle = path(&folder, "bundle");
    let data = path(&folder, "dev.txt");
    fs::write(&data, corpus(8)).unwrap();
    let scores: Value = serde_json::from_str(&succeed(&[
        "evaluate", "--bundle", &bundle, "--data", &data, "--json",
    ]))
    .unwrap();
    for rule in ["lenient", "strict"] {
        for row in ["micro", "PER", "LOC", "ORG", "MISC"] {
            for figure in ["precision", "recall", "f1"] {
                assert!((0.0..=1.0).contains(&scores[rule][row][figure].as_f64().unwrap()));
            }
        }
        assert_eq!(scores[rule]["micro"]["support"], 16);
    }
    assert!(scores["unseen"].is_null());
    // Of a corpus learnt from, every name is known.
    let learnt = [
        "evaluate", "--bundle", &bundle, "--data", &data, "--learnt", &data,
    ];
    let scores: Value =
        serde_json::from_str(&succeed(&[&learnt[..], &["--json"]].concat())).unwrap();
    assert_eq!(scores["unseen"]["lenient"]["micro"]["support"], 0);
    assert_eq!(scores["lenient"]["micro"]["support"], 16);
    assert!(succeed(&learnt).contains("unseen entities"));
    assert!(succeed(&["evaluate", "--bundle", &bundle, "--data", &data]).contains("micro"));
}

#[test]
fn failures_say_what_is_wrong() {
    let folder = with_bundle();
    let bundle = path(&folder, "bundle");
    fs::create_dir(path(&folder, "empty")).unwrap();
    for (bundle, why) in [
        ("empty", "has no manifest.json"),
        ("nothing", "nothing: there is no such folder"),
        ("bundle/manifest.json", "give the folder that it lies in"),
        ("", "the bundle is the folder bundle in it"),
    ] {
        let said = fail(&["inspect", &path(&folder, bundle)], 1);
        assert!(said.contains(why), "{said}");
    }
    let images = [
        "predict", "--bundle", &bundle, "--input", "-", "--images", "nowhere",
    ];
    assert!(fail(&images, 1).contains("nowhere: there is no such folder of images"));
    let neither = fail(&["predict", "--bundle", &bundle], 2);
    assert!(
        neither.contains("--text") && neither.contains("--input"),
        "{neither}"
    );
    let both = [
        "predict", "--bundle", &bundle, "--text", "x", "--input", "-",
    ];
    assert!(fail(&both, 2).contains("cannot be used with"));
    let at_folder = fail(&["predict", "--bundle", &bundle, "--input", &bundle], 1);
    assert!(
        at_folder.contains(&bundle) && at_folder.contains("folder"),
        "{at_folder}"
    );
    for (reader, what) in [
        ("ocr", "holds a reader of text and no bundle; `mner ocr`"),
        (
            "caption",
            "holds a captioner and no bundle; `mner image-text`",
        ),
    ] {
        let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/models");
        let said = fail(&["inspect", &format!("{models}/{reader}")], 1);
        assert!(said.contains(what), "{said}");
    }
    assert!(
        fail(
            &[
                "predict", "--bundle", &bundle, "--device", "abacus", "--text", "x"
            ],
            1
        )
        .contains("cpu")
    );
    let bad = path(&folder, "bad.txt");
    fs::write(&bad, "IMGID:1\nHouston\tB-PLANET\n").unwrap();
    let sentence = fail(&["evaluate", "--bundle", &bundle, "--data", &bad], 1);
    assert!(
        sentence.contains("bad.txt") && sentence.contains('2') && sentence.contains("PLANET"),
        "{sentence}"
    );

    let weights = folder.path().join("bundle/weights.bpk");
    let mut bytes = fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&weights, &bytes).unwrap();
    assert!(fail(&["inspect", &bundle], 1).contains("SHA-256"));
    fs::write(&weights, &bytes[1..]).unwrap();
    assert!(fail(&["inspect", &bundle], 1).contains("bytes"));
}

/// `tweets` tweets with two entities each.
fn corpus(tweets: usize) -> String {
    let names = ["sunita", "maria", "ahmed", "lena"];
    let places = ["houston", "paris", "lagos", "lima", "oslo"];
    (0..tweets)
        .map(|i| {
            format!(
                "IMGID:{i}\n{}\tB-PER\nis\tO\nin\tO\n{}\tB-LOC\n\n",
                names[i % 4],
                places[i % 5]
            )
        })
        .collect()
}

/// Writes a Hugging Face folder and a corpus; returns the arguments of a training run into `out`.
fn training(folder: &TempDir, out: &str, epochs: usize) -> Vec<String> {
    let (encoder, data) = (path(folder, "encoder"), path(folder, "train.txt"));
    if !Path::new(&encoder).exists() {
        succeed(&[
            "export",
            "--bundle",
            &path(folder, "bundle"),
            "--out",
            &encoder,
        ]);
        fs::write(&data, corpus(24)).unwrap();
    }
    let epochs = epochs.to_string();
    [
        "train",
        "--encoder",
        &encoder,
        "--train",
        &data,
        "--dev",
        &data,
        "--out",
        out,
        "--epochs",
        &epochs,
        "--batch",
        "4",
        "--max-subwords",
        "32",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// The arguments of a training run that goes on from a bundle.
fn training_on(folder: &TempDir, bundle: &str, out: &str, epochs: usize) -> Vec<String> {
    let mut args = training(folder, out, epochs);
    let encoder = args.iter().position(|arg| arg == "--encoder").unwrap();
    args[encoder] = "--start".to_owned();
    args[encoder + 1] = bundle.to_owned();
    args
}

#[test]
fn a_bundle_learns_which_image_belongs_to_which_tweet() {
    let folder = program::with_bundle("hamlearning");
    let text = program::with_bundle("text");
    let (bundle, encoder) = (path(&folder, "bundle"), path(&folder, "encoder"));
    succeed(&[
        "export",
        "--bundle",
        &path(&text, "bundle"),
        "--out",
        &encoder,
    ]);
    let mut pairs = String::new();
    for shade in 0..30_u8 {
        let name = format!("{shade}.png");
        let color = image::Rgb([8 * shade, 255 - 8 * shade, 128]);
        let drawn = image::RgbImage::from_pixel(8, 8, color);
        drawn.save(path(&folder, &name)).unwrap();
        let word = ["Houston", "Boeing"][usize::from(shade) % 2];
        pairs += &format!(
            "{}\n",
            json!({"text": format!("{word} {shade}"), "image": name})
        );
    }
    let file = path(&folder, "pairs.jsonl");
    fs::write(&file, pairs).unwrap();
    fs::write(path(&folder, "texts.txt"), "in Houston\n\nat Boeing\n").unwrap();
    let (out, images) = (path(&folder, "out"), path(&folder, ""));
    let texts = path(&folder, "texts.txt");
    let args = [
        "match",
        "--bundle",
        &bundle,
        "--sentences",
        &encoder,
        "--pairs",
        &file,
        "--held-out",
        &file,
        "--texts",
        &texts,
        "--images",
        &images,
        "--out",
        &out,
        "--epochs",
        "2",
        "--batch",
        "8",
        "--hidden",
        "16",
    ];
    let said = succeed(&args);
    assert!(said.contains("AUC") && said.contains("relevance"), "{said}");
    assert!(fail(&args, 1).contains("something in this folder already"));
    let report = fs::read_to_string(path(&folder, "out/report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["held_out"][0]["images"], 30);

    // Without an image it answers as before; with one it may not.
    let matched = path(&folder, "out/bundle");
    let answer = |bundle: &str| {
        succeed(&[
            "predict",
            "--bundle",
            bundle,
            "--text",
            "@nasa in Houston",
            "--json",
        ])
    };
    assert_eq!(answer(&matched), answer(&bundle));
    let apart = [
        "evaluate", "--bundle", &matched, "--pairs", &file, "--images", &images,
    ];
    assert!(succeed(&apart).contains("AUC"));
    let again = [
        "train",
        "--system",
        "hamlearning",
        "--start",
        &matched,
        "--tune-blocks",
        "1",
        "--images",
        &images,
        "--max-subwords",
        "32",
        "--train",
        &texts,
        "--dev",
        &texts,
        "--out",
        &path(&folder, "run"),
    ];
    assert!(fail(&again, 1).contains("mner match after"));
}

#[test]
fn a_killed_run_resumes_to_the_same_weights() {
    let folder = with_bundle();
    let (whole, killed) = (path(&folder, "whole"), path(&folder, "killed"));
    let strs = |args: &[String]| args.iter().map(String::clone).collect::<Vec<_>>();
    let epochs = 12;
    let call = |args: Vec<String>| succeed(&args.iter().map(String::as_str).collect::<Vec<_>>());
    call(training(&folder, &whole, epochs));

    let args = strs(&training(&folder, &killed, epochs));
    let mut child = mner(&args.iter().map(String::as_str).collect::<Vec<_>>())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let checkpoint =
        |epoch: usize| Path::new(&killed).join(format!("checkpoint/scheduler-{epoch}.bpk"));
    let started = Instant::now();
    while !(2..epochs).any(|e| checkpoint(e).exists()) {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "no checkpoint in a minute"
        );
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        !Path::new(&killed).join("bundle").exists(),
        "the run was killed before its end"
    );

    assert!(fail(&args.iter().map(String::as_str).collect::<Vec<_>>(), 1).contains("--resume"));
    let mut resumed = args;
    resumed.push("--resume".to_owned());
    let went_on = run(&resumed.iter().map(String::as_str).collect::<Vec<_>>());
    let said = String::from_utf8_lossy(&went_on.stderr);
    assert!(went_on.status.success(), "{said}");
    assert!(!said.contains("epoch 1/12 "), "begun anew: {said}");

    let exported = |run: &str| {
        let out = format!("{run}/exported");
        succeed(&[
            "export",
            "--bundle",
            &format!("{run}/bundle"),
            "--out",
            &out,
        ]);
        fs::read(format!("{out}/model.safetensors")).unwrap()
    };
    assert!(exported(&whole) == exported(&killed), "the weights differ");
    assert!(
        succeed(&["inspect", &format!("{whole}/bundle")])
            .contains("known answer     reproduced to")
    );
}

#[test]
fn the_last_epochs_are_averaged() {
    let folder = with_bundle();
    let run = path(&folder, "run");
    let mut args = training(&folder, &run, 4);
    args.extend(["--average", "3"].map(str::to_owned));
    let said = succeed(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("the mean of the last 3:"), "{said}");
    let kept = |epoch: usize| Path::new(&run).join(format!("checkpoint/model-{epoch}.bpk"));
    assert!((2..=4).all(|epoch| kept(epoch).exists()));

    // What the manifest says of the mean is what it scores.
    let bundle = format!("{run}/bundle");
    let (inspected, scored) = (
        succeed(&["inspect", &bundle, "--json"]),
        succeed(&[
            "evaluate",
            "--bundle",
            &bundle,
            "--data",
            &path(&folder, "train.txt"),
            "--json",
        ]),
    );
    let [manifest, scores] =
        [inspected, scored].map(|text| serde_json::from_str::<Value>(&text).unwrap());
    let said = manifest["scores"].as_object().unwrap();
    let of_mean = said.values().next().unwrap().as_f64().unwrap();
    let f1 = scores["lenient"]["micro"]["f1"].as_f64().unwrap();
    assert!((of_mean - f1).abs() < 1e-9, "{of_mean} against {f1}");

    args.truncate(args.len() - 1);
    args.push("5".to_owned());
    let refused = fail(&args.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    assert!(refused.contains("`average` is 5"), "{refused}");
}

#[test]
fn what_names_are_more_finely_is_learnt_scored_and_told() {
    let folder = with_bundle();
    let (run, fine) = (path(&folder, "run"), path(&folder, "fine.jsonl"));
    let mut args = training(&folder, &run, 12);
    let data = path(&folder, "train.txt");
    let of = |name: &str, coarse: &str, fine: &str| json!({"name": name, "coarse": coarse, "fine": fine});
    let lines: String = (0..24)
        .map(|i| {
            let names = [
                ("sunita", "athlete"),
                ("maria", "musician"),
                ("ahmed", "athlete"),
                ("lena", "musician"),
            ];
            let (name, kind) = names[i % 4];
            let place = ["houston", "paris", "lagos", "lima", "oslo"][i % 5];
            let entities = [of(name, "person", kind), of(place, "location", "city")];
            format!("{}\n", json!({"id": i.to_string(), "entities": entities}))
        })
        .collect();
    fs::write(&fine, lines).unwrap();
    let plain = path(&folder, "bundle");
    let asked = [
        "evaluate",
        "--bundle",
        &plain,
        "--data",
        &data,
        "--fine-types",
        &fine,
    ];
    assert!(fail(&asked, 1).contains("tells no fine types"));

    args.extend(["--fine-types", &fine].map(str::to_owned));
    succeed(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let bundle = format!("{run}/bundle");
    let scores = succeed(&[
        "evaluate",
        "--bundle",
        &bundle,
        "--data",
        &data,
        "--fine-types",
        &fine,
        "--json",
    ]);
    let scores: Value = serde_json::from_str(&scores).unwrap();
    let micro = scores["fine_types"]["micro"]["f1"].as_f64().unwrap();
    assert!(micro > 0.9, "{micro}");
    assert_eq!(scores["fine_types"]["types"]["city"]["support"], 24);

    let q8 = path(&folder, "q8");
    succeed(&[
        "quantize", "--bundle", &bundle, "--out", &q8, "--scheme", "q8",
    ]);
    let said = succeed(&[
        "calibrate",
        "--bundle",
        &q8,
        "--data",
        &data,
        "--fine-types",
        &fine,
    ]);
    assert!(said.contains("on 24 tweets, temperature"), "{said}");
    // Rounded for these tweets, the same bytes answer as well.
    let [q4, q4_for] = ["q4", "q4-for"].map(|name| path(&folder, name));
    let rounded = |out: &str, more: &[&str]| {
        let mut args = vec![
            "quantize", "--bundle", &bundle, "--out", out, "--scheme", "q4",
        ];
        args.extend(more);
        succeed(&args);
        fs::read(format!("{out}/weights.bpk")).unwrap()
    };
    let by_value = rounded(&q4, &[]);
    let by_product = rounded(&q4_for, &["--tweets", &data, "--sample", "9"]);
    assert!(by_value.len() == by_product.len() && by_value != by_product);
    let answer = succeed(&["predict", "--bundle", &q4_for, "--text", "maria is in lima"]);
    assert!(
        answer.contains("maria") && answer.contains("lima"),
        "{answer}"
    );
    let args = [
        "quantize", "--bundle", &bundle, "--out", "q4-none", "--scheme", "q4", "--images", ".",
    ];
    assert!(fail(&args, 1).contains("give --tweets"));
    // A corpus that counts nothing is refused.
    let none = format!(r#"{{"path": "{data}", "weight": 0}}"#);
    let refused = fail(&["calibrate", "--bundle", &q8, "--data", &none], 1);
    assert!(refused.contains("has the weight 0"), "{refused}");
    let answer = succeed(&[
        "predict",
        "--bundle",
        &q8,
        "--text",
        "maria is in lima",
        "--json",
    ]);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let kind = &answer["entities"][0]["kind"];
    assert_eq!(
        (&kind["name"], &kind["coarse"]),
        (&json!("musician"), &json!("person"))
    );
    let said = succeed(&["predict", "--bundle", &q8, "--text", "maria is in lima"]);
    assert!(said.contains("maria  musician "), "{said}");
    let card = fs::read_to_string(format!("{q8}/MODEL_CARD.md")).unwrap();
    assert!(card.contains("| location | city | "), "{card}");
    let manifest = fs::read(format!("{q8}/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert!(manifest["fine_types"]["scores"]["micro"].as_f64().unwrap() > 0.9);

    // What goes on keeps the fine types that it tells.
    let other = fine.replace("fine.jsonl", "other.jsonl");
    let renamed = fs::read_to_string(&fine)
        .unwrap()
        .replace("musician", "singer");
    fs::write(&other, renamed).unwrap();
    let mut args = training_on(&folder, &bundle, &path(&folder, "more"), 1);
    args.extend(["--fine-types", &other].map(str::to_owned));
    let refused = fail(&args.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    assert!(refused.contains("`singer` is none of them"), "{refused}");
}

/// The shared folder of pretrained weights and reference images, if it is there.
fn shared() -> Option<std::path::PathBuf> {
    let root = std::env::var_os("MNER_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        std::path::PathBuf::from,
    );
    let found = root.join("weights/mobilenet_v2.safetensors").is_file();
    if !found {
        println!("skipped: no weights in the shared folder");
    }
    found.then_some(root)
}

#[test]
fn a_system_with_images_trains_evaluates_and_explains() {
    let Some(shared) = shared() else { return };
    let weights = |name: &str| shared.join("weights").join(name).display().to_string();
    let folder = with_bundle();
    let images = path(&folder, "images");
    fs::create_dir(&images).unwrap();
    for (id, name) in ["kite_and_cold.jpg", "grace_hopper.jpg", "parrot.jpg"]
        .iter()
        .enumerate()
    {
        let from = weights(&format!("reference/{name}"));
        fs::copy(from, format!("{images}/{id}.jpg")).unwrap();
    }
    // A file that is no image counts as none.
    fs::write(format!("{images}/3.jpg"), b"GIF89a").unwrap();
    let run = path(&folder, "run");
    let mut args = training(&folder, &run, 2);
    let (backbone, detector) = (
        weights("mobilenet_v2.safetensors"),
        weights("yolox_nano.safetensors"),
    );
    args.extend(
        [
            "--system",
            "hamlearning",
            "--images",
            &images,
            "--backbone",
            &backbone,
            "--detector",
            &detector,
            "--width",
            "16",
            "--without",
            "spatial",
        ]
        .map(str::to_owned),
    );
    succeed(&args.iter().map(String::as_str).collect::<Vec<_>>());

    let (bundle, data) = (format!("{run}/bundle"), path(&folder, "train.txt"));
    let manifest = fs::read_to_string(format!("{bundle}/manifest.json")).unwrap();
    assert!(!manifest.contains(folder.path().to_str().unwrap()));
    let cache = format!("{run}/features");
    let evaluate = |more: &[&str]| -> Value {
        let base = ["evaluate", "--bundle", &bundle, "--data", &data, "--json"];
        serde_json::from_str(&succeed(&[&base, more].concat())).unwrap()
    };
    let with = ["--images", &images, "--cache", &cache, "--shuffle-images"];
    let scores = evaluate(&with);
    assert_eq!(scores["pictures"], 3);
    for pass in [&scores, &scores["shuffled"]] {
        let relevance = &pass["relevance"];
        assert!((0.0..1.0).contains(&relevance["global"].as_f64().unwrap()));
        assert_eq!(relevance["spatial"], 0.0);
    }
    assert!(evaluate(&["--no-image"])["relevance"].is_null());
    let features = fs::read_dir(&cache).unwrap().count();
    assert_eq!(features, 3, "evaluation sees with the eyes of the training");

    let kite = format!("{images}/0.jpg");
    let predict = |more: &[&str]| -> Value {
        let tweet = "sunita is in houston";
        let base = ["predict", "--bundle", &bundle, "--text", tweet, "--json"];
        serde_json::from_str(&succeed(&[&base, more].concat())).unwrap()
    };
    let drawing = path(&folder, "explained.png");
    let answer = predict(&["--image", &kite, "--explain", &drawing]);
    assert!(fs::read(&drawing).unwrap().starts_with(b"\x89PNG"));
    let objects = answer["picture"]["objects"].as_array().unwrap();
    assert!(objects.iter().any(|object| object["name"] == "person"));
    for entity in answer["entities"].as_array().unwrap() {
        let shares = |name: &str| -> Vec<f64> {
            let shares = entity["evidence"][name].as_array().unwrap();
            shares.iter().map(|x| x.as_f64().unwrap()).collect()
        };
        let (heat, on_objects) = (shares("heat"), shares("objects"));
        assert_eq!((heat.len(), on_objects.len()), (49, objects.len()));
        let sum: f64 = heat.iter().chain(&on_objects).sum();
        assert!((sum - 1.0).abs() < 1e-4);
    }
    assert!(predict(&[])["picture"].is_null());

    // The last block of the backbone learns: another vision encoder from then on.
    let tuned = path(&folder, "tuned");
    let mut args = training_on(&folder, &bundle, &tuned, 1);
    args.extend(["--images", &images, "--cache", &cache].map(str::to_owned));
    args.extend(["--tune-blocks", "1", "--lr-backbone", "1e-3"].map(str::to_owned));
    // A corpus of text alone beside the one with images.
    let wordy = path(&folder, "wordy.conll");
    fs::write(&wordy, "maria\tB-PER\nsaw\tO\nlima\tB-LOC\n\n").unwrap();
    args.extend(["--train", &wordy].map(str::to_owned));
    let strs: Vec<&str> = args.iter().map(String::as_str).collect();
    assert!(fail(&strs, 1).contains("--system hamlearning"));
    succeed(&[&strs[..], &["--system", "hamlearning"]].concat());
    let tuned = format!("{tuned}/bundle");
    let vision = |bundle: &str| fs::read(format!("{bundle}/eyes.bpk")).unwrap();
    assert_eq!(vision(&tuned).len(), vision(&bundle).len());
    assert!(vision(&tuned) != vision(&bundle));
    assert!(succeed(&["inspect", &tuned]).contains("known answer     reproduced to"));
    let evaluate = ["evaluate", "--bundle", &tuned, "--data", &data, "--json"];
    succeed(&[&evaluate[..], &["--images", &images, "--cache", &cache]].concat());
    let features = fs::read_dir(&cache).unwrap().count();
    assert_eq!(
        features, 6,
        "each image is encoded with the new vision encoder too"
    );

    let text = path(&folder, "bundle");
    let blind = [
        "predict", "--bundle", &text, "--text", "x", "--image", &kite,
    ];
    assert!(fail(&blind, 1).contains("reads text alone"));
    let wrong = [
        "predict", "--bundle", &bundle, "--text", "x", "--image", &data,
    ];
    assert!(fail(&wrong, 1).contains("not an image"));
}

#[test]
fn augmentation_travels_in_the_bundle() {
    let folder = with_bundle();
    let (run, vectors) = (path(&folder, "run"), path(&folder, "vectors.txt"));
    let text =
        "6 2\nhouston 1 0\nparis 0.9 0.1\nlagos 0.8 0.3\nlima 0.5 0.5\noslo 0 1\nsunita -1 0\n";
    fs::write(&vectors, text).unwrap();
    let mut args = training(&folder, &run, 1);
    args.extend(["--system", "mgcmt"].map(str::to_owned));
    let without: Vec<&str> = args.iter().map(String::as_str).collect();
    assert!(fail(&without, 1).contains("word2vec"));
    args.extend(["--word2vec", &vectors, "--mgcmt-without", "attentive"].map(str::to_owned));
    succeed(&args.iter().map(String::as_str).collect::<Vec<_>>());

    let bundle = format!("{run}/bundle");
    let manifest = fs::read_to_string(format!("{bundle}/manifest.json")).unwrap();
    assert!(!manifest.contains(folder.path().to_str().unwrap()));
    assert!(succeed(&["inspect", &bundle]).contains("augmentation.bin "));
    succeed(&[
        "predict",
        "--bundle",
        &bundle,
        "--text",
        "sunita is in houston",
    ]);
    let table = format!("{bundle}/augmentation.bin");
    let mut bytes = fs::read(&table).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&table, bytes).unwrap();
    let damaged = ["predict", "--bundle", &bundle, "--text", "x"];
    assert!(fail(&damaged, 1).contains("augmentation.bin "));
    fs::remove_file(&table).unwrap();
    assert!(fail(&damaged, 1).contains("augmentation.bin "));
}

#[test]
fn images_in_words_train_and_evaluate() {
    let folder = with_bundle();
    let (run, context) = (path(&folder, "run"), path(&folder, "context.jsonl"));
    let captions = path(&folder, "captions.jsonl");
    let lines = |line: &dyn Fn(usize) -> String| (0..24).map(line).collect::<String>();
    let shown = lines(&|i| {
        format!("{{\"id\": \"{i}\", \"objects\": [{{\"name\": \"kite\"}}], \"ocr\": [\"nasa\"]}}\n")
    });
    fs::write(&context, shown).unwrap();
    let said = lines(&|i| format!("{{\"id\": \"{i}\", \"blip2\": null, \"catr\": \"a man\"}}\n"));
    fs::write(&captions, said).unwrap();
    let mut args = training(&folder, &run, 1);
    let sources = [
        "--context",
        &context,
        "--captions",
        &captions,
        "--captioner",
        "catr",
    ];
    args.extend(["--system", "ita", "--temperature", "2"].map(str::to_owned));
    args.extend(sources.map(str::to_owned));
    succeed(&args.iter().map(String::as_str).collect::<Vec<_>>());

    let (bundle, data) = (format!("{run}/bundle"), path(&folder, "train.txt"));
    let manifest = fs::read_to_string(format!("{bundle}/manifest.json")).unwrap();
    assert!(!manifest.contains(folder.path().to_str().unwrap()));
    let base = ["evaluate", "--bundle", &bundle, "--data", &data, "--json"];
    for more in [&sources[..], &[]] {
        let scores: Value = serde_json::from_str(&succeed(&[&base, more].concat())).unwrap();
        assert!(scores.is_object());
    }
    fs::write(&context, "{}\n").unwrap();
    assert!(fail(&[&base[..], &sources[..2]].concat(), 1).contains("line 1"));
}

#[test]
fn a_model_cuts_raw_tweets_as_its_corpora_do() {
    let folder = with_bundle();
    let words = |more: &[&str]| {
        let run = path(&folder, &more.concat());
        let mut args = training(&folder, &run, 1);
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        succeed(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let manifest = fs::read(format!("{run}/bundle/manifest.json")).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["licences"].as_array().unwrap().len(), 1);
        assert_eq!(
            manifest["known_answer"]["text"],
            "RT @nasa: Sunita Williams is back in Houston with #Boeing"
        );
        manifest["known_answer"]["emissions"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(words(&["--licence", "tweets, mine"]), 11);
    assert_eq!(
        words(&["--licence", "tweets, mine", "--sigils", "apart"]),
        13
    );
}

#[test]
fn a_run_that_gets_no_better_stops_early() {
    let folder = with_bundle();
    let run = path(&folder, "run");
    let mut args = training(&folder, &run, 9);
    let still = ["encoder", "new", "fusion", "crf"].map(|group| format!("--lr-{group}=0"));
    args.extend(still);
    args.extend(["--patience", "2"].map(str::to_owned));
    let said = succeed(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("best epoch 1:"), "{said}");
    let epoch = |epoch: usize| Path::new(&run).join(format!("valid/epoch-{epoch}"));
    assert!(epoch(3).exists() && !epoch(4).exists());
}

/// Shaders against CPU kernels, on a driver that computes on the CPU, as `./build.sh test-gpu` installs one.
#[cfg(feature = "wgpu")]
#[test]
fn a_gpu_trains_as_the_cpu_does() {
    let folder = with_bundle();
    let (seeing, images) = (path(&folder, "seeing"), path(&folder, "images"));
    succeed(&["init", "--system", "hamlearning", "--out", &seeing]);
    // Without dropout, which draws other numbers on each device, the runs are the same.
    let manifest = format!("{seeing}/manifest.json");
    let still = fs::read_to_string(&manifest)
        .unwrap()
        .replace("\"dropout\": 0.1", "\"dropout\": 0.0");
    let mut still: Value = serde_json::from_str(&still).unwrap();
    still["files"].as_object_mut().unwrap().remove("manifest");
    fs::write(&manifest, still.to_string()).unwrap();
    fs::create_dir(&images).unwrap();
    for (id, name) in ["rocket", "football"].iter().enumerate() {
        let from = format!("{}/../www/examples/{name}.webp", env!("CARGO_MANIFEST_DIR"));
        fs::copy(from, format!("{images}/{id}.webp")).unwrap();
    }
    let cache = path(&folder, "features");
    // The loss on the tweets after each of two epochs.
    let losses = |device: &str| -> Vec<f64> {
        let mut args = training_on(&folder, &seeing, &path(&folder, device), 2);
        args.extend(["--system", "hamlearning", "--device", device].map(str::to_owned));
        args.extend(["--images", &images, "--cache", &cache].map(str::to_owned));
        args.extend(["--image-dropout", "0", "--lr-new", "1e-2"].map(str::to_owned));
        let output = run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let loss = |line: &str| line.split_once("Loss ")?.1.split(' ').next()?.parse().ok();
        said.lines().filter_map(loss).collect()
    };
    let (cpu, gpu) = (losses("cpu"), losses("wgpu:software"));
    assert!(cpu.len() == 2 && cpu[1] < 0.9 * cpu[0], "{cpu:?}");
    for (cpu, gpu) in cpu.iter().zip(&gpu) {
        assert!((cpu - gpu).abs() <= 2e-3 * cpu, "{cpu} and {gpu}");
    }
    assert_eq!(gpu.len(), 2);
}

#[test]
fn a_text_may_begin_with_a_hyphen() {
    let folder = with_bundle();
    let bundle = path(&folder, "bundle");
    for text in ["- Obama in Paris", "-- x", "-1", "--", "-"] {
        let answer = succeed(&["predict", "--bundle", &bundle, "--json", "--text", text]);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["text"], text);
    }
}

#[test]
fn half_an_emoji_loses_no_line() {
    let folder = with_bundle();
    let bundle = path(&folder, "bundle");
    let lines = path(&folder, "tweets.jsonl");
    fs::write(
        &lines,
        concat!(
            r#"{"text":"Obama \ud83d","id":1}"#,
            "\n",
            r#"{"text":"Paris","user":{"name":"\ude00x \\ud83d \ud83d\ude00"}}"#,
            "\n"
        ),
    )
    .unwrap();
    let answers = succeed(&["predict", "--bundle", &bundle, "--json", "--input", &lines]);
    let answers: Vec<&str> = answers.lines().collect();
    // What came goes out as it came, and is read as browsers read it.
    assert_eq!(answers.len(), 2);
    assert!(
        answers[0].starts_with(r#"{"text":"Obama \ud83d","id":1,"entities":["#),
        "{answers:?}"
    );
    assert!(
        answers[1].contains(r#""name":"\ude00x \\ud83d \ud83d\ude00"}"#),
        "{answers:?}"
    );
    let paris: Value = serde_json::from_str(&answers[1].replace("\\ude00x", "x")).unwrap();
    assert!(paris["entities"].is_array());
    let shown = succeed(&["predict", "--bundle", &bundle, "--input", &lines]);
    assert!(shown.starts_with("Obama \u{FFFD}\n"), "{shown}");
}

#[test]
fn entities_of_user_names_may_be_left_out_and_are_counted() {
    let folder = with_bundle();
    let bundle = path(&folder, "bundle");
    let text = "@nasa @esa and @jaxa with Houston #Boeing @isro";
    let predict = |user_names: &str| {
        let output = run(&[
            "predict",
            "--bundle",
            &bundle,
            "--json",
            "--user-names",
            user_names,
            "--text",
            text,
        ]);
        assert!(output.status.success());
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let entities = answer["entities"].as_array().unwrap().clone();
        (entities, String::from_utf8(output.stderr).unwrap())
    };
    let is_user_name = |entity: &Value| {
        let start = entity["bytes"][0].as_u64().unwrap() as usize;
        text[..start].ends_with('@')
    };
    let (kept, said) = predict("keep");
    assert!(!said.contains("left out"));
    for entity in &kept {
        let flag = is_user_name(entity).then_some(true);
        assert_eq!(entity.get("user_name").and_then(Value::as_bool), flag);
    }
    let (left, said) = predict("drop");
    let mut expected = kept.clone();
    expected.retain(|entity| !is_user_name(entity));
    assert_eq!(left, expected);
    let count = kept.len() - left.len();
    assert!(
        said.contains(&format!("{count} entities of user names left out")),
        "{said}"
    );

    let data = path(&folder, "gold.txt");
    // Random weights find some of the last ones.
    let others = ["Houston", "sunita", "NASA", "Paris"];
    let others = others.map(|name| format!("\nin\tO\n@\tO\n{name}\tO\nis\tO\n"));
    let labelled = "@nasa\tB-ORG\nin\tO\nHouston\tB-LOC\n\n@\tO\nwarriors\tB-ORG\n";
    fs::write(&data, format!("{labelled}{}", others.concat())).unwrap();
    let scores = |user_names: &str| -> Value {
        let scores = succeed(&[
            "evaluate",
            "--bundle",
            &bundle,
            "--json",
            "--calibration",
            "--user-names",
            user_names,
            "--data",
            &data,
        ]);
        serde_json::from_str(&scores).unwrap()
    };
    let in_bins = |scores: &Value| -> u64 {
        let bins = scores["calibration"]["bins"].as_array().unwrap();
        bins.iter().map(|bin| bin["found"].as_u64().unwrap()).sum()
    };
    let kept = scores("keep");
    assert!(kept.get("user_names").is_none());
    let dropped = scores("drop");
    let left_out = dropped["user_names"]["found"].as_u64().unwrap();
    assert!(left_out > 0, "random weights find a user name");
    assert_eq!(in_bins(&dropped), in_bins(&kept) - left_out);
    assert_eq!(dropped["user_names"]["gold"], 2);
    assert_eq!(dropped["lenient"]["micro"]["support"], 1);
}
