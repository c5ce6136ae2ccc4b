//! `MODEL_CARD.md`: what a bundle is, for people and for model hubs, from its manifest alone.
//!
//! The form is Hugging Face's: front matter in YAML, then Markdown. The card is no part of the bundle's format: its hash stands in
//! no manifest, and a bundle without one, or with another, is as good.

use crate::bundle::manifest::{AVERAGED_WITH, BEFORE, FileEntry, Manifest};
use crate::bundle::{AUGMENTATION, EYES, MANIFEST, TOKENIZER, WEIGHTS};
use crate::decode::fine_types::FineType;
use crate::label::EntityType;
use crate::systems::SystemKind;
use crate::vision::encoder::BackboneConfig;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::{self, Write};

/// The card's file name in a bundle's folder. On the Hugging Face Hub it is called `README.md`.
pub const CARD: &str = "MODEL_CARD.md";

/// File names that say which part of a corpus it is, not which corpus.
const PARTS: [&str; 6] = ["train", "valid", "dev", "test", "validation", "all"];

/// The card of a bundle with this manifest. `languages` are codes of ISO 639, such as `en`, for a manifest that names none.
pub fn card(manifest: &Manifest, languages: &[String]) -> String {
    let languages = match &manifest.about.languages[..] {
        [] => languages,
        named => named,
    };
    let mut text = String::new();
    front_matter(&mut text, manifest, languages)
        .and_then(|()| body(&mut text, manifest, languages))
        .expect("text takes text");
    text
}

fn front_matter(text: &mut String, manifest: &Manifest, languages: &[String]) -> fmt::Result {
    let about = &manifest.about;
    let system = manifest.config.name();
    let mut fields = vec![
        ("library_name", json!("mner")),
        ("pipeline_tag", json!("token-classification")),
    ];
    if !languages.is_empty() {
        fields.push(("language", json!(languages)));
    }
    if !about.licences.is_empty() {
        // Its parts have terms of their own; the text lists them.
        fields.push(("license", json!("other")));
        fields.push(("license_name", json!("terms-of-its-parts")));
    }
    let mut tags = vec!["named-entity-recognition", "tweets", "mner", system];
    if system != SystemKind::Text.name() {
        tags.insert(1, "multimodal");
    }
    fields.push(("tags", json!(tags)));
    let corpora = corpora(&about.training, "train");
    if !corpora.is_empty() {
        fields.push(("datasets", json!(corpora)));
    }
    if !about.scores.is_empty() {
        fields.push(("metrics", json!(["f1"])));
        fields.push(("model-index", model_index(manifest)));
    }
    writeln!(text, "---")?;
    for (name, value) in fields {
        text.push_str(name);
        yaml(text, &value, 1)?;
    }
    writeln!(text, "---\n")
}

/// The scores as model hubs read them.
fn model_index(manifest: &Manifest) -> Value {
    let about = &manifest.about;
    let results = about.scores.iter().map(|(data, f1)| {
        json!({
            "task": {"type": "token-classification", "name": "Named Entity Recognition"},
            "dataset": {"type": names(data).join("-"), "name": data, "split": "validation"},
            "metrics": [{"type": "f1", "name": "micro F1, exact span and type", "value": rounded(*f1)}],
        })
    });
    let results: Vec<Value> = results.collect();
    json!([{"name": about.name, "results": results}])
}

/// Writes what stands behind the name of a field, or behind a dash. Every string of JSON is one of YAML.
fn yaml(text: &mut String, value: &Value, depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            writeln!(text, ":")?;
            for (name, value) in fields {
                write!(text, "{indent}{name}")?;
                yaml(text, value, depth + 1)?;
            }
            Ok(())
        }
        Value::Array(items) => {
            writeln!(text, ":")?;
            for item in items {
                write!(text, "{indent}- ")?;
                match item {
                    Value::Object(fields) => {
                        for (at, (name, value)) in fields.iter().enumerate() {
                            let indent = if at == 0 { "" } else { &indent };
                            let gap = if at == 0 { "" } else { "  " };
                            write!(text, "{indent}{gap}{name}")?;
                            yaml(text, value, depth + 2)?;
                        }
                    }
                    scalar => writeln!(text, "{scalar}")?,
                }
            }
            Ok(())
        }
        scalar => writeln!(text, ": {scalar}"),
    }
}

/// A fraction with as many digits as there are tweets to speak of.
fn rounded(fraction: f64) -> f64 {
    (fraction * 1e4).round() / 1e4
}

/// The corpora that the files of a list of data are of: `twitter2017/valid.txt` of `twitter2017`, `wnut17.train.conll` of `wnut17`.
fn names(data: &str) -> Vec<String> {
    data.split(" + ").map(corpus).collect()
}

fn corpus(path: &str) -> String {
    let mut parts = path.rsplit(['/', '\\']);
    let file = parts.next().unwrap_or(path);
    let stem = file.split('.').next().unwrap_or(file);
    match (PARTS.contains(&stem), parts.next()) {
        (true, Some(folder)) => folder.to_owned(),
        _ => stem.to_owned(),
    }
}

/// The corpora of a training configuration and of those of the bundles it went on from.
fn corpora(training: &Value, field: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut run = Some(training);
    while let Some(training) = run {
        let sources = training[field].as_array().into_iter().flatten();
        found.extend(sources.filter_map(|source| Some(corpus(source["path"].as_str()?))));
        run = training.get(BEFORE);
    }
    found
}

fn body(text: &mut String, manifest: &Manifest, languages: &[String]) -> fmt::Result {
    let about = &manifest.about;
    writeln!(text, "# {}\n", inline(&about.name))?;
    writeln!(
        text,
        "Finds the names of persons, places, organisations and other things in tweets, with exact spans, a confidence and the next\n\
         likeliest type. {}\n",
        reads(manifest)
    )?;
    entity_types(text)?;
    fine_types(text, manifest)?;
    scores(text, manifest)?;
    training(text, manifest, languages)?;
    sizes(text, manifest)?;
    limits(text, manifest)?;
    licences(text, manifest)
}

/// What the system does with an image.
fn reads(manifest: &Manifest) -> &'static str {
    match manifest.config.name() {
        "hamlearning" => {
            "It reads a tweet and its image: it weighs how relevant the image is, then lets words and image read each other. It answers \
             without an image too."
        }
        "mgcmt" => {
            "It reads a tweet and its image: words, image and detections pass through gates to each other. It answers without an image \
             too."
        }
        "ita" => {
            "It reads a tweet and its image: the image is turned into words that follow the tweet. It answers without an image too."
        }
        _ => "It reads the words of a tweet alone.",
    }
}

fn entity_types(text: &mut String) -> fmt::Result {
    writeln!(text, "## Entity types\n\n| type | what it is |\n|---|---|")?;
    for kind in EntityType::ALL {
        let what = match kind {
            EntityType::Per => "a person",
            EntityType::Loc => "a place",
            EntityType::Org => "an organisation",
            EntityType::Misc => "any other name: works, events, products",
        };
        writeln!(text, "| {kind} | {what} |")?;
    }
    writeln!(
        text,
        "\nLabels are BIO over these types, nine in all; a CRF reads them off.\n"
    )
}

/// The fine types and how good they are, if there are any.
fn fine_types(text: &mut String, manifest: &Manifest) -> fmt::Result {
    let types = manifest.config.fine_types();
    if types.is_empty() {
        return Ok(());
    }
    let scores = manifest.about.fine_types.as_ref().map(|told| &told.scores);
    let f1 = |name: &str| match scores.and_then(|scores| scores.get(name)) {
        Some(f1) => format!("{:.1}", 100.0 * f1),
        None => "not measured".to_owned(),
    };
    writeln!(
        text,
        "Of each name it also tells one of {} fine types, with a probability. F1 of names with exact words and fine type, in per cent,\n\
         on the tweets that also made these probabilities mean what they say; over all {}.\n\n| type | fine type | F1 |\n|---|---|---|",
        types.len(),
        f1("micro")
    )?;
    let mut sorted: Vec<_> = types.iter().collect();
    sorted.sort();
    for FineType { coarse, fine } in sorted {
        writeln!(
            text,
            "| {} | {} | {} |",
            inline(coarse),
            inline(fine),
            f1(fine)
        )?;
    }
    writeln!(text)
}

fn scores(text: &mut String, manifest: &Manifest) -> fmt::Result {
    let scores = &manifest.about.scores;
    if scores.is_empty() {
        return writeln!(text, "## Scores\n\nNone are recorded.\n");
    }
    writeln!(
        text,
        "## Scores\n\nMicro F1 over exact spans and types, in per cent:\n\n| data | micro F1 |\n|---|---|"
    )?;
    for (data, f1) in scores {
        writeln!(text, "| {} | {:.2} |", inline(data), 100.0 * f1)?;
    }
    let of_other_weights = match manifest.quantization {
        Some(_) => {
            " They are of the weights before quantisation; `mner evaluate` gives those of the bundle."
        }
        None => "",
    };
    writeln!(
        text,
        "\nThe data also chose the epoch, so unseen data may score lower.{of_other_weights}\n"
    )
}

fn training(text: &mut String, manifest: &Manifest, languages: &[String]) -> fmt::Result {
    let training = &manifest.about.training;
    writeln!(text, "## Training data\n")?;
    let learnt_from = corpora(training, "train");
    if learnt_from.is_empty() {
        writeln!(text, "None is recorded: the weights may be random.\n")?;
    } else {
        for corpus in learnt_from {
            writeln!(text, "* {}", inline(&corpus))?;
        }
        writeln!(text)?;
    }
    match languages {
        [] => writeln!(text, "Its language is not recorded.\n")?,
        codes => writeln!(text, "Language: {}.\n", inline(&codes.join(", ")))?,
    }
    if !training.is_null() {
        let steps = std::iter::successors(Some(training), |run| run.get(BEFORE)).count();
        let runs = if steps == 1 {
            "one run"
        } else {
            "several runs, each going on from the one before"
        };
        writeln!(
            text,
            "It was trained in {runs} (`{MANIFEST}` has every setting under `training`), the last with seed {}.\n",
            training["seed"]
        )?;
        if let Some(others) = training[AVERAGED_WITH].as_array() {
            writeln!(
                text,
                "Its weights are the mean of those of {} bundles that went on from the same one.\n",
                others.len() + 1
            )?;
        }
    }
    Ok(())
}

fn sizes(text: &mut String, manifest: &Manifest) -> fmt::Result {
    let encoder = manifest.config.encoder();
    writeln!(
        text,
        "## Sizes\n\nText encoder: {} layers of {} dimensions, {} subwords. Weights: {}.{}\n\n| file | bytes |\n|---|---|",
        encoder.layers,
        encoder.d,
        encoder.vocab,
        match manifest.quantization {
            Some(scheme) => format!("quantised, {scheme}"),
            None => "32 bits".to_owned(),
        },
        match &manifest.vision {
            None => String::new(),
            Some(vision) => format!(
                " Vision encoder: {} and YOLOX-Nano at {} pixels.",
                match vision.config.backbone {
                    BackboneConfig::MobileNetV2(_) => "MobileNetV2",
                    BackboneConfig::ResNet(_) => "a ResNet",
                },
                vision.config.detector_side
            ),
        }
    )?;
    let files = &manifest.files;
    let all: [(&str, Option<&FileEntry>); 4] = [
        (WEIGHTS, Some(&files.weights)),
        (TOKENIZER, Some(&files.tokenizer)),
        (EYES, files.vision.as_ref()),
        (AUGMENTATION, files.augmentation.as_ref()),
    ];
    for (name, file) in all {
        if let Some(file) = file {
            writeln!(text, "| {name} | {} |", file.bytes)?;
        }
    }
    writeln!(text)
}

fn limits(text: &mut String, manifest: &Manifest) -> fmt::Result {
    writeln!(
        text,
        "## Limits\n\n\
         * It was made for short, informal texts; other kinds of text were not tested here.\n\
         * Longer texts are read in overlapping windows of {} subwords.\n\
         * It knows the four types above and gives every name one of them. Names do not nest.\n\
         * {}; how far it can be relied on is what `mner evaluate --calibration` measures.",
        manifest.max_subwords,
        match manifest.about.confidence {
            Some(_) => "A confidence is calibrated on labelled tweets (`mner calibrate`)",
            None => "A confidence is the model's own, not calibrated",
        }
    )?;
    if manifest.vision.is_some() {
        writeln!(
            text,
            "* Of an image it sees what its backbone and detector see: the detector's classes are everyday things, and it knows no faces."
        )?;
    }
    writeln!(
        text,
        "* It has learnt the names and the gaps of its training data. Do not use it to profile people.\n"
    )
}

fn licences(text: &mut String, manifest: &Manifest) -> fmt::Result {
    writeln!(text, "## Licences\n")?;
    if manifest.about.licences.is_empty() {
        return writeln!(text, "None are recorded.");
    }
    writeln!(
        text,
        "The model is made of parts with terms of their own:\n"
    )?;
    for licence in &manifest.about.licences {
        writeln!(text, "* {}", inline(licence))?;
    }
    Ok(())
}

/// Text of a manifest as a part of one line of Markdown that means nothing but itself.
fn inline(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => plain.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => plain.extend(['\\', c]),
            '<' => plain.push_str("&lt;"),
            '&' => plain.push_str("&amp;"),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::manifest::label_names;

    fn manifest(about: Value) -> Manifest {
        let mut manifest = json!({
            "format": 1,
            "labels": label_names(),
            "config": {"system": "text", "encoder": {
                "vocab": 9, "d": 8, "layers": 1, "heads": 2, "ffn": 8, "positions": 40, "first_position": 0, "token_types": 2,
                "shapes": 12, "epsilon": 1e-12, "dropout": 0.1,
            }},
            "max_pieces": 32,
            "files": {"weights": {"bytes": 5, "sha256": ""}, "tokenizer": {"bytes": 7, "sha256": ""}},
        });
        let fields = manifest.as_object_mut().unwrap();
        fields.extend(about.as_object().unwrap().clone());
        Manifest::parse(manifest.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_card_says_what_the_manifest_says() {
        let source = |path: &str| json!({ "path": path });
        let manifest = manifest(json!({
            "name": "a \"model\"\n---",
            "licences": ["tweets: <b>mine</b>, *research* use"],
            "scores": {"twitter2017/valid.txt + other.conll": 0.789_690_7},
            "training": {
                "seed": 3,
                "train": [source("twitter2017/train.txt")],
                "before": {"train": [source("ner/wnut17.train.conll"), source("train.txt")]},
            },
        }));
        let text = card(&manifest, &["en".to_owned()]);
        let expected = r#"---
library_name: "mner"
pipeline_tag: "token-classification"
language:
  - "en"
license: "other"
license_name: "terms-of-its-parts"
tags:
  - "named-entity-recognition"
  - "tweets"
  - "mner"
  - "text"
datasets:
  - "train"
  - "twitter2017"
  - "wnut17"
metrics:
  - "f1"
model-index:
  - name: "a \"model\"\n---"
    results:
      - dataset:
          name: "twitter2017/valid.txt + other.conll"
          split: "validation"
          type: "twitter2017-other"
        metrics:
          - name: "micro F1, exact span and type"
            type: "f1"
            value: 0.7897
        task:
          name: "Named Entity Recognition"
          type: "token-classification"
---
"#;
        assert!(text.starts_with(expected), "{text}");
        for piece in [
            "# a \"model\" ---\n",
            "| twitter2017/valid.txt + other.conll | 78.97 |",
            "* wnut17\n",
            "with seed 3.",
            "| weights.bpk | 5 |",
            "windows of 32 subwords",
            "* tweets: &lt;b>mine&lt;/b>, \\*research\\* use\n",
        ] {
            assert!(text.contains(piece), "{piece} is not in {text}");
        }
    }

    #[test]
    fn the_manifest_s_languages_come_before_those_that_are_told() {
        let about = json!({"name": "m", "licences": [], "scores": {}, "training": null, "languages": ["de"]});
        let text = card(&manifest(about), &["en".to_owned()]);
        assert!(text.contains("Language: de.") && !text.contains("\"en\""));
        assert!(!text.contains("license") && !text.contains("datasets"));
    }
}
