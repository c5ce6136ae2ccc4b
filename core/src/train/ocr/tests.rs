use super::*;
use crate::nn::text_recognizer::HEIGHT;
use crate::ocr::bundle::{Networks, OcrManifest, networks};
use crate::packing::folder::write_beside;
use crate::splitmix::SplitMix64;
use crate::train::checkpoint::last_epoch;
use crate::train::ocr::paint::plain;
use crate::train::ocr::typeset::{Setting, typeset};
use ab_glyph::FontVec;
use burn::tensor::{Tensor, Tolerance};
use std::fs;
use std::path::Path;

/// A font whose every character is a bar and squares (`tests/reference/blocks_font.py`).
const BLOCKS: &[u8] = include_bytes!("../../../../tests/fonts/blocks.ttf");

fn stock() -> Stock {
    let lines = "NASA lands in Houston\nBarack Obama at 10\nlive music tonight\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("texts.txt");
    fs::write(&path, lines).unwrap();
    Stock {
        fonts: vec![FontVec::try_from_vec(BLOCKS.to_vec()).unwrap()],
        texts: Texts::open(&[path], &Alphabet::default()).unwrap().0,
        photographs: vec![plain(50, 40, [90, 100, 110])],
    }
}

/// A run in `at`, as small as can be.
fn config(at: &Path, out: &str) -> OcrTrainConfig {
    fs::create_dir_all(at.join("fonts")).unwrap();
    for name in ["Blocks-Regular.ttf", "Beams.ttf"] {
        fs::write(at.join("fonts").join(name), BLOCKS).unwrap();
    }
    fs::create_dir_all(at.join("photos")).unwrap();
    for shade in 0..3_u8 {
        let pixels = image::RgbImage::from_pixel(40, 32, image::Rgb([80 * shade, 90, 200]));
        pixels
            .save(at.join("photos").join(format!("{shade}.png")))
            .unwrap();
    }
    fs::write(
        at.join("texts.txt"),
        "NASA in Houston\nlive tonight\nmusic\n",
    )
    .unwrap();
    OcrTrainConfig {
        fonts: vec![at.join("fonts")],
        texts: vec![at.join("texts.txt")],
        photos: vec![at.join("photos")],
        out: at.join(out),
        start: None,
        scenes: 4,
        scene_epochs: 1,
        scene_side: 64,
        scene_batch: 2,
        lines: 8,
        line_epochs: 2,
        line_batch: 4,
        line_length: 4,
        lr: 1e-3,
        warmup: 0.0,
        weight_decay: 1e-3,
        dropout: 0.1,
        seed: 1,
        licences: vec!["invented".to_owned()],
    }
}

#[test]
fn ink_fills_a_mask_to_its_edges_and_lies_where_the_setting_says() {
    let font = &stock().fonts[0];
    let setting = Setting {
        size: 40.0,
        stretch: 1.0,
        spacing: 0.0,
        slope: 0.0,
    };
    let mask = typeset(font, "Hi", setting).unwrap();
    // A bar is seven eighths of the font's height of 8 units, an eighth of which is 5 pixels.
    assert_eq!(mask.height, 35);
    let row = |y: usize| &mask.coverage[y * mask.width..][..mask.width];
    assert!(
        (0..35).all(|y| row(y)[0] > 0.99),
        "the bar is at the left edge"
    );
    let wide = typeset(
        font,
        "Hi",
        Setting {
            spacing: 6.0,
            ..setting
        },
    )
    .unwrap();
    assert_eq!(wide.width, mask.width + 6);
    let stretched = typeset(
        font,
        "Hi",
        Setting {
            stretch: 2.0,
            ..setting
        },
    )
    .unwrap();
    assert_eq!(
        (stretched.width, stretched.height),
        (2 * mask.width, mask.height)
    );
    let sloped = typeset(
        font,
        "Hi",
        Setting {
            slope: 0.5,
            ..setting
        },
    )
    .unwrap();
    assert_eq!(sloped.height, mask.height + 10);
    assert_eq!(typeset(font, " ", setting), None);
}

#[test]
fn scenes_keep_their_lines_apart_and_lines_say_what_is_drawn() {
    let stock = stock();
    let mut rng = SplitMix64(3);
    let mut lines = 0;
    for _ in 0..40 {
        let scene = scene::draw(&stock, 160, &mut rng);
        assert_eq!((scene.image.width, scene.image.height), (160, 160));
        for (i, a) in scene.lines.iter().enumerate() {
            lines += 1;
            assert!(0.0 <= a[0] && a[2] <= 160.0 && a[3] - a[1] >= 5.0, "{a:?}");
            for b in &scene.lines[..i] {
                let apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
                assert!(apart, "{a:?} {b:?}");
            }
        }
    }
    assert!(lines > 20, "{lines}");
    for _ in 0..40 {
        let line = line::draw(&stock, 8, &mut rng);
        assert_eq!(line.data.shape()[..3], [1, 1, HEIGHT]);
        assert!(
            Alphabet::default().encode(&line.text).is_some(),
            "{:?}",
            line.text
        );
    }
}

#[test]
fn a_network_learns_to_read_a_line() {
    let device = Device::flex().autodiff();
    device.seed(1);
    let config = OcrTrainConfig {
        line_batch: 4,
        ..config(tempfile::tempdir().unwrap().path(), "none")
    };
    let lesson = RecognizerStudent::lesson(&stock(), &config, &mut SplitMix64(2), &device);
    let sizes = recognizer_sizes()
        .with_stages([8, 16, 24, 32])
        .with_width(48);
    let mut student = RecognizerStudent {
        recognizer: sizes.init(0.0, &device),
    };
    let mut optimizer =
        burn::optim::ModuleOptimizer::from(crate::train::adamw::OnePassAdamW::new(0.0));
    for _ in 0..60 {
        let out = burn::train::TrainStep::step(&student, lesson.clone());
        let rate = burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate::from(5e-3);
        student = burn::train::TrainStep::optimize(student, &mut optimizer, rate, out.grads);
    }
    // In training the batch norms follow the batch itself.
    let score = recognizer::score(&student.recognizer, std::slice::from_ref(&lesson));
    assert!(score.right() > 0.9, "{score:?}");
}

#[test]
fn a_run_that_was_killed_goes_on_and_a_part_alone_makes_no_reader() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let run = |config: &OcrTrainConfig, part, resume| {
        train(config, part, &device, resume, &Interrupter::new())
    };
    let config = OcrTrainConfig {
        // What is dropped is drawn by the device, which other tests draw from too.
        dropout: 0.0,
        ..config(folder.path(), "out")
    };
    assert!(run(&config, Some(Part::Detector), false).unwrap().is_none());
    let again = run(&config, Some(Part::Detector), false).unwrap_err();
    assert!(again.to_string().contains("--resume"), "{again}");

    let recognizer = config.out.join("recognizer");
    let checkpoints = recognizer.join("checkpoint");
    let interrupter = Interrupter::new();
    let stopped = std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            train(
                &config,
                Some(Part::Recognizer),
                &device,
                false,
                &interrupter,
            )
        });
        while last_epoch(&checkpoints).is_none() && !run.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        interrupter.stop(None);
        run.join().unwrap()
    });
    assert!(
        matches!(stopped, Err(OcrTrainError::Run(RunError::Stopped(_)))),
        "{stopped:?}"
    );
    let kept: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(&checkpoints)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    let once = run(&config, Some(Part::Recognizer), true).unwrap().unwrap();
    // From the same epoch once more.
    fs::remove_dir_all(&checkpoints).unwrap();
    fs::create_dir(&checkpoints).unwrap();
    for (path, bytes) in kept {
        fs::write(path, bytes).unwrap();
    }
    let twice = run(&config, Some(Part::Recognizer), true).unwrap().unwrap();
    assert!(once.weights == twice.weights, "the weights differ");

    // Another run goes on from what this one learnt.
    let next = OcrTrainConfig {
        start: Some(config.out.clone()),
        out: folder.path().join("next"),
        // Nothing is learnt, so that it stays what it was; batch norms still follow what they see.
        lr: 0.0,
        ..config.clone()
    };
    assert!(run(&next, Some(Part::Recognizer), false).unwrap().is_none());
    // And one from the reader, a network without epochs staying as it is.
    let reader = folder.path().join("reader");
    write_beside::<OcrManifest>(&once, &reader).unwrap();
    let further = OcrTrainConfig {
        start: Some(reader),
        out: folder.path().join("further"),
        scene_epochs: 0,
        ..config.clone()
    };
    let further = run(&further, None, false).unwrap().unwrap();
    let part = |files: &BesideFiles| networks(files.clone(), 0.0, &device).unwrap().1;
    let (before, after) = (part(&once), part(&further));
    let seen = Tensor::ones([1, 3, 32, 64], &device);
    let map = |networks: &Networks| networks.detector.forward(seen.clone()).into_data();
    map(&before).assert_approx_eq::<f32>(&map(&after), Tolerance::absolute(1e-4));
    let line = Tensor::ones([1, 1, HEIGHT, 32], &device);
    let scores = |networks: &Networks| networks.recognizer.forward(line.clone()).into_data();
    assert_ne!(scores(&before), scores(&after));
    let nowhere = OcrTrainConfig {
        start: Some(folder.path().join("photos")),
        out: folder.path().join("nowhere"),
        ..config
    };
    let error = run(&nowhere, None, false).unwrap_err().to_string();
    assert!(error.contains("no whole epoch"), "{error}");

    let reader = crate::ocr::bundle::unpack(once, &device).unwrap();
    pollster::block_on(reader.read(&plain(80, 60, [200; 3]))).unwrap();
}

#[test]
fn what_cannot_be_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let good = config(folder.path(), "out");
    let error = |change: &dyn Fn(&mut OcrTrainConfig)| {
        let mut config = good.clone();
        change(&mut config);
        let device = Device::flex();
        train(&config, None, &device, false, &Interrupter::new())
            .unwrap_err()
            .to_string()
    };
    assert!(error(&|c| c.scene_side = 100).contains("`scene_side` is 100"));
    assert!(error(&|c| c.lr = 2.0).contains("`lr`"));
    assert!(error(&|c| c.scene_epochs = 0).contains("`scene_epochs` is 0"));
    assert!(error(&|c| c.fonts = vec![folder.path().join("photos")]).contains("families"));
    assert!(error(&|c| c.texts = vec![folder.path().join("none.txt")]).contains("none.txt"));
    assert!(error(&|c| c.photos = vec![folder.path().join("fonts")]).contains("no photograph"));
}
