use super::*;
use crate::splitmix::SplitMix64;
use crate::vision::detections::Object;
use crate::vision::tags::{Tag, TagSource};

/// A made-up image of `objects` objects and two tags; the same for the same seed.
pub(crate) fn encoded(seed: u64, channels: usize, objects: usize) -> EncodedImage {
    let mut rng = SplitMix64(seed);
    let mut unit = move || (rng.below(1 << 20) as f32 + 0.5) / (1 << 20) as f32;
    let values: Vec<f32> = (0..(GRID + objects) * channels)
        .map(|_| 4.0 * unit())
        .collect();
    let found: Vec<Object> = (0..objects)
        .map(|i| {
            let (x, y) = (60.0 * unit(), 40.0 * unit());
            Object {
                class: i % 80,
                score: unit(),
                bounds: [x, y, x + 4.0 + 30.0 * unit(), y + 4.0 + 30.0 * unit()],
            }
        })
        .collect();
    let tag = |name: &str| Tag {
        name: name.to_owned(),
        probability: 0.5,
        source: TagSource::Classifier,
    };
    EncodedImage {
        early: None,
        rows: KeptRows::default(),
        features: Arc::new(ImageFeatures {
            width: 100,
            height: 80,
            channels,
            grid: values[..GRID * channels].to_vec(),
            objects: found,
            regions: values[GRID * channels..].to_vec(),
            tags: vec![tag("sea snake"), tag("kite")],
            embedding: values[..2].to_vec(),
        }),
        tags: vec![
            TagSubwords {
                subwords: vec![5, 6],
                probability: 0.5,
            },
            TagSubwords {
                subwords: vec![7 + (seed % 5) as u32],
                probability: 0.25,
            },
        ],
    }
}

fn floats<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_to_vec().unwrap()
}

#[test]
fn each_row_carries_its_own_image_and_padding_is_zero() {
    let device = Device::flex();
    let (few, many, none) = (encoded(1, 3, 1), encoded(2, 3, 3), encoded(3, 3, 0));
    let rows = [Some(&few), None, Some(&many), Some(&none)];
    let batch = ImageBatch::new(&rows, LeastSizes::default(), &device).unwrap();
    assert_eq!(floats(&batch.present), [1.0, 0.0, 1.0, 1.0]);
    assert_eq!(
        floats(&batch.objects),
        [1., 0., 0., 0., 0., 0., 1., 1., 1., 0., 0., 0.]
    );
    let classes: Vec<i64> = batch.classes.to_data().iter::<i64>().collect();
    assert_eq!(classes, [1, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0]);
    let grid = floats(&batch.grid);
    assert_eq!(grid[..GRID * 3], few.features.grid[..]);
    assert!(grid[GRID * 3..2 * GRID * 3].iter().all(|&x| x == 0.0));
    assert_eq!(grid[2 * GRID * 3..3 * GRID * 3], many.features.grid[..]);
    assert_eq!(floats(&batch.regions)[18..27], many.features.regions[..]);
    let labels: Vec<i64> = batch.labels.to_data().iter::<i64>().collect();
    let expected: Vec<i64> = many
        .features
        .spatial_labels()
        .into_iter()
        .map(i64::from)
        .collect();
    assert_eq!(labels[18..27], expected);
    assert!(labels[..18].iter().all(|&label| label == 0));
    let geometry = floats(&batch.geometry);
    assert_eq!(
        geometry[2 * 9 * 64..3 * 9 * 64],
        many.features.geometries()[..]
    );
    assert_eq!(geometry[..64], few.features.geometries()[..]);
    assert!(geometry[64..2 * 9 * 64].iter().all(|&x| x == 0.0));
    assert_eq!(
        floats(&batch.tag_weights)[..6],
        [0.25, 0.25, 0.25, 0., 0., 0.]
    );
    let subwords: Vec<i64> = batch.tag_subwords.to_data().iter::<i64>().collect();
    assert_eq!(subwords[6..], [5, 6, 9, 5, 6, 10]);
}

#[test]
fn images_seen_anew_by_the_same_backbone_are_the_same() {
    let device = Device::flex();
    device.seed(4);
    // Early maps that are the grids already, so that the last stages are the identity.
    let with_map = |encoded: EncodedImage| {
        let ImageFeatures { grid, channels, .. } = &*encoded.features;
        let cell = |i: usize| grid[i % GRID * channels + i / GRID];
        let map = EarlyMap {
            shape: [*channels, GRID_SIDE, GRID_SIDE],
            values: (0..GRID * channels).map(cell).collect(),
        };
        // Regions that are made of the grid, as those of real images are.
        let mut features = (*encoded.features).clone();
        let map_values = TensorData::new(map.values.clone(), map.shape);
        let regions = crate::vision::encoder::regions(
            Tensor::from_data(map_values, &device),
            &features.objects,
            features.width,
            features.height,
        );
        features.regions = regions.map_or(Vec::new(), |r| floats(&r));
        let encoded = EncodedImage {
            features: Arc::new(features),
            ..encoded
        };
        encoded.with_early(Arc::new(map))
    };
    let (a, b) = (with_map(encoded(1, 3, 2)), with_map(encoded(2, 3, 0)));
    let batch = ImageBatch::new(
        &[Some(&b), None, Some(&a), Some(&b)],
        LeastSizes::default(),
        &device,
    )
    .unwrap();
    assert_eq!(batch.early.as_ref().unwrap().maps.dims()[0], 2, "each once");
    let seen = batch.clone().seen_by(|map| map);
    let near = |a: &Tensor<3>, b: &Tensor<3>| {
        let apart = (a.clone() - b.clone()).abs().max();
        apart.into_scalar::<f32>() < 1e-5
    };
    assert!(near(&seen.grid, &batch.grid));
    assert!(near(&seen.regions, &batch.regions));
    let doubled = batch.clone().seen_by(|map| map * 2.0);
    assert!(near(&doubled.regions, &(batch.regions * 2.0)));
}

#[test]
fn no_image_at_all_is_none() {
    let least = LeastSizes::default();
    assert!(ImageBatch::new(&[None, None], least, &Device::flex()).is_none());
}
