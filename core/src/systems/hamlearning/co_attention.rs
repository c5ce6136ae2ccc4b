//! Co-attention of words and image, and the gate through which it reaches the words.

use crate::nn::attention::masked_softmax;
use crate::nn::linear::{Linear, linear, linear_without_bias};
use crate::systems::hamlearning::HamLearningConfig;
use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

/// `A = T W_c V^T / sqrt W`, read along both sides, and
/// `H = T0 + sigmoid(W_z [T0 ; T~ ; Q]) * W_h [T~ ; Q]`.
#[derive(Module, Debug)]
pub struct CoAttention {
    /// `W_c`, `W -> W`, without bias.
    pub(super) affinity: Linear,
    /// `W_z`, `D + 2 W -> D`.
    pub(super) gate: Linear,
    /// `W_h`, `2 W -> D`, without bias: nothing seen changes nothing.
    pub(super) update: Linear,
}

impl CoAttention {
    /// Fresh weights.
    pub fn new(config: &HamLearningConfig, device: &Device) -> Self {
        let (width, d) = (config.width, config.encoder.d);
        Self {
            affinity: linear_without_bias(width, width, device),
            gate: linear(d + 2 * width, d, device),
            update: linear_without_bias(2 * width, d, device),
        }
    }

    /// The refined states of the subwords: exactly `start` where a sample has no visual row.
    ///
    /// # Shapes
    /// - `start`: `T0`, `[R, P, D]`
    /// - `text`: `T_L`, `[R, P, W]`; `subwords`: 1 for a subword, `[R, P]`
    /// - `visual`: `V_L`, `[R, V, W]`; `present`: 1 for a row that is there, `[R, V]`
    /// - output: `[R, P, D]`
    pub fn forward(
        &self,
        start: Tensor<3>,
        text: Tensor<3>,
        subwords: Tensor<2>,
        visual: Tensor<3>,
        present: Tensor<2>,
    ) -> Tensor<3> {
        let width = text.dims()[2];
        let affinity = self
            .affinity
            .forward(text.clone())
            .matmul(visual.clone().transpose())
            / (width as f64).sqrt();
        let rows = masked_softmax(affinity.clone(), present.unsqueeze_dim::<3>(1), 2);
        let columns = masked_softmax(affinity, subwords.unsqueeze_dim::<3>(2), 1);
        let seen = rows.clone().matmul(visual);
        let told = rows.matmul(columns.transpose().matmul(text));
        let both = Tensor::cat(vec![seen, told], 2);
        let gate = Tensor::cat(vec![start.clone(), both.clone()], 2);
        start + sigmoid(self.gate.forward(gate)) * self.update.forward(both)
    }
}
