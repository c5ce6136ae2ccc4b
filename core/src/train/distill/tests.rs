use super::*;
use crate::nn::yolox::YoloxConfig;
use crate::train::checkpoint::last_epoch;
use crate::train::distill::assignment::Answer;
use crate::train::distill::lessons::Lesson;
use crate::train::distill::student::Student;
use crate::train::supervised::RunError;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Distribution, Tensor};
use burn::train::TrainStep;

const CLASSES: usize = 80;

/// Two-coloured photographs.
fn photographs(folder: &Path, count: u8) {
    for shade in 0..count {
        let pixels = image::RgbImage::from_fn(40, 32, |x, _| {
            let value = if x < 20 { shade } else { 255 - 3 * shade };
            image::Rgb([value, shade, 200])
        });
        pixels.save(folder.join(format!("{shade:02}.png"))).unwrap();
    }
}

fn teacher(folder: &Path, device: &Device) -> PathBuf {
    device.seed(7);
    let mut network = YoloxConfig::new().init(device);
    network.fold();
    let path = folder.join("teacher.safetensors");
    detector_file::write(network, 64, &path).unwrap();
    let names: Vec<String> = (0..CLASSES).map(|class| format!("thing {class}")).collect();
    fs::write(folder.join(OBJECT_NAMES), names.join("\n")).unwrap();
    path
}

fn config(folder: &Path, teacher: PathBuf, out: &str, epochs: usize) -> DistillConfig {
    DistillConfig {
        teacher,
        photos: vec![Folder {
            path: folder.join("photos"),
            weight: 1.0,
        }],
        out: folder.join(out),
        side: 32,
        teacher_side: 64,
        epochs,
        batch: 4,
        freeze: 1,
        lr: 1e-3,
        warmup: 0.0,
        weight_decay: 1e-4,
        seed: 3,
    }
}

#[test]
fn a_resumed_run_ends_in_the_same_detector() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("photos")).unwrap();
    photographs(&at.join("photos"), 12);
    let teacher = teacher(at, &device);
    let run = |config: &DistillConfig, resume| distill(config, &device, resume, Interrupter::new());

    let whole = config(at, teacher.clone(), "whole", 2);
    let report = run(&whole, false).unwrap();
    assert_eq!(report.photographs + report.held_out, 12);
    let again = run(&whole, false).unwrap_err().to_string();
    assert!(again.contains("--resume"), "{again}");

    // A run killed after its first epoch leaves that epoch's checkpoint and nothing after it.
    let cut = config(at, teacher, "cut", 2);
    let interrupter = Interrupter::new();
    let stopped = stop_after_the_first_epoch(&cut, &device, interrupter);
    assert!(matches!(
        stopped,
        Err(DistillError::Run(RunError::Stopped(_)))
    ));
    run(&cut, true).unwrap();
    let bytes = |config: &DistillConfig| fs::read(config.out.join(DETECTOR)).unwrap();
    assert!(bytes(&cut) == bytes(&whole), "the weights differ");
    assert!(bytes(&whole) != fs::read(&whole.teacher).unwrap());

    let vision =
        crate::formats::vision_networks::load_detector(&whole.out.join(DETECTOR), &device).unwrap();
    assert_eq!(vision.side, Some(32));
    let found: DistillReport =
        serde_json::from_slice(&fs::read(whole.out.join(REPORT)).unwrap()).unwrap();
    assert_eq!(found, report);
}

/// Runs until the first checkpoint is whole, then asks to stop.
fn stop_after_the_first_epoch(
    config: &DistillConfig,
    device: &Device,
    interrupter: Interrupter,
) -> Result<DistillReport, DistillError> {
    std::thread::scope(|scope| {
        let run = scope.spawn(|| distill(config, device, false, interrupter.clone()));
        while last_epoch(&config.out.join("checkpoint")).is_none() && !run.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        interrupter.stop(None);
        run.join().unwrap()
    })
}

#[test]
fn every_weight_but_the_frozen_ones_gets_a_gradient() {
    /// Shapes of the parameters without a gradient.
    struct Silent(Vec<Vec<usize>>, GradientsParams);
    impl ModuleVisitor for Silent {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let moved = self.1.get::<D>(param.id).is_some_and(|gradient| {
                let largest: f32 = gradient.abs().max().into_scalar();
                largest > 0.0 && largest.is_finite()
            });
            if !moved {
                self.0.push(param.dims().into());
            }
        }
    }
    let device = Device::flex().autodiff();
    device.seed(1);
    let mut detector = YoloxConfig::new().with_classes(2).init(&device);
    detector.fold();
    // The teacher finds an object of the size that fresh weights say on each level.
    let mut dense = [0.0, 0.0, 0.0, 0.0, 0.1, 0.1, 0.1].repeat(16 + 4 + 1);
    for index in [5, 16 + 3, 20] {
        dense[index * 7 + 4..][..3].copy_from_slice(&[0.9, 0.8, 0.2]);
    }
    let answer = Answer::new(&dense, 7, 32, 32);
    assert_eq!(answer.found(), 3);
    let lesson = Lesson {
        input: Tensor::random([2, 3, 32, 32], Distribution::Uniform(0.0, 255.0), &device),
        answers: vec![answer; 2],
    };
    let silent = |stages: usize| {
        let detector = detector.clone().freeze(stages).train();
        let student = Student { detector };
        let grads = TrainStep::step(&student, lesson.clone()).grads;
        let mut silent = Silent(Vec::new(), grads);
        student.visit(&mut silent);
        silent.0
    };
    assert!(silent(0).is_empty(), "no gradient: {:?}", silent(0));
    // The stem's weight and bias.
    assert_eq!(silent(1), [vec![16, 12, 3, 3], vec![16]]);
}

#[test]
fn impossible_sides_are_explained() {
    let mut config = config(Path::new("."), PathBuf::new(), "out", 1);
    config.side = 100;
    let error = config.check().unwrap_err().to_string();
    assert!(error.contains("100"), "{error}");
    config.side = 96;
    assert!(config.check().is_err(), "above the teacher's");
    config.side = 64;
    config.lr = -1.0;
    assert!(config.check().unwrap_err().to_string().contains("lr"));
}
