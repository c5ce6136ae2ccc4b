//! Weights and inputs by formula, so that references hold only answers; the formula is written
//! down in `tests/reference/vision.py`.

use burn::store::{ModuleStore, SafetensorsStore, bridge};
use burn::tensor::TensorData;
use std::collections::BTreeMap;

fn mix(name: &str) -> impl Fn(usize) -> f32 {
    let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, byte| {
        (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    move |i| {
        let step = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = seed.wrapping_add(step);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let z = z ^ (z >> 31);
        ((z >> 40) as i32 - (1 << 23)) as f32 / (1 << 23) as f32
    }
}

/// The values of the parameter called `name`.
pub fn parameter(name: &str, shape: &[usize]) -> Vec<f32> {
    let v = mix(name);
    let count = shape.iter().product();
    let value: Box<dyn Fn(f32) -> f32> = match shape.len() {
        4 => {
            let scale = (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt() as f32;
            Box::new(move |v| scale * v)
        }
        2 => {
            let scale = (3.0 / shape[1] as f64).sqrt() as f32;
            Box::new(move |v| scale * v)
        }
        _ if name.ends_with(".bias") || name.ends_with(".running_mean") => Box::new(|v| 0.125 * v),
        _ if name.ends_with(".running_var") => Box::new(|v| 1.0 + 0.5 * v),
        _ if name.ends_with("bn3.weight") => Box::new(|v| (1.0 + 0.25 * v) * 0.25),
        _ => Box::new(|v| 1.0 + 0.25 * v),
    };
    (0..count).map(|i| value(v(i))).collect()
}

/// The input `[3, height, width]`.
pub fn image(height: usize, width: usize) -> Vec<f32> {
    let (coarse, fine) = (mix("input.coarse"), mix("input.fine"));
    let (rows, columns) = (height.div_ceil(8), width.div_ceil(8));
    (0..3 * height * width)
        .map(|i| {
            let (c, y, x) = (i / (height * width), i / width % height, i % width);
            coarse((c * rows + y / 8) * columns + x / 8) + 0.25 * fine(i)
        })
        .collect()
}

/// A safetensors file of the parameters with these names and shapes.
pub fn state_dict(parameters: &[(String, Vec<usize>)]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, shape) in parameters {
        let start = data.len();
        for value in parameter(name, shape) {
            data.extend(value.to_le_bytes());
        }
        let entry = serde_json::json!({
            "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()],
        });
        header.insert(name.clone(), entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    file
}

/// The tensors of a safetensors file.
pub fn tensors(file: &[u8]) -> BTreeMap<String, TensorData> {
    SafetensorsStore::from_bytes(Some(file.to_vec()))
        .get_all_tensors()
        .unwrap()
        .iter()
        .map(|(name, tensor)| (name.clone(), bridge::to_data(tensor).unwrap()))
        .collect()
}

/// A file of the shared folder of pretrained weights: `$MNER_SHARED`, else `../shared` beside
/// the workspace. Says so and returns none where it is absent.
pub fn shared(path: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("MNER_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        std::path::PathBuf::from,
    );
    let bytes = std::fs::read(root.join(path)).ok();
    if bytes.is_none() {
        println!("skipped: no {path} in the shared folder");
    }
    bytes
}

/// The photographs of the shared folder.
pub const PHOTOGRAPHS: [&str; 3] = ["kite_and_cold", "grace_hopper", "parrot"];

/// What another implementation computed of each photograph with the pretrained weights of `network`; nothing where that is absent.
pub fn of_photographs(network: &str) -> Vec<(&'static str, BTreeMap<String, TensorData>)> {
    let read = |photograph| {
        let path = format!("weights/reference/{network}_{photograph}.safetensors");
        Some((photograph, tensors(&shared(&path)?)))
    };
    let all: Option<_> = PHOTOGRAPHS.into_iter().map(read).collect();
    all.unwrap_or_default()
}

/// The largest absolute difference, after checking that the shapes agree.
pub fn distance(a: &TensorData, b: &TensorData) -> f32 {
    assert_eq!(a.shape(), b.shape());
    let (a, b): (Vec<f32>, Vec<f32>) = (a.try_to_vec().unwrap(), b.try_to_vec().unwrap());
    a.iter()
        .zip(&b)
        .map(|(a, b)| {
            assert!(a.is_finite() && b.is_finite());
            (a - b).abs()
        })
        .fold(0.0, f32::max)
}

/// A reference of `tests/reference/vision`.
pub struct Reference {
    pub weights: Vec<u8>,
    pub input: TensorData,
    pub expected: BTreeMap<String, TensorData>,
    pub torch_error: BTreeMap<String, f32>,
}

impl Reference {
    /// Whether `ours` is within 1e-4 of the reference `name`, which was computed in `f64`, or within
    /// twice the error of torch's own `f32` result: MobileNetV2 amplifies rounding.
    pub fn check(&self, name: &str, ours: &TensorData) {
        let apart = distance(ours, &self.expected[name]);
        let allowed = (2.0 * self.torch_error[name]).max(1e-4);
        assert!(apart <= allowed, "{name}: {apart} and {allowed} is allowed");
    }
}

/// Rebuilds what a reference was computed from, checked by its digests.
pub fn reference(summary: &str, expected: &[u8]) -> Reference {
    use sha2::{Digest, Sha256};
    #[derive(serde::Deserialize)]
    struct Summary {
        input: [usize; 4],
        input_sha256: String,
        parameters_sha256: String,
        parameters: Vec<(String, Vec<usize>)>,
        f32_error: BTreeMap<String, f32>,
    }
    let hex = |bytes: &[u8]| -> String {
        let digest = Sha256::digest(bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let summary: Summary = serde_json::from_str(summary).unwrap();
    let weights = state_dict(&summary.parameters);
    let header = u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
    assert_eq!(hex(&weights[8 + header..]), summary.parameters_sha256);
    let [_, _, height, width] = summary.input;
    let pixels = image(height, width);
    let bytes: Vec<u8> = pixels.iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(hex(&bytes), summary.input_sha256);
    Reference {
        weights,
        input: TensorData::new(pixels, summary.input),
        expected: tensors(expected),
        torch_error: summary.f32_error,
    }
}

/// The result of a future that never has to wait.
pub fn ready<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("the future waits for something"),
    }
}
