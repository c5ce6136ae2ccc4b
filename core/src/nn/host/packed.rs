//! Linear layers of burn's quantised weights.

use crate::nn::host::lanes::Precision;
use crate::nn::host::linear::BlockLinear;
use burn::tensor::quantization::{QuantScheme, QuantValue, QuantizedBytes};

impl BlockLinear {
    /// Of `weight`, `[input, output]`, in blocks along the inputs.
    ///
    /// # Panics
    /// As [`BlockLinear::new`], or if there are no blocks.
    pub fn from_packed(weight: QuantizedBytes, bias: Vec<f32>, precision: Precision) -> Self {
        let block = block_of(&weight.scheme).expect("a scheme of blocks");
        let (codes, scales) = weight.into_vec_i8();
        Self::new(&codes, &scales.block, bias, block, precision)
    }
}

/// Whether weights of this scheme may have coarse inputs.
pub fn bears_coarse(scheme: &QuantScheme) -> bool {
    let fits = |block| block <= Precision::Coarse.most_in_block();
    scheme.value == QuantValue::Q4S && block_of(scheme).is_some_and(fits)
}

/// The values along the inputs that share a scale.
fn block_of(scheme: &QuantScheme) -> Option<usize> {
    let block = scheme.block_size()?;
    Some(usize::from(block.to_dim_vec(2)[0]))
}
