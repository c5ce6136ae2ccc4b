//! The text encoder of a quantised bundle for a CPU: its weights as they are in the file.

use crate::bundle::weights::{
    SUBWORD_TABLE, Tensors, WeightsError, blocks, is_in_blocks, storage, take, take_f32,
    take_packed,
};
use crate::nn::encoder::EncoderConfig;
use crate::nn::host::{
    BlockLinear, Distances, HostEncoder, HostLayer, Norm, Precision, Table, bears_coarse,
};
use burn::tensor::quantization::QuantValue;
use burn::tensor::{DType, Shape};
use std::sync::Arc;

/// The weights of the linear layers of a transformer layer.
const LINEAR: [&str; 6] = [
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.output",
    "ffn_in",
    "ffn_out",
];

/// Takes the encoder's tensors out and gives the encoder, with what its tensors' names start
/// with. `None` where a linear layer is not in blocks along its inputs, as in a bundle in f32 or
/// of layers too small to be quantised: then the tensors stay.
///
/// # Errors
/// [`WeightsError`] for the first tensor that does not fit.
pub(crate) fn take_encoder(
    config: &EncoderConfig,
    tensors: &mut Tensors,
) -> Result<Option<(String, HostEncoder)>, WeightsError> {
    let table = tensors.keys().find(|name| name.ends_with(SUBWORD_TABLE));
    let Some(prefix) = table.and_then(|name| name.strip_suffix("words.weight")) else {
        return Ok(None);
    };
    let prefix = prefix.to_owned();
    let linears = (0..config.layers)
        .flat_map(|i| LINEAR.map(|linear| format!("{prefix}layers.{i}.{linear}.weight")));
    let mut coarse = true;
    for name in linears {
        match tensors.get(&name).map(|tensor| &tensor.dtype) {
            Some(dtype @ DType::QFloat(scheme)) if is_in_blocks(dtype) => {
                coarse &= bears_coarse(scheme);
            }
            _ => return Ok(None),
        }
    }
    let precision = match coarse {
        true => Precision::Coarse,
        false => Precision::Fine,
    };
    let mut parts = Parts {
        tensors,
        prefix: prefix.clone(),
        epsilon: config.epsilon as f32,
        precision,
    };
    let (d, ffn) = (config.d, config.ffn);
    let mut layers = Vec::with_capacity(config.layers);
    for i in 0..config.layers {
        let name = |part: &str| format!("layers.{i}.{part}");
        layers.push(HostLayer {
            query: parts.linear(&name(LINEAR[0]), d, d)?,
            key: parts.linear(&name(LINEAR[1]), d, d)?,
            value: parts.linear(&name(LINEAR[2]), d, d)?,
            output: parts.linear(&name(LINEAR[3]), d, d)?,
            heads: config.heads,
            attention_norm: parts.norm(&name("attention_norm"), d)?,
            ffn_in: parts.linear(&name(LINEAR[4]), d, ffn)?,
            ffn_out: parts.linear(&name(LINEAR[5]), ffn, d)?,
            ffn_norm: parts.norm(&name("ffn_norm"), d)?,
        });
    }
    let shapes = (config.shapes > 0).then(|| parts.table("shapes", config.shapes, d));
    let distances = (config.distances > 0).then(|| {
        let table = parts.table("distances.biases", config.distances, config.heads)?;
        let mut biases = vec![0.0; config.distances * config.heads];
        for (bucket, row) in biases.chunks_exact_mut(config.heads).enumerate() {
            table.add_row(bucket, row);
        }
        Ok::<_, WeightsError>(Distances {
            biases,
            heads: config.heads,
        })
    });
    let encoder = HostEncoder {
        words: parts.table("words", config.vocab, d)?,
        positions: parts.table("positions", config.positions, d)?,
        token_types: parts.table("token_types", config.token_types, d)?,
        shapes: shapes.transpose()?,
        norm: parts.norm("norm", d)?,
        layers,
        distances: distances.transpose()?,
        precision,
    };
    Ok(Some((prefix, encoder)))
}

struct Parts<'a> {
    tensors: &'a mut Tensors,
    prefix: String,
    epsilon: f32,
    precision: Precision,
}

impl Parts<'_> {
    fn plain(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, WeightsError> {
        let name = format!("{}{name}", self.prefix);
        let data = take_f32(self.tensors, &name, &Shape::from(shape.to_vec()))?;
        data.try_into_vec()
            .map_err(|e| WeightsError::Pack(e.to_string()))
    }

    fn norm(&mut self, name: &str, d: usize) -> Result<Norm, WeightsError> {
        Ok(Norm {
            weight: self.plain(&format!("{name}.gamma"), &[d])?,
            bias: self.plain(&format!("{name}.beta"), &[d])?,
            epsilon: self.epsilon,
        })
    }

    fn linear(
        &mut self,
        name: &str,
        inputs: usize,
        outputs: usize,
    ) -> Result<Arc<BlockLinear>, WeightsError> {
        let bias = self.plain(&format!("{name}.bias"), &[outputs])?;
        let name = format!("{}{name}.weight", self.prefix);
        let weight = take_packed(self.tensors, &name, &Shape::new([inputs, outputs]))?;
        let layer = BlockLinear::from_packed(weight, bias, self.precision);
        Ok(Arc::new(layer))
    }

    fn table(&mut self, name: &str, rows: usize, d: usize) -> Result<Table, WeightsError> {
        let own = format!("{}{name}.weight", self.prefix);
        let stored = self.tensors.get(&own).map(|tensor| tensor.dtype);
        let Some(DType::QFloat(scheme)) = stored else {
            let values = self.plain(&format!("{name}.weight"), &[rows, d])?;
            return Ok(Table::plain(values, d));
        };
        let (dtype, shape, bytes) = take(self.tensors, &own, &Shape::new([rows, d]))?;
        match blocks(&scheme, &shape, bytes.len()) {
            Some([1, block]) => {
                let bits = match scheme.value {
                    QuantValue::Q4S => 4,
                    _ => 8,
                };
                let bytes = bytes.try_into_vec().unwrap_or_else(|bytes| bytes.to_vec());
                Ok(Table::packed(bytes, rows, d, block, bits))
            }
            _ => Err(storage(&own, dtype)),
        }
    }
}
