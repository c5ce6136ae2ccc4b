//! Images as the networks read them: `[1, 3, side, side]`, channels first, `f32`.

use crate::image::{Image, resize};
use burn::prelude::*;

/// Side of the backbones' input, in pixels.
pub const BACKBONE_SIDE: u32 = 224;

/// The grey that fills the rest of a letterbox.
const FILL: f32 = 114.0;

/// MobileNetV2's input: stretched to 224×224, RGB, `(x - 128) / 128`, values in `[-1, 1)`.
pub fn mobilenet(image: &Image) -> TensorData {
    stretched(image, |value, _| (f32::from(value) - 128.0) / 128.0)
}

/// ResNet's input: stretched to 224×224, RGB, ImageNet's mean and deviation
/// (`torchvision/transforms/_presets.py`), values in about `[-2.1, 2.7]`.
pub fn resnet(image: &Image) -> TensorData {
    const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
    const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];
    stretched(image, |value, channel| {
        (f32::from(value) / 255.0 - MEAN[channel]) / DEVIATION[channel]
    })
}

fn stretched(image: &Image, value: impl Fn(u8, usize) -> f32) -> TensorData {
    let side = BACKBONE_SIDE as usize;
    let small = resize::resize(image, BACKBONE_SIDE, BACKBONE_SIDE);
    let mut planes = Vec::with_capacity(3 * side * side);
    for channel in 0..3 {
        let plane = small.rgb.iter().skip(channel).step_by(3);
        planes.extend(plane.map(|&byte| value(byte, channel)));
    }
    TensorData::new(planes, [1, 3, side, side])
}

/// YOLOX's input and what leads its boxes back to the image.
#[derive(Clone, Debug)]
pub struct Letterbox {
    /// `[1, 3, side, side]`: blue, green, red, values 0 to 255; the image at the top left, 114
    /// elsewhere.
    pub data: TensorData,
    /// Input pixels per image pixel: `min(side / width, side / height)`.
    pub scale: f64,
}

/// [`Letterbox::scale`] of an image.
pub fn letterbox_scale(image: &Image, side: u32) -> f64 {
    let side = f64::from(side);
    (side / f64::from(image.width)).min(side / f64::from(image.height))
}

/// YOLOX's input at `side`, a multiple of 32 (`yolox/data/data_augment.py: preproc`).
///
/// # Panics
/// If `side` is 0 or no multiple of 32.
pub fn letterbox(image: &Image, side: u32) -> Letterbox {
    assert!(
        side > 0 && side.is_multiple_of(32),
        "the detector reads sides that are multiples of 32, not {side}"
    );
    let scale = letterbox_scale(image, side);
    let scaled = |length: u32| ((f64::from(length) * scale) as u32).clamp(1, side);
    let (width, height) = (scaled(image.width), scaled(image.height));
    let small = resize::resize(image, width, height);

    let side = side as usize;
    let mut data = vec![FILL; 3 * side * side];
    let row_bytes = width as usize * 3;
    for (channel, plane) in data.chunks_exact_mut(side * side).enumerate() {
        let rows = plane.chunks_exact_mut(side);
        for (row, pixels) in rows.zip(small.rgb.chunks_exact(row_bytes)) {
            for (value, &byte) in row
                .iter_mut()
                .zip(pixels.iter().skip(2 - channel).step_by(3))
            {
                *value = f32::from(byte);
            }
        }
    }
    Letterbox {
        data: TensorData::new(data, [1, 3, side, side]),
        scale,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula;

    #[test]
    fn the_letterbox_is_blue_first_top_left_on_grey() {
        let rgb = [10, 20, 30].repeat(8);
        let image = Image {
            width: 4,
            height: 2,
            rgb,
        };
        let boxed = letterbox(&image, 32);
        assert_eq!(boxed.scale, 8.0);
        let data: Vec<f32> = boxed.data.try_to_vec().unwrap();
        for (channel, value) in [30.0, 20.0, 10.0].into_iter().enumerate() {
            for y in 0..32 {
                for x in 0..32 {
                    let expected = if y < 16 { value } else { FILL };
                    assert_eq!(data[(channel * 32 + y) * 32 + x], expected);
                }
            }
        }
    }

    #[test]
    fn the_backbones_read_red_first_in_their_ranges() {
        let image = Image {
            width: 1,
            height: 1,
            rgb: vec![0, 128, 255],
        };
        let first = |data: TensorData| -> [f32; 3] {
            let data: Vec<f32> = data.try_to_vec().unwrap();
            [data[0], data[224 * 224], data[2 * 224 * 224]]
        };
        assert_eq!(first(mobilenet(&image)), [-1.0, 0.0, 127.0 / 128.0]);
        // torchvision.transforms.functional.normalize of 0, 128/255 and 1.
        let expected = [-2.117_904, 0.205_182, 2.64];
        for (ours, expected) in first(resnet(&image)).into_iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-6, "{ours} {expected}");
        }
    }

    /// The reference inputs were made with Pillow from the same files: only the JPEG decoders
    /// differ, by a few levels in a few pixels.
    #[test]
    fn photographs_become_the_reference_inputs() {
        for name in formula::PHOTOGRAPHS {
            let Some(file) = formula::shared(&format!("weights/reference/{name}.jpg")) else {
                return;
            };
            let image = Image::decode(&file).unwrap();
            let inputs = [
                ("yolox_nano", letterbox(&image, 416).data, 1.0),
                ("mobilenet_v2", mobilenet(&image), 128.0),
            ];
            for (network, ours, levels) in inputs {
                let path = format!("weights/reference/{network}_{name}.safetensors");
                let Some(reference) = formula::shared(&path) else {
                    return;
                };
                let expected = &formula::tensors(&reference)["input"];
                let apart = formula::distance(&ours, expected) * levels;
                assert!(apart <= 3.0, "{network} {name}: {apart} levels");
                let (a, b): (Vec<f32>, Vec<f32>) =
                    (ours.try_to_vec().unwrap(), expected.try_to_vec().unwrap());
                let total: f32 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
                let mean = total / a.len() as f32 * levels;
                assert!(mean <= 0.5, "{network} {name}: {mean} levels on average");
            }
        }
    }
}
