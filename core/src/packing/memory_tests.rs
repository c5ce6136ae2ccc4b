//! What of a long text is computed again after an edit.

use crate::bundle::{BundleFiles, Compute};
use crate::image::Image;
use crate::packing::tiny;
use crate::recognizer::{Recognition, RecognizeError, Recognizer};
use crate::systems::SystemKind;
use crate::systems::image_batch::EncodedImage;
use burn::tensor::Device;
use std::ops::ControlFlow;
use std::sync::OnceLock;

/// Loaded anew each time from the bundle of a kind. It is made once: burn-flex has one seed for all threads, and a test beside this
/// one may draw from it.
fn recognizer(kind: SystemKind) -> Recognizer {
    static TEXT: OnceLock<BundleFiles> = OnceLock::new();
    static HAMLEARNING: OnceLock<BundleFiles> = OnceLock::new();
    let device = Device::flex();
    let made = match kind {
        SystemKind::Text => &TEXT,
        _ => &HAMLEARNING,
    };
    let bundle = made.get_or_init(|| tiny::bundle(kind, 1, &device).unwrap());
    pollster::block_on(Recognizer::load(bundle.clone(), &device, Compute::Device)).unwrap()
}

/// The answer, how many windows there are, and how many were computed.
fn read(
    recognizer: &Recognizer,
    text: &str,
    image: Option<&EncodedImage>,
) -> (Recognition, usize, usize) {
    let mut reports = Vec::new();
    let on_read = async |done, total| {
        reports.push((done, total));
        ControlFlow::Continue(())
    };
    let answer = recognizer.recognize_reporting(text, image, None, on_read);
    let answer = pollster::block_on(answer).unwrap();
    let ((known, total), (done, _)) = (reports[0], reports[reports.len() - 1]);
    assert_eq!(done, total);
    assert!(reports.windows(2).all(|two| two[1].0 - two[0].0 <= 32));
    (answer, total, total - known)
}

fn alike(a: &Recognition, b: &Recognition) {
    assert_eq!(a.entities.len(), b.entities.len());
    for (a, b) in a.entities.iter().zip(&b.entities) {
        assert_eq!((a.kind, a.bytes), (b.kind, b.bytes));
        assert!((a.confidence - b.confidence).abs() < 1e-4);
    }
}

#[test]
fn an_edit_of_a_long_text_computes_what_it_touches() {
    let words: Vec<String> = (0..1500)
        .map(|i| {
            format!(
                "{}{}",
                ["oslo", "paris", "the", "lagos", "a"][i % 5],
                i * 7919 % 997
            )
        })
        .collect();
    let text = words.join(" ");
    let model = recognizer(SystemKind::Text);
    let (first, total, computed) = read(&model, &text, None);
    assert!(total > 200 && computed == total, "{computed} of {total}");
    assert!(!first.entities.is_empty());
    let (before, after) = words.split_at(700);
    for edited in [
        format!("{text} Houston"),
        format!("Houston {text}"),
        format!("{} Houston {}", before.join(" "), after.join(" ")),
    ] {
        let (answer, total, computed) = read(&model, &edited, None);
        assert!((1..total / 3).contains(&computed), "{computed} of {total}");
        let (fresh, _, all) = read(&recognizer(SystemKind::Text), &edited, None);
        assert_eq!(all, total);
        alike(&answer, &fresh);
        let (again, _, computed) = read(&model, &edited, None);
        assert_eq!((again, computed), (answer, 0));
    }
}

#[test]
fn a_reading_that_is_broken_off_is_taken_up_where_it_stopped() {
    let text = "Sunita is back in Houston, and Maria in Lagos. ".repeat(200);
    let model = recognizer(SystemKind::Text);
    let mut reports = 0;
    let on_read = async |_, _| {
        reports += 1;
        match reports {
            1 | 2 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    };
    let stopped = model.recognize_reporting(&text, None, None, on_read);
    let stopped = pollster::block_on(stopped);
    assert!(matches!(stopped, Err(RecognizeError::Stopped)));
    assert_eq!(reports, 3);
    let (answer, total, computed) = read(&model, &text, None);
    assert!((1..total - 1).contains(&computed), "{computed} of {total}");
    alike(&answer, &read(&recognizer(SystemKind::Text), &text, None).0);
}

#[test]
fn what_was_read_with_an_image_is_not_taken_for_what_was_read_without() {
    let text = "Sunita is back in Houston, and Maria in Lagos. ".repeat(8);
    let model = recognizer(SystemKind::HamLearning);
    let image = |value: u8| {
        let image = Image {
            width: 8,
            height: 8,
            rgb: (0..192).map(|i| value.wrapping_mul(i as u8)).collect(),
        };
        pollster::block_on(model.encode_image(&image)).unwrap()
    };
    let (one, other) = (image(3), image(90));
    let with = read(&model, &text, Some(&one)).0;
    let without = read(&model, &text, None).0;
    let beside = read(&model, &text, Some(&other)).0;
    let fresh = recognizer(SystemKind::HamLearning);
    alike(&with, &read(&fresh, &text, Some(&one)).0);
    let fresh = recognizer(SystemKind::HamLearning);
    alike(&beside, &read(&fresh, &text, Some(&other)).0);
    let fresh = recognizer(SystemKind::HamLearning);
    alike(&without, &read(&fresh, &text, None).0);
    // Known: relevance and where words looked come out as they did.
    let again = read(&model, &text, Some(&one)).0;
    assert_eq!(again, with);
}
