//! Files that the command line writes for people and other programs: features, exports, model cards, reports, plots.

mod program;

use mner_core::bundle::manifest::Manifest;
use mner_core::packing::card::{CARD, card};
use program::{path, run, succeed, with_bundle};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The sentence that the program fails with.
fn fail(args: &[&str]) -> String {
    let output = run(args);
    assert!(!output.status.success(), "mner {args:?} succeeds");
    String::from_utf8(output.stderr).unwrap()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn reference(name: &str) -> Value {
    let path = repository().join("tests/reference").join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn f64s(tensors: &SafeTensors, name: &str) -> Vec<f64> {
    let bytes = tensors.tensor(name).unwrap().data();
    let value = |b: &[u8]| f64::from_le_bytes(b.try_into().unwrap());
    bytes.chunks_exact(8).map(value).collect()
}

fn i64s(tensors: &SafeTensors, name: &str) -> Vec<i64> {
    let bytes = tensors.tensor(name).unwrap().data();
    let value = |b: &[u8]| i64::from_le_bytes(b.try_into().unwrap());
    bytes.chunks_exact(8).map(value).collect()
}

/// `tests/reference/features.py` computed labels and marginals again, from what the tool wrote.
#[test]
fn features_are_those_that_another_crf_confirmed() {
    let cases = reference("features.json");
    let mut bundles: BTreeMap<String, TempDir> = BTreeMap::new();
    for case in cases.as_array().unwrap() {
        let system = case["system"].as_str().unwrap();
        let folder = bundles
            .entry(system.to_owned())
            .or_insert_with(|| with_bundle(system));
        let (bundle, file) = (path(folder, "bundle"), path(folder, "features"));
        let text = case["text"].as_str().unwrap();
        let image = case["image"].as_str().map(|name| {
            let path = repository().join("tests/reference/images").join(name);
            path.to_str().unwrap().to_owned()
        });
        let mut args = vec!["predict", "--bundle", &bundle, "--text", text, "--json"];
        args.extend(image.iter().flat_map(|image| ["--image", image]));
        let plain = succeed(&args);
        args.extend(["--emissions", "--features", &file]);
        assert_eq!(succeed(&args), plain, "the answer is the same");
        let bytes = fs::read(&file).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(json!(i64s(&tensors, "labels")), case["labels"], "{text}");
        let expected = case["marginals"].as_array().unwrap().iter();
        let expected = expected.flat_map(|row| row.as_array().unwrap());
        let marginals = f64s(&tensors, "marginals");
        assert_eq!(marginals.len(), expected.clone().count());
        for (got, expected) in marginals.iter().zip(expected) {
            let expected = expected.as_f64().unwrap();
            assert!((got - expected).abs() < 1e-5, "{got} against {expected}");
        }
        succeed(&args);
        assert_eq!(
            fs::read(&file).unwrap(),
            bytes,
            "the file is the same again"
        );
    }
}

#[test]
fn features_without_emissions_are_the_image_s_alone() {
    let folder = with_bundle("mgcmt");
    let (bundle, file) = (path(&folder, "bundle"), path(&folder, "features"));
    let base = [
        "predict",
        "--bundle",
        &bundle,
        "--text",
        "in Oslo",
        "--features",
        &file,
    ];
    assert!(fail(&base).contains("--image, or --emissions"));
    let image = repository().join("tests/reference/images/rgb.png");
    succeed(&[&base[..], &["--image", image.to_str().unwrap()]].concat());
    let bytes = fs::read(&file).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    assert!(
        tensors
            .names()
            .iter()
            .all(|name| name.starts_with("image."))
    );
    assert_eq!(tensors.tensor("image.grid").unwrap().shape()[0], 49);
    let empty = [
        "predict",
        "--bundle",
        &bundle,
        "--text",
        "",
        "--emissions",
        "--features",
        &file,
    ];
    succeed(&empty);
    let bytes = fs::read(&file).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.tensor("emissions").unwrap().shape(), [0, 9]);
}

/// `tests/reference/exported_tensors.py` compared every value with the bundle's.
#[test]
fn exports_name_every_tensor_of_every_system() {
    for (system, expected) in reference("exported_tensors.json").as_object().unwrap() {
        let folder = with_bundle(system);
        let (bundle, out) = (path(&folder, "bundle"), path(&folder, "exported"));
        succeed(&["export", "--bundle", &bundle, "--out", &out]);
        let bytes = fs::read(format!("{out}/model.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let found: BTreeMap<String, Vec<usize>> = tensors
            .iter()
            .map(|(name, tensor)| (name.to_owned(), tensor.shape().to_vec()))
            .collect();
        assert_eq!(json!(found), *expected, "{system}");
        let known = |name: &String| {
            let ours = name.starts_with("mner.");
            ours || name.starts_with("embeddings.") || name.starts_with("encoder.")
        };
        assert!(found.keys().all(known), "{system}");
    }
}

#[test]
fn a_bundle_comes_with_its_card_and_is_as_good_without() {
    let folder = with_bundle("hamlearning");
    let bundle = path(&folder, "bundle");
    let file = format!("{bundle}/{CARD}");
    let written = fs::read_to_string(&file).unwrap();
    assert!(
        written.starts_with("---\nlibrary_name: \"mner\"\n"),
        "{written}"
    );
    assert!(written.contains("None are recorded.") && !written.contains("model-index"));
    succeed(&["inspect", &bundle]);
    assert!(fail(&["card", "--bundle", &bundle]).contains("--overwrite"));
    assert_eq!(succeed(&["card", "--bundle", &bundle, "--print"]), written);
    fs::write(&file, "mine").unwrap();
    succeed(&["inspect", &bundle]);
    succeed(&[
        "card",
        "--bundle",
        &bundle,
        "--overwrite",
        "--language",
        "en",
    ]);
    let english = fs::read_to_string(&file).unwrap();
    assert!(english.contains("language:\n  - \"en\"\n") && english.contains("Language: en."));
    fs::remove_file(&file).unwrap();
    succeed(&["inspect", &bundle]);
    succeed(&["card", "--bundle", &bundle]);
    assert_eq!(fs::read_to_string(&file).unwrap(), written);
    let small = path(&folder, "small");
    succeed(&[
        "quantize", "--bundle", &bundle, "--out", &small, "--scheme", "q8",
    ]);
    let small = fs::read_to_string(format!("{small}/{CARD}")).unwrap();
    assert!(small.contains("Weights: quantised, q8."));
    assert!(fail(&["card", "--bundle", &path(&folder, "none")]).contains("no such folder"));
}

/// `tests/reference/card.py` reads them with huggingface_hub.
#[test]
fn the_cards_of_the_models_that_ship_are_those_of_their_manifests() {
    let models = repository().join("www/models");
    let index = fs::read(models.join("index.json")).unwrap();
    let mut cards = 0;
    for model in serde_json::from_slice::<Vec<String>>(&index).unwrap() {
        let bundle = models.join(model);
        let manifest = Manifest::parse(&fs::read(bundle.join("manifest.json")).unwrap()).unwrap();
        let expected = card(&manifest, &["en".to_owned()]);
        let found = fs::read_to_string(bundle.join(CARD)).unwrap();
        let shown = bundle.display();
        assert!(
            found == expected,
            "{shown}: mner card --bundle {shown} --language en --overwrite"
        );
        cards += 1;
    }
    assert!(cards > 0);
}

/// Labelled tweets, of which random weights get most wrong.
fn corpus(folder: &TempDir) -> String {
    let data = path(folder, "dev.txt");
    let tweets = (0..6).map(|i| {
        format!("IMGID:{i}\nsunita\tB-PER\n<b>is</b>\tO\nin\tO\nNew\tB-LOC\nYork\tI-LOC\n@\tO\nnasa\tB-ORG\n\n")
    });
    fs::write(&data, tweets.collect::<String>()).unwrap();
    data
}

#[test]
fn a_report_is_one_file_with_all_that_was_evaluated() {
    let folder = with_bundle("hamlearning");
    let (bundle, data) = (path(&folder, "bundle"), corpus(&folder));
    let images = path(&folder, "images");
    fs::create_dir(&images).unwrap();
    let image = repository().join("tests/reference/images/rgb.png");
    for id in 0..3 {
        fs::copy(&image, format!("{images}/{id}.png")).unwrap();
    }
    let report = path(&folder, "report.html");
    let base = ["evaluate", "--bundle", &bundle, "--data", &data, "--json"];
    let more = [
        "--images",
        &images,
        "--shuffle-images",
        "--user-names",
        "drop",
    ];
    let plain = succeed(&[&base[..], &more].concat());
    let with = succeed(&[&base[..], &more, &["--report", &report]].concat());
    assert_eq!(plain, with, "what is printed is the same");
    let scores: Value = serde_json::from_str(&with).unwrap();
    let page = fs::read_to_string(&report).unwrap();
    assert!(
        !page.contains(folder.path().to_str().unwrap()),
        "no path of this machine"
    );
    assert!(page.contains("&lt;b&gt;is&lt;/b&gt;") && !page.contains("<b>is"));
    for pass in [&scores, &scores["shuffled"]] {
        let f1 = 100.0 * pass["lenient"]["micro"]["f1"].as_f64().unwrap();
        assert!(page.contains(&format!("{f1:.2}")));
    }
    assert!(page.contains("With the images shuffled"));
    // The labels' user names are left out: 6 places and 6 persons are asked for.
    assert!(page.contains("left out: 6 of the labels"));
    assert_eq!(scores["lenient"]["micro"]["support"], 12);
    assert_eq!(page.matches("src=\"data:image/jpeg;base64,").count(), 3);
    assert!(page.contains("alt=\"The tweet's image"));
    let nowhere = path(&folder, "no/report.html");
    assert!(fail(&[&base[..], &["--report", &nowhere]].concat()).contains("report.html"));
}

#[test]
fn a_run_is_drawn_also_when_it_goes_on() {
    let folder = with_bundle("text");
    let (bundle, data) = (path(&folder, "bundle"), corpus(&folder));
    let out = path(&folder, "run");
    let train = |epochs: &str, more: &[&str]| {
        let args = [
            "train",
            "--start",
            &bundle,
            "--train",
            &data,
            "--dev",
            &data,
            "--out",
            &out,
            "--epochs",
            epochs,
            "--batch",
            "2",
            "--max-subwords",
            "32",
        ];
        succeed(&[&args[..], more].concat())
    };
    train("2", &["--language", "en", "--language", "de"]);
    let plot = format!("{out}/training.svg");
    let drawn = fs::read_to_string(&plot).unwrap();
    // Of each epoch the loss of training and of dev, and the score.
    assert_eq!(drawn.matches("<circle").count(), 6);
    assert!(drawn.contains("dev Span F1, by epoch"));
    fs::remove_file(&plot).unwrap();
    train("2", &["--language", "en", "--language", "de", "--resume"]);
    assert_eq!(fs::read_to_string(&plot).unwrap(), drawn);
    // The languages are the bundle's, and the card's.
    let manifest: Value =
        serde_json::from_slice(&fs::read(format!("{out}/bundle/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["languages"], json!(["en", "de"]));
    let card = fs::read_to_string(format!("{out}/bundle/{CARD}")).unwrap();
    assert!(card.contains("Language: en, de.") && card.contains("model-index"));
    assert!(!card.contains(folder.path().to_str().unwrap()));
}

#[test]
fn nothing_is_lost_to_an_output() {
    let folder = with_bundle("text");
    let (bundle, data) = (path(&folder, "bundle"), corpus(&folder));
    let [input, image, again, other] =
        ["in.jsonl", "a.webp", "./dev.txt", "other"].map(|name| path(&folder, name));
    fs::write(&input, "{\"text\": \"Sunita in Houston\"}\n").unwrap();
    fs::write(&image, "no image").unwrap();
    fs::create_dir(&other).unwrap();
    fs::write(path(&folder, "other/notes.txt"), "mine").unwrap();
    assert_eq!(Path::new(&data).parent(), Path::new(&again).parent());
    let files = [
        &data,
        &input,
        &image,
        &path(&folder, "bundle/manifest.json"),
        &path(&folder, "other/notes.txt"),
    ];
    let before = files.map(|file| fs::read(file).unwrap());
    let tokenizer = path(&folder, "bundle/tokenizer.json");
    let within = path(&folder, "dev.txt/new");
    let (same, taken) = ("the output is the input", "something in this folder");
    let predict = ["predict", "--bundle", &bundle];
    let of_one = [&predict[..], &["--text", "Rome", "--image", &image]].concat();
    let of_all = [&predict[..], &["--input", &input, "--format"]].concat();
    let cases: [(&[&str], &[&str], &str); 22] = [
        (
            &["evaluate", "--bundle", &bundle],
            &["--data", &data, "--report", &again],
            same,
        ),
        (&of_all, &["conll2", "--out", &input], same),
        (&of_all, &["conll2", "--out", &other], "this is a folder"),
        (&of_all, &["brat", "--out", &data], "this is no folder"),
        (&of_all, &["brat", "--out", &other], taken),
        (&of_one, &["--explain", &image], same),
        (&of_one, &["--features", &image], same),
        (&of_one, &["--explain", "a.jpg"], "ends in .png"),
        (&["convert", "--to", "conll4"], &[&data, &again], same),
        (
            &["convert", "--to", "brat"],
            &[&data, &data],
            "this is no folder",
        ),
        (
            &["compose", "--photographs", &data, "--names", &input],
            &[
                "--contexts",
                &image,
                "--part",
                "a",
                "--count",
                "1",
                "--as",
                "corpus",
                "--out",
                &input,
            ],
            same,
        ),
        (&["init", "--out"], &[&bundle], taken),
        (&["init", "--out"], &[&data], "this is no folder"),
        (&["init", "--out"], &[&within], "dev.txt is a file"),
        (
            &["posteriors", "--teacher", &bundle, "--data", &data],
            &["--out", &data],
            same,
        ),
        (
            &[
                "match",
                "--bundle",
                &bundle,
                "--sentences",
                &bundle,
                "--pairs",
                &data,
            ],
            &["--images", &other, "--out", &data],
            "dev.txt is a file",
        ),
        (&["export", "--bundle", &bundle, "--out"], &[&bundle], taken),
        (
            &["average", "--bundle", &bundle, "--out"],
            &[&bundle],
            taken,
        ),
        (
            &["quantize", "--scheme", "q8", "--bundle", &bundle],
            &["--out", &other],
            taken,
        ),
        (
            &["trim", "--bundle", &bundle, "--tokenizer", &tokenizer],
            &["--out", &other],
            taken,
        ),
        (
            &["graft", "--bundle", &bundle, "--reader", &bundle],
            &["--out", &other],
            taken,
        ),
        (
            &["calibrate", "--bundle", &bundle, "--data", &data],
            &["--out", &other],
            taken,
        ),
    ];
    for (args, more, sentence) in cases {
        let said = fail(&[args, more].concat());
        assert!(
            said.contains(sentence) && said.lines().count() == 1,
            "{said}"
        );
    }
    assert_eq!(files.map(|file| fs::read(file).unwrap()), before);
}

#[test]
fn a_run_that_cannot_begin_leaves_none_behind() {
    let folder = with_bundle("text");
    let (bundle, data) = (path(&folder, "bundle"), corpus(&folder));
    let (encoder, out) = (path(&folder, "encoder"), path(&folder, "run"));
    succeed(&["export", "--bundle", &bundle, "--out", &encoder]);
    let train = |corpus: &str, more: &[&str]| {
        let args = [
            "train",
            "--encoder",
            &encoder,
            "--dev",
            &data,
            "--out",
            &out,
        ];
        let sizes = ["--epochs", "1", "--max-subwords", "32", "--train", corpus];
        [&args[..], &sizes, more]
            .concat()
            .iter()
            .map(|&arg| arg.to_owned())
            .collect::<Vec<_>>()
    };
    let call = |args: &[String]| fail(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let weighed = format!("{data}@0");
    for (corpus, more) in [
        ("nothing.txt", &[][..]),
        (folder.path().to_str().unwrap(), &[]),
        (&weighed, &[]),
        (&data, &["--images", "nowhere"]),
    ] {
        let said = call(&train(corpus, more));
        assert!(!Path::new(&out).exists(), "{corpus} {more:?}: {said}");
    }
    let onto_a_file = [
        "train", "--start", &bundle, "--train", &data, "--dev", &data, "--out", &data,
    ];
    assert!(fail(&onto_a_file).contains("is a file; give the name of a folder"));
    let resumed = train(&data, &["--resume"]);
    let output = run(&resumed.iter().map(String::as_str).collect::<Vec<_>>());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("holds no run to go on with"),
        "{said}"
    );
}
