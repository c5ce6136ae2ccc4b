use super::bundle::{pack, unpack};
use super::vocabulary::CaptionVocabulary;
use super::*;
use crate::bundle::beside::{About, BesideError, BesideFiles};

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

/// The text and the mean log probability of each caption that `decoder` can say, every caption read at once: those that end,
/// and those that are cut off after one subword more than the longest that does.
fn all_captions(decoder: &CaptionDecoder, vector: &Tensor<2>) -> Vec<(String, f64)> {
    let vocabulary = vocabulary();
    let (words, most) = (WORDS.len(), sizes().most);
    let others = words - 1;
    let count = others.pow(most as u32);
    let longest: Vec<Vec<usize>> = (0..count)
        .map(|at| {
            (0..most)
                .map(|place| at / others.pow(place as u32) % others + 1)
                .collect()
        })
        .collect();
    let known: Vec<i32> = longest
        .iter()
        .flat_map(|subwords| [BOUNDARY].into_iter().chain(subwords.iter().copied()))
        .map(|at| at as i32)
        .collect();
    let known =
        Tensor::<2, Int>::from_data(TensorData::new(known, [count, most + 1]), &Device::flex());
    let logs = log_softmax(
        decoder.forward(vector.clone().repeat_dim(0, count), known),
        2,
    );
    let logs: Vec<f32> = logs.into_data().try_into_vec().unwrap();
    let mut all = Vec::new();
    for (subwords, logs) in longest.iter().zip(logs.chunks_exact((most + 1) * words)) {
        let mut score = 0.0;
        for (length, logs) in logs.chunks_exact(words).enumerate() {
            let said = &subwords[..length];
            let ends = score + f64::from(logs[BOUNDARY]);
            all.push((vocabulary.sentence(said), ends / (length + 1) as f64));
            if let Some(&next) = subwords.get(length) {
                score += f64::from(logs[next]);
                continue;
            }
            for (next, &log) in logs.iter().enumerate().skip(1) {
                let said = [said, &[next]].concat();
                let mean = (score + f64::from(log)) / (said.len() + 1) as f64;
                all.push((vocabulary.sentence(&said), mean));
            }
        }
    }
    all
}

#[test]
fn a_caption_is_as_likely_as_its_subwords_are_read_at_once() {
    let device = Device::flex();
    let decoder = sizes().init(0.0, &device);
    let captioner = Captioner::new(
        sizes(),
        decoder.clone(),
        vec![0.0; 4],
        vocabulary(),
        &device,
    );
    for vector in [[0.5, -0.5, 0.5, 0.5], [0.6, 0.0, -0.8, 0.0]] {
        let all = all_captions(&decoder, &Tensor::from_floats([vector], &device));
        let Some(caption) = said(&captioner, &vector).unwrap() else {
            continue;
        };
        assert!(
            all.iter().any(|(text, mean)| *text == caption.text
                && (mean.exp() - caption.confidence).abs() < 1e-5),
            "{caption:?}"
        );
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
