//! Training throughput of the text system at MiniLM-L6's size, random weights and subwords, on the
//! CPU: one JSON line, the same fields as `tests/bench/peers/torch_train.py`.
//!
//! `CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo bench --profile dev --features cli,flex --bench train -- [--batch B] [--subwords P] [--steps S] [--warmup W]`;
//! threads by `RAYON_NUM_THREADS`.
#![recursion_limit = "256"]

mod shared;

use burn::optim::GradientsParams;
use burn::tensor::Device;
use burn::train::TrainStep;
use mner_core::data::example::LabelledBatch;
use mner_core::label::LABELS;
use mner_core::nn::crf::CrfTargets;
use mner_core::splitmix::SplitMix64;
use mner_core::systems::SystemConfig;
use mner_core::systems::batch::Batch;
use mner_core::systems::padding::LeastSizes;
use mner_core::systems::text::TextConfig;
use mner_core::train::config::TrainConfig;
use mner_core::train::learner::TrainedSystem;
use mner_core::train::schedule::{optimizer, scheduler};
use mner_core::tweet::sequence::SubwordSequence;
use mner_core::tweet::shape::WordShape;
use mner_core::tweet::window::Window;
use shared::{flag, minilm};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As `mner` sets it: see there.
const PURGE_DELAY: i32 = 15;

fn main() {
    // SAFETY: sets a number in mimalloc's table of options, before any thread is started.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    let (batch, subwords) = (flag("--batch", 16), flag("--subwords", 32));
    let (steps, warmup) = (flag("--steps", 20), flag("--warmup", 3));
    let device = Device::flex().autodiff();
    device.seed(1);
    let encoder = minilm(0);
    let config = TrainConfig {
        batch,
        ..TrainConfig::default()
    };
    let system = SystemConfig::Text(TextConfig::new(encoder.clone()));
    let mut trained = TrainedSystem::new(system.init(&device), config.clip);
    let mut optimizer = optimizer(&config);
    let mut scheduler = scheduler(&config, warmup + steps);

    // As the peer does it: every subword is a word of its own.
    let mut rng = SplitMix64(1);
    let tweets: Vec<[SubwordSequence; 1]> = (0..batch)
        .map(|_| {
            [SubwordSequence {
                subwords: (0..subwords)
                    .map(|_| rng.below(encoder.vocab) as u32)
                    .collect(),
                shapes: vec![WordShape::Special.index(); subwords],
                first: (0..subwords).collect(),
                window: Window {
                    words: 0..subwords,
                    keep: 0..subwords,
                },
            }]
        })
        .collect();
    let gold: Vec<Vec<usize>> = (0..batch)
        .map(|_| (0..subwords).map(|_| rng.below(LABELS)).collect())
        .collect();
    let rows: Vec<&[SubwordSequence]> = tweets.iter().map(<[_; 1]>::as_slice).collect();
    let item = LabelledBatch {
        batch: Batch::new(&rows, 0, LeastSizes::default(), &device),
        targets: CrfTargets::new(&gold, LABELS, &device),
        gold: Vec::new(),
        taught: None,
    };

    let mut seconds = Vec::with_capacity(steps);
    for step in 0..warmup + steps {
        let started = Instant::now();
        let output = trained.step(item.clone());
        let grads: GradientsParams = output.grads;
        trained = trained.optimize(&mut optimizer, scheduler.step(), grads);
        if step >= warmup {
            seconds.push(started.elapsed().as_secs_f64());
        }
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    println!(
        r#"{{"name":"mner","threads":{},"batch":{batch},"subwords":{subwords},"steps":{steps},"warmup":{warmup},"seconds_per_step_median":{median:.4},"subwords_per_second":{:.1}}}"#,
        std::env::var("RAYON_NUM_THREADS").unwrap_or_else(|_| std::thread::available_parallelism()
            .map_or(1, usize::from)
            .to_string()),
        (batch * subwords) as f64 / median,
    );
}
