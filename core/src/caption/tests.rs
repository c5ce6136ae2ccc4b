use super::bundle::{pack, unpack};
use super::vocabulary::CaptionVocabulary;
use super::*;
use crate::bundle::beside::{About, BesideError, BesideFiles};
use crate::nn::projector::unit;
use burn::tensor::Distribution;

const WORDS: [&str; 6] = ["", "a", "dog", "man", "##s", "runs"];

fn sizes() -> CaptionDecoderConfig {
    CaptionDecoderConfig::new(WORDS.len(), 4)
        .with_d(32)
        .with_heads(2)
        .with_ffn(32)
        .with_layers(2)
        .with_most(5)
}

fn vocabulary() -> CaptionVocabulary {
    CaptionVocabulary(WORDS.map(str::to_owned).to_vec())
}

fn files() -> BesideFiles {
    let device = Device::flex();
    let decoder = sizes().init(0.0, &device);
    pack(
        sizes(),
        decoder,
        vec![0.25, 0.0, 0.0, 0.0],
        vocabulary(),
        About::default(),
    )
    .unwrap()
}

fn said(captioner: &Captioner, vector: &[f32]) -> Result<Option<Caption>, CaptionError> {
    pollster::block_on(captioner.caption(vector))
}

#[test]
fn the_likeliest_of_all_captions_is_said() {
    let device = Device::flex();
    let decoder = sizes().init(0.0, &device);
    let vector: Tensor<2> = Tensor::random([1, 4], Distribution::Normal(0.0, 1.0), &device);
    let vector = unit(vector);
    let values: Vec<f32> = vector.clone().into_data().try_into_vec().unwrap();
    // The greedy caption, all at once, is at best as likely as what the search finds.
    let mut subwords = vec![BOUNDARY];
    let mut score = 0.0;
    loop {
        let known: Vec<i32> = subwords.iter().map(|&at| at as i32).collect();
        let shape = [1, known.len()];
        let known = Tensor::<2, Int>::from_data(TensorData::new(known, shape), &device);
        let logs = log_softmax(decoder.forward(vector.clone(), known), 2);
        let logs: Vec<f32> = logs.into_data().try_into_vec().unwrap();
        let logs = &logs[logs.len() - WORDS.len()..];
        let best = (0..WORDS.len())
            .max_by(|&a, &b| logs[a].total_cmp(&logs[b]))
            .unwrap();
        score += f64::from(logs[best]);
        if best == BOUNDARY || subwords.len() > sizes().most {
            break;
        }
        subwords.push(best);
    }
    let greedy = (score / subwords.len() as f64).exp();
    let captioner = Captioner::new(sizes(), decoder, vec![0.0; 4], vocabulary(), &device);
    if let Some(caption) = said(&captioner, &values).unwrap() {
        assert!(caption.confidence <= 1.0);
        assert!(caption.confidence >= greedy - 1e-6, "{caption:?} {greedy}");
    }
}

#[test]
fn a_captioner_is_read_back_and_says_the_same() {
    let device = Device::flex();
    let files = files();
    let vector = [0.5, -0.5, 0.5, 0.5];
    let [one, other] = [0; 2].map(|_| unpack(files.clone(), &device).unwrap());
    let caption = said(&one, &vector).unwrap();
    assert_eq!(caption, said(&other, &vector).unwrap());
}

#[test]
fn images_are_moved_to_where_captions_lie() {
    let captioner = unpack(files(), &Device::flex()).unwrap();
    let moved = captioner.moved(&[0.35, 0.0, 0.8, 0.0]);
    assert!(
        moved
            .iter()
            .zip([0.6, 0.0, 0.8, 0.0])
            .all(|(a, b)| (a - b).abs() < 1e-6)
    );
    let known = captioner.moved(&[-0.25, 0.0, 0.0, 0.0]);
    assert!(known.iter().all(|v| v.is_finite()));
}

#[test]
fn vectors_of_another_space_are_refused() {
    let captioner = unpack(files(), &Device::flex()).unwrap();
    let error = said(&captioner, &[]).unwrap_err().to_string();
    assert!(
        error.contains("has 0 values") && error.contains("reads 4"),
        "{error}"
    );
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let device = Device::flex();
    let refused = |change: &dyn Fn(&mut BesideFiles)| {
        let mut files = files();
        change(&mut files);
        unpack(files, &device).unwrap_err()
    };
    let replaced = |from: &'static str, to: &'static str| {
        move |files: &mut BesideFiles| {
            let text = String::from_utf8(files.manifest.clone()).unwrap();
            assert!(text.contains(from), "{text}");
            files.manifest = text.replace(from, to).into_bytes();
        }
    };
    let error = refused(&replaced("\"caption_format\": 1", "\"caption_format\": 2"));
    assert!(matches!(error, BesideError::Format { found: 2, .. }));
    let error = refused(&replaced("\"dog\",", ""));
    assert!(matches!(error, BesideError::Config { .. }), "{error}");
    let error = refused(&replaced("0.25,", ""));
    assert!(matches!(error, BesideError::Config { .. }), "{error}");
    let error = refused(&replaced("\"d\": 32", "\"d\": 33"));
    assert!(matches!(error, BesideError::Config { .. }), "{error}");
    let error = refused(&replaced("\"ffn\": 32", "\"ffn\": 64"));
    assert!(matches!(error, BesideError::Weights { .. }), "{error}");
    let error = refused(&|files| files.weights[100] ^= 1);
    assert!(matches!(error, BesideError::File(_)), "{error}");
    let error = refused(&|files| files.manifest.truncate(10));
    assert!(matches!(error, BesideError::Manifest { .. }), "{error}");
}
