//! Bundles whose text encoder computes on the host, against the same bundles on the device.

use crate::bundle::host::take_encoder;
use crate::bundle::manifest::About;
use crate::bundle::quantize::{LinearInputs, Scheme, linear_weights, quantize, rounded};
use crate::bundle::weights::Tensors;
use crate::bundle::{BundleFiles, Compute, Parts as BundleParts, pack, unpack, weights};
use crate::label::EntityType;
use crate::nn::encoder::{Encoder, EncoderConfig, EncoderInput};
use crate::nn::host::Precision;
use crate::packing::{quantize_bundle, tiny};
use crate::recognizer::Recognizer;
use crate::recognizer::evidence::{Answer, RelevanceScores};
use crate::splitmix::SplitMix64;
use crate::systems::hamlearning::{HamLearningConfig, Part};
use crate::systems::image_batch::tests::encoded;
use crate::systems::mgcmt::{Augmented, MgcmtConfig};
use crate::systems::{System, SystemConfig, SystemKind};
use crate::tweet::words::Sigils;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::quantization::ScaleDtype;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use std::collections::BTreeSet;

/// Weights of a fresh network are so small that nothing depends on much.
struct Louder;

impl ModuleMapper for Louder {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| if D == 1 { tensor } else { tensor * 8.0 })
    }
}

#[derive(Module, Debug)]
struct Model {
    encoder: Encoder,
}

fn config(d: usize, ffn: usize) -> EncoderConfig {
    EncoderConfig {
        vocab: 50,
        d,
        layers: 2,
        heads: d / 8,
        ffn,
        positions: 40,
        first_position: 2,
        token_types: 2,
        shapes: 40,
        // A bias by distance in one of the two.
        distances: if d == 40 { 32 } else { 0 },
        epsilon: 1e-5,
        dropout: 0.1,
    }
}

fn quantized(config: &EncoderConfig, scheme: Scheme, device: &Device) -> (Model, Tensors) {
    let model = || Model {
        encoder: config.init(device),
    };
    let mut loud = model();
    if let Some(shapes) = &mut loud.encoder.shapes {
        shapes.weight = loud.encoder.positions.weight.clone();
    }
    let file = weights::pack(loud.map(&mut Louder)).unwrap();
    let file = quantize(
        file,
        scheme,
        &linear_weights(&model()),
        &LinearInputs::new(),
    )
    .unwrap();
    let loaded = weights::load(model(), file.clone()).unwrap();
    (loaded, weights::by_name(file).unwrap())
}

/// Sequences of these lengths, padded to the longest.
fn input(lengths: &[usize], device: &Device) -> EncoderInput {
    let mut random = SplitMix64(7);
    let subwords = lengths.iter().copied().max().unwrap();
    let shape = [lengths.len(), subwords];
    let mut ints = |most: usize| {
        let values = (0..shape[0] * subwords).map(|_| random.below(most) as i32);
        let data = TensorData::new(values.collect::<Vec<_>>(), shape);
        Tensor::<2, Int>::from_data(data, device)
    };
    let present = lengths
        .iter()
        .flat_map(|&n| (0..subwords).map(move |p| f32::from(u8::from(p < n))));
    EncoderInput {
        subwords: ints(50),
        token_types: Some(ints(2)),
        shapes: Some(ints(40)),
        present: Tensor::from_data(TensorData::new(present.collect::<Vec<_>>(), shape), device),
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

/// The largest difference of a state at a subword.
fn difference(a: &Encoder, b: &Encoder, input: &EncoderInput) -> f32 {
    let d = a.norm.gamma.dims()[0];
    let states = values(a.forward(input))
        .into_iter()
        .zip(values(b.forward(input)));
    let present = values(input.present.clone());
    let states = states.enumerate().filter(|(i, _)| present[i / d] > 0.0);
    states.map(|(_, (a, b))| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn states_are_those_of_the_encoder_in_f32() {
    let device = Device::flex();
    device.seed(1);
    for (d, ffn) in [(64, 96), (40, 72)] {
        for scheme in [Scheme::Q8, Scheme::Q4, Scheme::Mixed] {
            let config = config(d, ffn);
            let (model, mut tensors) = quantized(&config, scheme, &device);
            let (prefix, host) = take_encoder(&config, &mut tensors).unwrap().unwrap();
            assert_eq!((prefix.as_str(), tensors.len()), ("encoder.", 0));
            // Beside weights of 4 bits inputs have 8.
            let most = match host.precision {
                Precision::Fine => 1e-3,
                Precision::Coarse => 0.1,
            };
            assert_eq!(scheme == Scheme::Q4, host.precision == Precision::Coarse);
            let fresh = config.init(&device).computed_by(host);
            for lengths in [vec![1], vec![5, 38, 17]] {
                let input = input(&lengths, &device);
                let off = difference(&model.encoder, &fresh, &input);
                assert!(off < most, "{scheme}, {d}, {lengths:?}: {off}");
                let other = EncoderInput {
                    token_types: None,
                    shapes: None,
                    ..input
                };
                assert!(difference(&model.encoder, &fresh, &other) < most);
            }
            // Of some places, the same to the bit.
            let some = input(&[9, 3], &device);
            let (all, places) = (values(fresh.forward(&some)), [8, 0, 4, 4, 2, 0, 1, 1]);
            let at = |(i, place): (usize, &usize)| &all[(i / 4 * 9 + place) * d..][..d];
            let expected: Vec<f32> = places.iter().enumerate().flat_map(at).copied().collect();
            assert_eq!(values(fresh.forward_at(&some, &places).unwrap()), expected);
            assert!(model.encoder.forward_at(&some, &places).is_none());
            let subwords = input(&[9, 3], &device).subwords;
            let vectors = model.encoder.word_vectors(subwords.clone());
            assert_eq!(values(vectors), values(fresh.word_vectors(subwords)));
            assert!(!fresh.words.weight.is_initialized());
        }
    }
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let device = Device::flex();
    let config = config(32, 64);
    let refused = |change: &dyn Fn(&mut Tensors, &mut EncoderConfig)| {
        let (_, mut tensors) = quantized(&config, Scheme::Q8, &device);
        let mut config = config.clone();
        change(&mut tensors, &mut config);
        take_encoder(&config, &mut tensors).unwrap_err().to_string()
    };
    let bias = "encoder.layers.1.ffn_in.bias";
    let missing = refused(&|tensors, _| drop(tensors.remove(bias)));
    assert!(missing.contains(bias), "{missing}");
    let short = refused(&|_, config| config.vocab = 51);
    assert!(short.contains("encoder.words.weight"), "{short}");
    let wide = refused(&|_, config| config.ffn = 96);
    assert!(wide.contains("encoder.layers.0.ffn_in.bias"), "{wide}");
    let swapped = refused(&|tensors, _| {
        let query = tensors["encoder.layers.0.attention.query.weight"].dtype;
        tensors.get_mut("encoder.words.weight").unwrap().dtype = query;
    });
    assert!(swapped.contains("encoder.words.weight"), "{swapped}");
}

/// No loop takes them, so they are for the device.
#[test]
fn layers_in_blocks_of_two_stay() {
    let (_, mut tensors) = quantized(&config(32, 64), Scheme::Q8, &Device::flex());
    for tensor in tensors.values_mut() {
        if let DType::QFloat(scheme) = tensor.dtype {
            tensor.dtype = DType::QFloat(scheme.per_block([2, 1], ScaleDtype::F16));
        }
    }
    let before = tensors.len();
    assert!(
        take_encoder(&config(32, 64), &mut tensors)
            .unwrap()
            .is_none()
    );
    assert_eq!(tensors.len(), before);
}

const CHANNELS: usize = 6;

fn hamlearning(encoder: EncoderConfig) -> SystemConfig {
    SystemConfig::HamLearning(HamLearningConfig::new(encoder, CHANNELS))
}

fn mgcmt(encoder: EncoderConfig) -> SystemConfig {
    SystemConfig::Mgcmt(MgcmtConfig {
        augmented: Augmented::Off,
        ..MgcmtConfig::new(encoder, CHANNELS, 80)
    })
}

/// A bundle of loud random weights that reads tweets and images.
fn bundle(system: impl Fn(EncoderConfig) -> SystemConfig, device: &Device) -> BundleFiles {
    let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
    let encoder = crate::systems::tiny::config(&tokenizer).encoder().clone();
    let parts = BundleParts {
        max_subwords: 20,
        sigils: Sigils::Joined,
        config: system(encoder),
        vision: None,
        augmentation: None,
        about: About::default(),
    };
    let system: System = parts.config.init(device).map(&mut Louder);
    pack(system, &tokenizer, parts).unwrap()
}

fn recognizer(files: &BundleFiles, compute: Compute) -> Recognizer {
    let device = Device::flex();
    pollster::block_on(Recognizer::load(files.clone(), &device, compute)).unwrap()
}

#[test]
fn hamlearning_gives_the_same_answers() {
    answers_are_the_same(hamlearning);
}

/// With a width of its own, turns that share weights, fewer objects than there are, and everything that asks the space of sentences.
#[test]
fn hamlearning_with_all_it_can_have_gives_the_same_answers() {
    answers_are_the_same(|encoder| {
        SystemConfig::HamLearning(HamLearningConfig {
            width: 16,
            heads: 2,
            ffn: 24,
            objects: 2,
            shared: true,
            sentence: Some(2),
            centered: true,
            seen: true,
            ..HamLearningConfig::new(encoder, CHANNELS)
        })
    });
}

#[test]
fn hamlearning_without_a_relevance_gives_the_same_answers() {
    answers_are_the_same(|encoder| {
        SystemConfig::HamLearning(HamLearningConfig {
            without: vec![Part::Relevance],
            ..HamLearningConfig::new(encoder, CHANNELS)
        })
    });
}

/// Without the grid an image without objects has no rows.
#[test]
fn hamlearning_without_what_it_can_lack_gives_the_same_answers() {
    answers_are_the_same(|encoder| {
        SystemConfig::HamLearning(HamLearningConfig {
            iterations: 1,
            without: vec![Part::Global, Part::Coattention],
            sentence: Some(2),
            seen: true,
            ..HamLearningConfig::new(encoder, CHANNELS)
        })
    });
}

#[test]
fn mgcmt_gives_the_same_answers() {
    answers_are_the_same(mgcmt);
}

#[test]
fn mgcmt_with_narrow_streams_gives_the_same_answers() {
    answers_are_the_same(|encoder| {
        SystemConfig::Mgcmt(MgcmtConfig {
            augmented: Augmented::Off,
            width: 16,
            heads: 2,
            ffn: 24,
            ..MgcmtConfig::new(encoder, CHANNELS, 80)
        })
    });
}

#[test]
fn mgcmt_without_what_it_can_lack_gives_the_same_answers() {
    use crate::systems::mgcmt::Part::{Attentive, Image};
    answers_are_the_same(|encoder| {
        SystemConfig::Mgcmt(MgcmtConfig {
            augmented: Augmented::Off,
            without: vec![Attentive, Image],
            ..MgcmtConfig::new(encoder, CHANNELS, 80)
        })
    });
}

fn answers_are_the_same(system: impl Fn(EncoderConfig) -> SystemConfig) {
    let device = Device::flex();
    device.seed(4);
    let files = bundle(system, &device);
    let image = encoded(1, CHANNELS, 3);
    let long: Vec<&str> = "off to see the kites over lima again".split(' ').collect();
    let tweets: [&[&str]; 3] = [&["in", "rome"], &long, &["oslo"]];
    let without_objects = encoded(2, CHANNELS, 0);
    let images = [Some(&image), Some(&without_objects), None];
    for scheme in [Scheme::Q8, Scheme::Q4, Scheme::Mixed] {
        let files = quantize_bundle(&files, scheme, &device).unwrap();
        let [burn, host] = [Compute::Device, Compute::Host].map(|compute| {
            let recognizer = recognizer(&files, compute);
            let answers = pollster::block_on(recognizer.answers(&tweets, &images)).unwrap();
            let labels: Vec<_> = answers.iter().map(|a| recognizer.labels(a)).collect();
            (answers, labels)
        });
        let labels = (burn.1, host.1);
        let flat = |answers: &[Answer]| -> Vec<f64> {
            answers
                .iter()
                .flat_map(|answer| [answer.emissions.clone(), told_of_image(answer)].concat())
                .collect()
        };
        let (burn, host) = (flat(&burn.0), flat(&host.0));
        let most = burn.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        assert!(most > 0.1, "the scores say something");
        let apart = if scheme == Scheme::Q4 { 0.1 } else { 2e-3 };
        for (a, b) in burn.iter().zip(&host) {
            assert!((a - b).abs() < apart, "{scheme}: {a} and {b}");
        }
        assert_ne!(burn, host, "two ways were compared");
        // With inputs of 8 bits a label that hardly wins may lose.
        if scheme != Scheme::Q4 {
            assert_eq!(labels.0, labels.1, "{scheme}");
        }
    }
}

/// Everything that an answer says of the image.
fn told_of_image(answer: &Answer) -> Vec<f64> {
    let Some(evidence) = &answer.evidence else {
        return Vec::new();
    };
    let RelevanceScores {
        global,
        object,
        semantic,
        spatial,
    } = evidence.relevance;
    let mut told = vec![global, object, semantic, spatial];
    for (word, attention) in evidence.attention().iter().enumerate() {
        told.extend(attention);
        let seen = EntityType::ALL.map(|kind| evidence.seen(word, kind));
        told.extend(seen.into_iter().flatten());
    }
    told
}

#[test]
fn only_quantised_encoders_leave_the_device() {
    let device = Device::flex();
    let on_host = |files: &BundleFiles, compute| {
        let unpacked = unpack(files.clone(), &device, compute).unwrap();
        let encoder = unpacked.system.encoder();
        assert_eq!(encoder.words.weight.is_initialized(), !encoder.is_on_host());
        (encoder.is_on_host(), unpacked.system.num_params())
    };
    let files = bundle(hamlearning, &device);
    let (host, parameters) = on_host(&files, Compute::Host);
    assert!(!host);
    let small = quantize_bundle(&files, Scheme::Q8, &device).unwrap();
    assert_eq!(on_host(&small, Compute::Device), (false, parameters));
    assert_eq!(on_host(&small, Compute::Host), (true, parameters));
}

/// Names of the parameters that hold values.
#[derive(Default)]
struct Held {
    path: Vec<String>,
    names: BTreeSet<String>,
}

impl ModuleVisitor for Held {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_initialized() {
            self.names.insert(self.path.join("."));
        }
    }
}

#[test]
fn linear_layers_beyond_the_encoder_hold_no_values() {
    let device = Device::flex();
    let systems: [fn(EncoderConfig) -> SystemConfig; 2] = [hamlearning, mgcmt];
    for system in systems {
        let files = quantize_bundle(&bundle(system, &device), Scheme::Q8, &device).unwrap();
        let held = |compute| {
            let unpacked = unpack(files.clone(), &device, compute).unwrap();
            let mut held = Held::default();
            unpacked.system.visit(&mut held);
            (held.names, linear_weights(&unpacked.system))
        };
        let tensors = weights::by_name(files.weights.clone()).unwrap();
        let (all, mut packed) = held(Compute::Device);
        packed.retain(|name| {
            name.contains("fusion.") && matches!(tensors[name].dtype, DType::QFloat(_))
        });
        assert!(tensors.keys().all(|name| !name.contains("auxiliary")));
        assert!(packed.len() > 10 && packed.is_subset(&all), "{packed:?}");
        let (on_host, _) = held(Compute::Host);
        assert!(packed.is_disjoint(&on_host), "{on_host:?}");
    }
}

/// A step of training that is quantisation-aware computes with what a quantised bundle holds.
#[test]
fn rounded_weights_are_those_of_the_quantised_bundle() {
    let device = Device::flex();
    for scheme in [Scheme::Q8, Scheme::Q4, Scheme::Mixed] {
        let files = tiny::bundle(SystemKind::Text, 9, &device).unwrap();
        let small = quantize_bundle(&files, scheme, &device).unwrap();
        let [exact, read] =
            [files, small].map(|files| unpack(files, &device, Compute::Device).unwrap().system);
        let [exact, rounded, read] =
            [exact.clone(), rounded(exact, scheme), read].map(|system| weights_of(&system));
        assert_eq!(rounded, read);
        assert_ne!(exact, read);
    }
}

/// All weights, parameter by parameter.
fn weights_of(system: &System) -> Vec<Vec<f32>> {
    struct Read(Vec<Vec<f32>>);
    impl ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(values(param.val()));
        }
    }
    let mut read = Read(Vec::new());
    system.visit(&mut read);
    read.0
}
