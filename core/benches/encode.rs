//! How long one tweet takes in a quantised text encoder of MiniLM-L6's size, random weights, on the
//! CPU: a JSON line for the device in f32 and one for the library itself with weights of 8 bits and of 4.
//!
//! `CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo bench --profile dev --features cli,flex --bench encode -- [--subwords P] [--runs R]`;
//! threads of the device by `RAYON_NUM_THREADS`.
#![recursion_limit = "256"]

mod shared;

use burn::tensor::{Device, Int, Tensor, TensorData};
use mner_core::bundle::manifest::About;
use mner_core::bundle::quantize::Scheme;
use mner_core::bundle::{Compute, Parts, pack, unpack};
use mner_core::nn::encoder::EncoderInput;
use mner_core::packing::quantize_bundle;
use mner_core::splitmix::SplitMix64;
use mner_core::systems::SystemConfig;
use mner_core::systems::text::TextConfig;
use mner_core::tweet::shape::WordShape;
use mner_core::tweet::words::Sigils;
use shared::{flag, minilm};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let (subwords, runs) = (flag("--subwords", 32), flag("--runs", 30));
    let device = Device::flex();
    device.seed(1);
    let encoder = minilm(WordShape::COUNT);
    let parts = Parts {
        max_subwords: encoder.max_subwords(),
        sigils: Sigils::Joined,
        config: SystemConfig::Text(TextConfig::new(encoder.clone())),
        vision: None,
        augmentation: None,
        about: About::default(),
    };
    let tokenizer = mner_core::tweet::tiny::tokenizer().expect("the tokenizer");
    let system = parts.config.init(&device);
    let bundle = pack(system, &tokenizer, parts).expect("a bundle");
    let [eight, four] = [Scheme::Q8, Scheme::Q4]
        .map(|scheme| quantize_bundle(&bundle, scheme, &device).expect("a quantised bundle"));

    let mut random = SplitMix64(1);
    let mut ints = |most: usize| {
        let values: Vec<i32> = (0..subwords).map(|_| random.below(most) as i32).collect();
        Tensor::<2, Int>::from_data(TensorData::new(values, [1, subwords]), &device)
    };
    let input = EncoderInput {
        subwords: ints(encoder.vocab),
        token_types: None,
        shapes: Some(ints(WordShape::COUNT)),
        present: Tensor::ones([1, subwords], &device),
    };
    for (name, bundle, compute) in [
        ("device", &eight, Compute::Device),
        ("host-q8", &eight, Compute::Host),
        ("host-q4", &four, Compute::Host),
    ] {
        let system = unpack(bundle.clone(), &device, compute)
            .expect("the bundle")
            .system;
        let mut milliseconds: Vec<f64> = (0..runs + 3)
            .map(|_| {
                let started = Instant::now();
                let states = system.encoder().forward(&input).into_data();
                assert_eq!(states.num_elements(), subwords * encoder.d);
                1e3 * started.elapsed().as_secs_f64()
            })
            .skip(3)
            .collect();
        milliseconds.sort_by(f64::total_cmp);
        println!(
            r#"{{"name":"{name}","subwords":{subwords},"runs":{runs},"milliseconds_least":{:.2},"milliseconds_median":{:.2}}}"#,
            milliseconds[0],
            milliseconds[runs / 2],
        );
    }
}
