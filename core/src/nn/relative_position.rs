//! A bias on attention by how far apart two subwords stand, as MPNet and T5 have it; source:
//! `MPNetEncoder.compute_position_bias` of transformers.

use burn::module::{Initializer, Module};
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor};

/// Distances from here on share the last bucket of their direction.
const FARTHEST: f32 = 128.0;

/// The bucket of `key - query`, below `buckets`: half of them for each direction, of which one half holds one distance
/// each and the other half ever more.
///
/// # Panics
/// If there are fewer than 4 buckets.
pub fn bucket(query: usize, key: usize, buckets: usize) -> usize {
    assert!(buckets >= 4, "{buckets} buckets cannot tell near from far");
    let half = buckets / 2;
    let (after, distance) = match key.checked_sub(query) {
        Some(distance) if distance > 0 => (half, distance),
        _ => (0, query - key),
    };
    let exact = half / 2;
    if distance < exact {
        return after + distance;
    }
    // In f32 as upstream: at the edge of two buckets it is the rounding that decides.
    let far = (distance as f32 / exact as f32).ln()
        / (f64::from(FARTHEST) / exact as f64).ln() as f32
        * (half - exact) as f32;
    after + (exact + far as usize).min(half - 1)
}

/// One bias per bucket and head, the same for every layer.
#[derive(Module, Debug)]
pub struct RelativePositions {
    /// `[buckets, heads]`
    pub biases: Embedding,
}

impl RelativePositions {
    /// Fresh biases.
    pub fn new(buckets: usize, heads: usize, device: &Device) -> Self {
        let biases = EmbeddingConfig::new(buckets, heads).with_initializer(Initializer::Normal {
            mean: 0.0,
            std: 0.02,
        });
        Self {
            biases: biases.init(device),
        }
    }

    /// What is added to the logits of `n` subwords, `[1, H, n, n]`, query before key.
    pub fn forward(&self, n: usize) -> Tensor<4> {
        let weight = self.biases.weight.val();
        let [buckets, heads] = weight.dims();
        let pairs =
            (0..n).flat_map(|query| (0..n).map(move |key| bucket(query, key, buckets) as i64));
        let index =
            Tensor::<1, Int>::from_data(pairs.collect::<Vec<_>>().as_slice(), &weight.device());
        weight
            .select(0, index)
            .reshape([1, n, n, heads])
            .permute([0, 3, 1, 2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edges as `compute_position_bias` of transformers 5.13.1 gives them for 32 buckets.
    #[test]
    fn buckets_are_those_of_transformers() {
        let edges = [
            (0, 0),
            (1, 1),
            (7, 7),
            (8, 8),
            (11, 8),
            (12, 9),
            (15, 9),
            (16, 10),
            (22, 10),
            (23, 11),
            (31, 11),
            (32, 12),
            (45, 12),
            (46, 13),
            (63, 13),
            (64, 14),
            (90, 14),
            (91, 15),
            (127, 15),
            (128, 15),
            (500, 15),
        ];
        for (distance, expected) in edges {
            assert_eq!(bucket(distance, 0, 32), expected, "{distance} before");
            let after = if distance == 0 { 0 } else { 16 + expected };
            assert_eq!(bucket(0, distance, 32), after, "{distance} after");
        }
    }
}
