//! The tables of tensors in `core/FORMAT.md` against what the code writes, and against the models that ship.

use burn::tensor::quantization::{QuantScheme, QuantValue};
use burn::tensor::{DType, Device};
use burn_pack::{Bytes, Reader};
use mner_core::bundle::manifest::Manifest;
use mner_core::bundle::{vision, weights};
use mner_core::decode::fine_types::FineType;
use mner_core::nn::projector::ProjectorConfig;
use mner_core::nn::resnet::ResNetConfig;
use mner_core::systems::SystemConfig;
use mner_core::systems::hamlearning::HamLearningConfig;
use mner_core::systems::ita::ItaConfig;
use mner_core::systems::mgcmt::{Augmented, MgcmtConfig};
use mner_core::systems::text::TextConfig;
use mner_core::vision::encoder::{BackboneConfig, VisionConfig};
use mner_core::{nn, systems, tweet};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What a letter of the specification stands for.
type Letters = BTreeMap<String, usize>;

/// A tensor as the specification has it.
#[derive(Clone, Debug, PartialEq)]
struct Specified {
    shape: Vec<usize>,
    /// A matrix whose first axis is summed over.
    summed: bool,
}

/// `core/FORMAT.md`.
struct Specification {
    /// By name: parameters, and what the group stands for.
    groups: BTreeMap<String, (Vec<String>, String)>,
    /// By section: name, tensors, condition.
    sections: BTreeMap<String, Vec<[String; 3]>>,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

impl Specification {
    fn read() -> Self {
        let text = fs::read_to_string(repository().join("core/FORMAT.md")).unwrap();
        let (mut groups, mut sections) = (BTreeMap::new(), BTreeMap::new());
        let mut title = String::new();
        for line in text.lines() {
            if line.starts_with("## ") || line.starts_with("### ") {
                title = line.trim_start_matches('#').trim().to_owned();
            }
            let Some(row) = line.strip_prefix("| ").and_then(|l| l.strip_suffix('|')) else {
                continue;
            };
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            match (title.strip_prefix("Tensors: "), &cells[..]) {
                (Some(_), ["name", ..]) => {}
                (Some(section), [name, tensors, condition]) => {
                    let row = [name.trim_matches('`'), tensors, condition].map(str::to_owned);
                    let rows: &mut Vec<_> = sections.entry(section.to_owned()).or_default();
                    rows.push(row);
                }
                (None, [head, tensors]) if title == "Notation" && tensors.starts_with("`.") => {
                    let mut words = head.split(' ').map(str::to_owned);
                    let name = words.next().unwrap();
                    groups.insert(name, (words.collect(), (*tensors).to_owned()));
                }
                _ => {}
            }
        }
        Self { groups, sections }
    }

    /// The tensors of a section whose condition holds, their names after `prefix`.
    fn section(
        &self,
        section: &str,
        prefix: &str,
        letters: &Letters,
        holds: &dyn Fn(&str) -> bool,
    ) -> BTreeMap<String, Specified> {
        let mut found = BTreeMap::new();
        for [name, tensors, condition] in &self.sections[section] {
            if condition.is_empty() || holds(condition) {
                self.add(&format!("{prefix}{name}"), tensors, letters, &mut found);
            }
        }
        found
    }

    /// Adds what `tensors`, a shape or a group with its sizes, stands for under a name.
    fn add(
        &self,
        name: &str,
        tensors: &str,
        letters: &Letters,
        found: &mut BTreeMap<String, Specified>,
    ) {
        for name in expand(name, letters) {
            if let Some(shape) = tensors.strip_prefix('[') {
                let (shape, rest) = shape.split_once(']').unwrap();
                let shape = shape.split(", ").map(|s| value(s, letters)).collect();
                let summed = rest.trim() == "summed";
                let before = found.insert(name.clone(), Specified { shape, summed });
                assert!(before.is_none(), "{name} is specified twice");
                continue;
            }
            let mut words = tensors.split(' ');
            let group = words.next().unwrap();
            let (parameters, body) = self
                .groups
                .get(group)
                .unwrap_or_else(|| panic!("there is no group {group}"));
            let sizes: Vec<usize> = words.map(|word| value(word, letters)).collect();
            assert_eq!(parameters.len(), sizes.len(), "{name}: {tensors}");
            let inner: Letters = parameters.iter().cloned().zip(sizes).collect();
            // Members are "`.suffix` tensors", separated by commas before a backquote.
            for member in body.trim_start_matches('`').split(", `") {
                let (suffix, tensors) = member.split_once("` ").unwrap();
                self.add(&format!("{name}{suffix}"), tensors, &inner, found);
            }
        }
    }
}

/// A name without its braces, in all ways.
fn expand(name: &str, letters: &Letters) -> Vec<String> {
    let Some((before, rest)) = name.split_once('{') else {
        return vec![name.to_owned()];
    };
    let (inside, after) = rest.split_once('}').unwrap();
    let choices: Vec<String> = match inside.split_once("..") {
        Some((from, to)) => (value(from, letters)..value(to, letters))
            .map(|i| i.to_string())
            .collect(),
        None => inside.split(',').map(str::to_owned).collect(),
    };
    choices
        .iter()
        .flat_map(|choice| expand(&format!("{before}{choice}{after}"), letters))
        .collect()
}

/// A sum of products of numbers and letters.
fn value(text: &str, letters: &Letters) -> usize {
    let factor = |text: &str| match text.parse() {
        Ok(number) => number,
        Err(_) => *letters
            .get(text)
            .unwrap_or_else(|| panic!("nobody says what {text} is")),
    };
    text.split('+')
        .map(|term| term.split('*').map(factor).product::<usize>())
        .sum()
}

/// The tensors that `weights.bpk` of this system must have.
fn specified(specification: &Specification, config: &SystemConfig) -> BTreeMap<String, Specified> {
    let json = serde_json::to_value(config).unwrap();
    let number = |value: &Value| value.as_u64().unwrap_or(0) as usize;
    let has = |list: &str, part: &str| {
        let list = json[list].as_array();
        list.is_some_and(|list| list.iter().any(|found| found == part))
    };
    let mut letters = Letters::new();
    for (letter, field) in [
        ("V", "vocab"),
        ("D", "d"),
        ("F", "ffn"),
        ("N", "layers"),
        ("P", "positions"),
        ("T", "token_types"),
        ("S", "shapes"),
        ("E", "heads"),
        ("R", "distances"),
    ] {
        letters.insert(letter.to_owned(), number(&json["encoder"][field]));
    }
    for (letter, field) in [
        ("W", "width"),
        ("H", "heads"),
        ("G", "ffn"),
        ("C", "channels"),
        ("A", "augmentation_size"),
        ("I", "iterations"),
        ("Z", "sentence"),
    ] {
        letters.insert(letter.to_owned(), number(&json[field]));
    }
    letters.insert("O".to_owned(), 80);
    let fine_types = config.fine_types().len();
    letters.insert("Y".to_owned(), fine_types);
    letters.insert("Q".to_owned(), (3 * fine_types).next_multiple_of(8));
    if json["shared"] == true {
        letters.insert("I".to_owned(), 1);
    }
    if has("without", "image") && has("without", "object") {
        letters.insert("W".to_owned(), letters["D"]);
    }
    let holds = |condition: &str| match condition {
        "S > 0" => letters["S"] > 0,
        "R > 0" => letters["R"] > 0,
        "Y > 0" => fine_types > 0,
        "seen" => json["seen"] == true,
        "centered" => json["centered"] == true,
        "Z > 0" => letters["Z"] > 0 && !has("without", "relevance"),
        "W != D" => letters["W"] != letters["D"],
        "augmented" => json["augmented"] != "off",
        "augmented by a gate" => json["augmented"] == "gate",
        "image or object" => !(has("without", "image") && has("without", "object")),
        _ => {
            let parts = condition.strip_prefix("not without ");
            let parts = parts.unwrap_or_else(|| panic!("what is {condition:?}?"));
            parts.split(" or ").all(|part| !has("without", part))
        }
    };
    let prefix = match config {
        SystemConfig::Text(_) => "Text.",
        SystemConfig::HamLearning(_) => "HamLearning.",
        SystemConfig::Mgcmt(_) => "Mgcmt.",
        SystemConfig::Ita(_) => "Ita.",
    };
    let mut tensors = specification.section("every system", prefix, &letters, &holds);
    tensors.extend(specification.section(config.name(), prefix, &letters, &holds));
    tensors
}

/// How the name of a MobileNet's classifier's weights ends.
const CLASSIFIER: &str = ".classifier.weight";

/// The tensors that `eyes.bpk` with this backbone and projector must have.
fn specified_vision(
    specification: &Specification,
    config: &VisionConfig,
) -> BTreeMap<String, Specified> {
    let backbone = &config.backbone;
    let mut letters = Letters::from([("K".to_owned(), backbone.classes())]);
    letters.insert("O".to_owned(), 80);
    let name = match backbone {
        BackboneConfig::MobileNetV2(_) => "MobileNetV2",
        BackboneConfig::ResNet(config) => {
            for (i, &blocks) in config.blocks.iter().enumerate() {
                letters.insert(format!("B{}", i + 1), blocks);
            }
            "ResNet"
        }
    };
    let never = |condition: &str| panic!("what is {condition:?}?");
    let prefix = format!("backbone.{name}.");
    let mut tensors = specification.section(name, &prefix, &letters, &never);
    tensors.extend(specification.section("detector", "detector.", &letters, &never));
    if let Some(projector) = &config.projector {
        for (letter, size) in [
            ("C", projector.channels),
            ("X", projector.hidden),
            ("Z", projector.size),
        ] {
            letters.insert(letter.to_owned(), size);
        }
        tensors.extend(specification.section("projector", "projector.", &letters, &never));
    }
    // All but a MobileNet's classifier have their blocks along the rows.
    for (name, tensor) in &mut tensors {
        tensor.summed = name.ends_with(CLASSIFIER);
    }
    tensors
}

/// What a file has: type and shape by name.
fn read(bytes: Vec<u8>) -> BTreeMap<String, (DType, Vec<usize>)> {
    let reader = Reader::from_bytes(Bytes::from_bytes_vec(bytes)).unwrap();
    let tensors = reader.into_tensors().unwrap().into_iter();
    tensors
        .map(|t| (t.name.clone(), (t.dtype, t.shape.to_vec())))
        .collect()
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Compares a file with the specification; `bits` of a quantised tensor by its name, none in a file in f32.
fn compare(
    what: &str,
    found: &BTreeMap<String, (DType, Vec<usize>)>,
    expected: &BTreeMap<String, Specified>,
    bits: Option<&dyn Fn(&str) -> usize>,
) {
    for name in found.keys() {
        assert!(
            expected.contains_key(name),
            "{what}: FORMAT.md does not know {name}"
        );
    }
    for (name, tensor) in expected {
        let (dtype, shape) = found
            .get(name)
            .unwrap_or_else(|| panic!("{what}: {name} of FORMAT.md is missing"));
        let stored = [tensor.shape[0], tensor.shape[1..].iter().product()];
        let [rows, columns] = stored;
        let block = match tensor.summed {
            true => [common_divisor(rows, 32), 1],
            false => [1, common_divisor(columns, 32)],
        };
        let quantised = tensor.shape.len() > 1
            && rows * columns >= 1024
            && block[0] * block[1] >= 8
            && columns.is_multiple_of(8);
        match (bits, quantised) {
            (Some(bits), true) => {
                assert_eq!(shape, &stored, "{what}: {name}");
                let DType::QFloat(scheme) = dtype else {
                    panic!("{what}: {name} is {dtype:?}");
                };
                assert_eq!(layout(scheme), (bits(name), block), "{what}: {name}");
            }
            _ => {
                assert_eq!(shape, &tensor.shape, "{what}: {name}");
                assert_eq!(*dtype, DType::F32, "{what}: {name}");
            }
        }
    }
}

/// Bits and block of a quantised tensor.
fn layout(scheme: &QuantScheme) -> (usize, [usize; 2]) {
    let bits = match scheme.value {
        QuantValue::Q8S => 8,
        QuantValue::Q4S => 4,
        other => panic!("{other:?}"),
    };
    let block = scheme.block_size().unwrap().to_dim_vec(2);
    (bits, [block[0].into(), block[1].into()])
}

#[test]
fn every_system_writes_the_tensors_of_the_specification() {
    let specification = Specification::read();
    let device = Device::flex();
    let tokenizer = tweet::tiny::tokenizer().unwrap();
    let encoder = systems::tiny::encoder(&tokenizer);
    let ham = |change: &dyn Fn(&mut HamLearningConfig)| {
        let mut config = HamLearningConfig::new(encoder.clone(), 24);
        change(&mut config);
        SystemConfig::HamLearning(config)
    };
    let mgcmt = |change: &dyn Fn(&mut MgcmtConfig)| {
        let mut config = MgcmtConfig::new(encoder.clone(), 24, 80);
        change(&mut config);
        SystemConfig::Mgcmt(config)
    };
    use systems::hamlearning::Part as HamPart;
    use systems::mgcmt::Part;
    let plain = nn::encoder::EncoderConfig {
        shapes: 0,
        ..encoder.clone()
    };
    let distant = nn::encoder::EncoderConfig {
        distances: 32,
        ..encoder.clone()
    };
    let configs = [
        SystemConfig::Text(TextConfig::new(plain)),
        SystemConfig::Text(TextConfig::new(distant)),
        SystemConfig::Ita(ItaConfig::new(encoder.clone())),
        ham(&|_| {}),
        ham(&|config| (config.width, config.shared) = (16, true)),
        ham(&|config| config.sentence = Some(24)),
        ham(&|config| (config.sentence, config.seen) = (Some(24), true)),
        ham(&|config| (config.sentence, config.centered) = (Some(24), true)),
        ham(&|config| {
            use HamPart::*;
            config.without = vec![Global, Object, Semantic, Spatial, Relevance, Coattention];
        }),
        mgcmt(&|_| {}),
        mgcmt(&|config| (config.width, config.augmented) = (16, Augmented::Gate)),
        mgcmt(&|config| config.without = vec![Part::Attentive, Part::Auxiliary]),
        mgcmt(&|config| {
            config.augmented = Augmented::Off;
            config.without = vec![Part::Image, Part::Object];
        }),
    ];
    let fine_types = ["athlete", "musician", "festival"].map(|fine| FineType {
        coarse: "any".to_owned(),
        fine: fine.to_owned(),
    });
    let telling = configs
        .clone()
        .map(|c| c.with_fine_types(fine_types.to_vec()));
    for config in configs.into_iter().chain(telling) {
        let expected = specified(&specification, &config);
        let found = read(weights::pack(config.init(&device)).unwrap());
        compare(&format!("{config:?}"), &found, &expected, None);
    }
}

#[test]
fn vision_encoders_write_the_tensors_of_the_specification() {
    let specification = Specification::read();
    let device = Device::flex();
    let mut encoder = mner_core::vision::tiny::vision_encoder(&device).unwrap();
    let resnet = BackboneConfig::ResNet(ResNetConfig::new([1, 2, 1, 1]).with_classes(3));
    for backbone in [encoder.config.backbone.clone(), resnet] {
        encoder.backbone = backbone.init(&device);
        encoder.backbone.fold();
        for projector in [
            None,
            Some(ProjectorConfig::new(backbone.channels(), 80, 16, 24)),
        ] {
            encoder.projector = projector.as_ref().map(|config| config.init(0.0, &device));
            encoder.config.backbone = backbone.clone();
            encoder.config.projector = projector;
            let expected = specified_vision(&specification, &encoder.config);
            let found = read(vision::pack(&encoder).unwrap());
            compare(&format!("{:?}", encoder.config), &found, &expected, None);
        }
    }
}

#[test]
fn the_models_that_ship_are_of_the_specification() {
    let specification = Specification::read();
    let models = repository().join("www/models");
    let index = fs::read(models.join("index.json")).unwrap();
    for model in serde_json::from_slice::<Vec<String>>(&index).unwrap() {
        let file = |name: &str| fs::read(models.join(&model).join(name)).unwrap();
        let manifest = Manifest::parse(&file("manifest.json")).unwrap();
        let scheme = manifest.quantization.map(|scheme| scheme.to_string());
        let bits = |name: &str| match scheme.as_deref() {
            Some("q4") => 4,
            Some("mixed") if name.ends_with("encoder.words.weight") => 4,
            _ => 8,
        };
        let bits: Option<&dyn Fn(&str) -> usize> = match scheme {
            Some(_) => Some(&bits),
            None => None,
        };
        let expected = specified(&specification, &manifest.config);
        compare(&model, &read(file("weights.bpk")), &expected, bits);
        if let Some(entry) = &manifest.vision {
            let expected = specified_vision(&specification, &entry.config);
            let of_eyes = |name: &str| {
                let behind = name.starts_with("projector.") || name.ends_with(CLASSIFIER);
                if behind { 4 } else { 8 }
            };
            let bits: Option<&dyn Fn(&str) -> usize> = match scheme {
                Some(_) => Some(&of_eyes),
                None => None,
            };
            compare(&model, &read(file("eyes.bpk")), &expected, bits);
        }
    }
}

#[test]
fn a_manifest_that_is_read_and_written_keeps_its_numbers() {
    let model = repository().join("www/models/text/manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(model).unwrap()).unwrap();
    // Read but nearly, as serde_json does by itself, some of so many end otherwise.
    let scores: BTreeMap<_, _> = (1..997)
        .map(|n| (n.to_string(), f64::from(n) / 997.0))
        .collect();
    manifest["scores"] = serde_json::json!(scores);
    manifest["files"]
        .as_object_mut()
        .unwrap()
        .remove("manifest");
    let read = Manifest::parse(manifest.to_string().as_bytes()).unwrap();
    let written = serde_json::to_string(&read).unwrap();
    for score in scores.values() {
        assert!(
            written.contains(&serde_json::to_string(score).unwrap()),
            "{score}"
        );
    }
}
