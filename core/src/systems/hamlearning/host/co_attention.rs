//! Co-attention of words and image: [`CoAttention`] of one tweet, at its words.

use crate::nn::host::{
    HostLinear, add_product, rows_at, side_by_side, sigmoid, softmax, transposed,
};
use crate::systems::hamlearning::co_attention::CoAttention;

#[derive(Debug)]
pub(super) struct HostCoAttention {
    affinity: HostLinear,
    gate: HostLinear,
    update: HostLinear,
}

impl HostCoAttention {
    pub(super) fn new(co_attention: &CoAttention) -> Self {
        Self {
            affinity: co_attention.affinity.to_host(),
            gate: co_attention.gate.to_host(),
            update: co_attention.update.to_host(),
        }
    }

    /// The refined states of the words, `[N, D]`.
    ///
    /// # Shapes
    /// - `start`: `T0` at the words, `[N, D]`; `first`: their places among the subwords, `[N]`
    /// - `text`: `T_L`, `[P, W]`; `visual`: `V_L`, `[V, W]`
    pub(super) fn forward(
        &self,
        start: &[f32],
        text: &[f32],
        first: &[usize],
        visual: &[f32],
    ) -> Vec<f32> {
        let (width, d) = (self.affinity.outputs(), self.update.outputs());
        let (subwords, rows) = (text.len() / width, visual.len() / width);
        let mut affinity = vec![0.0; subwords * rows];
        let columns = transposed(visual, [rows, width]);
        add_product(&self.affinity.forward(text), &columns, rows, &mut affinity);
        affinity
            .iter_mut()
            .for_each(|x| *x /= (width as f32).sqrt());

        let mut told = transposed(&affinity, [subwords, rows]);
        told.chunks_exact_mut(subwords).for_each(softmax);
        let mut of_text = vec![0.0; rows * width];
        add_product(&told, text, width, &mut of_text);
        let seen_and_told = side_by_side(visual, &of_text, [width; 2]);

        let mut weights = rows_at(&affinity, first, rows);
        weights.chunks_exact_mut(rows).for_each(softmax);
        let mut both = vec![0.0; first.len() * 2 * width];
        add_product(&weights, &seen_and_told, 2 * width, &mut both);

        let mut gate = self
            .gate
            .forward(&side_by_side(start, &both, [d, 2 * width]));
        sigmoid(&mut gate);
        let mut refined = self.update.forward(&both);
        for ((x, gate), start) in refined.iter_mut().zip(gate).zip(start) {
            *x = start + gate * *x;
        }
        refined
    }
}
