//! Attention along the edges of a graph with labelled edges: after Yao et al., "Exploring Visual
//! Relationship for Image Captioning" (ECCV 2018), section 3.3, with dot-product attention.

use crate::nn::attention::{Attention, KeyMask};
use crate::nn::dropout::{Dropout, DropoutConfig};
use crate::nn::linear::{Linear, linear};
use burn::module::{Initializer, Module};
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor};

/// Added to the logits where there is no edge.
const NO_EDGE: f64 = -1e9;

/// `x + ReLU(Dropout(s + W_out z))` with `s = W_s x + b` and `z` the multi-head attention of `s`
/// over each node's neighbours, its logits biased by the edges' labels.
#[derive(Module, Debug)]
pub struct GraphAttention {
    /// `W_s`, `D -> D`.
    pub project: Linear,
    /// The attention over neighbours; its output projection is `W_out`.
    pub attention: Attention,
    /// Bias of each label and head, `[labels, H]`, zero at the start. Row 0, no edge, is unused.
    pub bias: Embedding,
    dropout: Dropout,
}

impl GraphAttention {
    /// A fresh layer over `labels` edge labels, of which 0 means that there is no edge.
    ///
    /// # Panics
    /// If `heads` does not divide `d`.
    pub fn new(d: usize, heads: usize, labels: usize, dropout: f64, device: &Device) -> Self {
        Self {
            project: linear(d, d, device),
            attention: Attention::new(d, heads, dropout, device),
            bias: EmbeddingConfig::new(labels, heads)
                .with_initializer(Initializer::Zeros)
                .init(device),
            dropout: DropoutConfig::new(dropout).init(),
        }
    }

    /// A node without neighbours receives nothing: `x + ReLU(Dropout(s))`.
    ///
    /// # Shapes
    /// - `x`: `[B, M, D]`
    /// - `labels`: `[B, M, M]`, the label of the edge on which row i listens to column j
    /// - `present`: `[B, M]`, 1 for a node, 0 for padding, which has no edges
    /// - output: `[B, M, D]`
    pub fn forward(&self, x: Tensor<3>, labels: Tensor<3, Int>, present: Tensor<2>) -> Tensor<3> {
        let [batch, nodes, _] = x.dims();
        let heads = self.bias.weight.dims()[1];
        let edges = labels.clone().not_equal_elem(0).float();
        let listens = edges.clone().max_dim(2);
        let bias = self
            .bias
            .forward(labels.reshape([batch, nodes * nodes]))
            .reshape([batch, nodes, nodes, heads])
            .permute([0, 3, 1, 2]);
        let bias = bias + ((edges - 1.0) * -NO_EDGE).unsqueeze_dim::<4>(1);

        let s = self.project.forward(x.clone());
        let mask = KeyMask::maybe_empty(present);
        let (heard, _) = self
            .attention
            .forward(s.clone(), s.clone(), &mask, Some(bias));
        x + relu(self.dropout.forward(s + heard * listens))
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::module::Param;
    use burn::tensor::{Distribution, TensorData};

    const D: usize = 4;
    const HEADS: usize = 2;

    fn values<const R: usize>(tensor: &Tensor<R>) -> Vec<f64> {
        tensor.to_data().iter::<f64>().collect()
    }

    /// `row * weight + bias`, one row.
    fn apply(layer: &Linear, row: &[f64]) -> Vec<f64> {
        let (weight, bias) = (
            values(&layer.parameters.weight.val()),
            values(&layer.parameters.bias.as_ref().unwrap().val()),
        );
        (0..D)
            .map(|o| bias[o] + (0..D).map(|i| row[i] * weight[i * D + o]).sum::<f64>())
            .collect()
    }

    #[test]
    fn agrees_with_the_sums_written_out() {
        let device = Device::flex();
        device.seed(3);
        let random =
            |shape: [usize; 2]| Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &device);
        let mut layer = GraphAttention::new(D, HEADS, 5, 0.1, &device);
        layer.bias.weight = Param::from_tensor(random([5, HEADS]));
        let attention = &mut layer.attention;
        for linear in [
            &mut layer.project,
            &mut attention.query,
            &mut attention.key,
            &mut attention.value,
            &mut attention.output,
        ] {
            linear.parameters.weight = Param::from_tensor(random([D, D]));
            linear.parameters.bias = Some(Param::from_tensor(random([1, D]).squeeze_dim(0)));
        }
        // Node 2 listens to nobody, node 3 is padding.
        let labels = [0, 2, 1, 0, 4, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let x = random([4, D]);
        let output = layer.forward(
            x.clone().unsqueeze(),
            Tensor::from_data(TensorData::new(labels.to_vec(), [1, 4, 4]), &device),
            Tensor::from_data([[1.0, 1.0, 1.0, 0.0]], &device),
        );
        let output = values(&output);

        let x = values(&x);
        let s: Vec<Vec<f64>> = x.chunks(D).map(|row| apply(&layer.project, row)).collect();
        let all = |linear: &Linear| s.iter().map(|row| apply(linear, row)).collect::<Vec<_>>();
        let (q, k, v) = (
            all(&layer.attention.query),
            all(&layer.attention.key),
            all(&layer.attention.value),
        );
        let bias = values(&layer.bias.weight.val());
        for i in 0..3 {
            let neighbours: Vec<usize> = (0..4).filter(|j| labels[i * 4 + j] != 0).collect();
            let mut z = vec![0.0; D];
            for h in 0..HEADS {
                let part = h * D / HEADS..(h + 1) * D / HEADS;
                let powers: Vec<f64> = neighbours
                    .iter()
                    .map(|&j| {
                        let dot: f64 = part.clone().map(|c| q[i][c] * k[j][c]).sum();
                        let label = labels[i * 4 + j] as usize;
                        (dot / (D as f64 / HEADS as f64).sqrt() + bias[label * HEADS + h]).exp()
                    })
                    .collect();
                for (power, &j) in powers.iter().zip(&neighbours) {
                    for c in part.clone() {
                        z[c] += power / powers.iter().sum::<f64>() * v[j][c];
                    }
                }
            }
            let heard = match neighbours.is_empty() {
                true => vec![0.0; D],
                false => apply(&layer.attention.output, &z),
            };
            for c in 0..D {
                let expected = x[i * D + c] + (s[i][c] + heard[c]).max(0.0);
                let got = output[i * D + c];
                assert!(
                    (got - expected).abs() < 1e-5,
                    "node {i}: {got} for {expected}"
                );
            }
        }
    }
}
