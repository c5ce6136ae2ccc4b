use super::student::told as exam;
use super::*;
use crate::formats::hugging_face::export;
use crate::packing::tiny::bundle;
use crate::splitmix::SplitMix64;
use crate::systems::SystemKind;
use crate::train::adamw::OnePassAdamW;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::train::TrainStep;
use std::path::Path;

fn config(folder: &Path) -> CaptionTrainConfig {
    CaptionTrainConfig {
        sentences: folder.join("sentences"),
        texts: vec![folder.join("texts.txt")],
        captions: vec![folder.join("captions.jsonl")],
        pairs: Vec::new(),
        held_out: None,
        images: None,
        bundle: None,
        cache: None,
        out: folder.join("run"),
        least: 2,
        apart: 10,
        noise: 0.01,
        hidden: 16,
        layers: 1,
        epochs: 2,
        batch: 8,
        lr: 3e-3,
        warmup: 0.1,
        weight_decay: 0.0,
        dropout: 0.0,
        seed: 1,
        licences: vec!["made up".to_owned()],
    }
}

/// A folder with a sentence encoder of random weights and some forty captions.
fn prepared(device: &Device) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    device.seed(1);
    let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
    let system = crate::systems::tiny::config(&tokenizer);
    export(system.init(device), &system, &tokenizer, &at("sentences")).unwrap();
    let mut texts = String::new();
    for thing in ["dog", "man", "kite", "car"] {
        for verb in ["runs", "is", "flies"] {
            for place in ["here", "there", "off"] {
                texts.push_str(&format!("A {thing} {verb} {place}.\n"));
            }
        }
    }
    texts.push_str("a zebra is there\n");
    fs::write(at("texts.txt"), texts).unwrap();
    let captions = "{\"id\": \"1\", \"blip2\": \"a zebra is off\", \"catr\": \"the dog is there.\"}\n{\"id\": \"2\", \"catr\": \"The dog is there\"}\n";
    fs::write(at("captions.jsonl"), captions).unwrap();
    folder
}

#[test]
fn a_decoder_learns_to_say_what_vectors_mean() {
    let device = Device::flex();
    device.seed(1);
    let sizes = CaptionDecoderConfig::new(8, 6)
        .with_d(32)
        .with_ffn(64)
        .with_layers(1);
    let mut rng = SplitMix64(5);
    let texts: Vec<Text> = (0..24)
        .map(|_| Text {
            text: String::new(),
            subwords: (0..1 + rng.below(5)).map(|_| 1 + rng.below(7)).collect(),
        })
        .collect();
    let vectors: Vec<Vec<f32>> = (0..texts.len())
        .map(|_| (0..6).map(|_| rng.unit() as f32 - 0.5).collect())
        .collect();
    let places: Vec<usize> = (0..texts.len()).collect();
    let rows = rows(&places, &texts, &vectors);
    let lesson =
        |rng: &mut SplitMix64, device: &Device| CaptionLesson::new(&rows, 0.02, rng, device);
    let learner = device.clone().autodiff();
    let mut student = CaptionStudent {
        decoder: sizes.init(0.0, &device),
    }
    .train();
    let before = exam(&student.clone().valid().decoder, &lesson(&mut rng, &device));
    let mut optimizer = ModuleOptimizer::from(OnePassAdamW::new(0.0));
    for _ in 0..200 {
        let out = TrainStep::step(&student, lesson(&mut rng, &learner));
        let rate = ModuleLearningRate::from(1e-2);
        student = TrainStep::optimize(student, &mut optimizer, rate, out.grads);
    }
    let after = exam(&student.valid().decoder, &lesson(&mut rng, &device));
    assert_eq!(
        after.count,
        texts
            .iter()
            .map(|text| text.subwords.len() + 1)
            .sum::<usize>()
    );
    assert!(before.part() < 0.5, "{before:?}");
    assert!(after.part() > 0.9, "{after:?}");
}

#[test]
fn a_run_makes_a_captioner_and_goes_on_to_the_same() {
    let device = Device::flex();
    let folder = prepared(&device);
    let config = config(folder.path());
    let (files, held_out) = train(&config, &device, false, Interrupter::new()).unwrap();
    assert_eq!(held_out, None);
    let manifest: serde_json::Value = serde_json::from_slice(&files.manifest).unwrap();
    assert_eq!(manifest["licences"], serde_json::json!(["made up"]));
    assert_eq!(
        manifest["training"]["out"]
            .as_str()
            .map(|out| Path::new(out).is_relative()),
        Some(true)
    );
    let subwords: Vec<&str> = manifest["subwords"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap())
        .collect();
    // "zebra" comes once, but for what BLIP-2 says.
    assert!(subwords.contains(&"##k") || subwords.contains(&"k"));
    assert!(!subwords.contains(&"z"));
    let captioner = unpack(files.clone(), &device).unwrap();
    let size = SentenceEncoder::load(&config.sentences, &device)
        .unwrap()
        .size();
    pollster::block_on(captioner.caption(&vec![0.5; size])).unwrap();

    let again = train(&config, &device, false, Interrupter::new()).unwrap_err();
    assert!(again.to_string().contains("--resume"), "{again}");
    let (same, _) = train(&config, &device, true, Interrupter::new()).unwrap();
    assert!(same.weights == files.weights);
}

#[test]
fn what_cannot_be_is_explained() {
    let device = Device::flex();
    let folder = prepared(&device);
    let error = |change: &dyn Fn(&mut CaptionTrainConfig)| {
        let mut config = config(folder.path());
        change(&mut config);
        let run = train(&config, &device, false, Interrupter::new());
        run.unwrap_err().to_string()
    };
    assert!(error(&|c| c.lr = 2.0).contains("`lr` is 2"));
    assert!(error(&|c| c.apart = 1000).contains("--apart"));
    assert!(error(&|c| c.texts = vec!["none.txt".into()]).contains("none.txt"));
    assert!(error(&|c| c.captions = vec!["none.jsonl".into()]).contains("none.jsonl"));
    assert!(error(&|c| c.sentences = folder.path().join("none")).contains("none"));
}

#[test]
fn a_bundle_without_projector_is_refused() {
    let device = Device::flex();
    let folder = prepared(&device);
    let at = |name: &str| folder.path().join(name);
    crate::packing::folder::write(
        &bundle(SystemKind::HamLearning, 1, &device).unwrap(),
        &at("bundle"),
    )
    .unwrap();
    let image = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 30, 30]));
    image.save(at("red.png")).unwrap();
    fs::write(
        at("held.jsonl"),
        "{\"text\": \"red\", \"image\": \"red.png\"}\n",
    )
    .unwrap();
    let config = CaptionTrainConfig {
        held_out: Some(at("held.jsonl")),
        images: Some(folder.path().to_owned()),
        bundle: Some(at("bundle")),
        epochs: 1,
        ..config(folder.path())
    };
    let error = train(&config, &device, false, Interrupter::new()).unwrap_err();
    assert!(error.to_string().contains("mner match"), "{error}");
    // Nor can the images say where they lie.
    let paired = CaptionTrainConfig {
        pairs: vec![at("held.jsonl")],
        held_out: None,
        out: at("paired"),
        ..config
    };
    let error = train(&paired, &device, false, Interrupter::new()).unwrap_err();
    assert!(error.to_string().contains("mner match"), "{error}");
}
