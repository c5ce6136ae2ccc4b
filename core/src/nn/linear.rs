//! Linear layers, whose weights a CPU may keep in the blocks they have in a quantised bundle.

use crate::nn::gelu::gelu;
use crate::nn::host::{BlockLinear, HostLinear, Precision, RowLinear, bears_coarse};
use crate::nn::linear_inputs;
use crate::nn::values::values;
use burn::module::{
    Content, Devices, Initializer, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
    ModuleVisitor,
};
use burn::nn::LinearConfig;
use burn::tensor::quantization::QuantizedBytes;
use burn::tensor::{DType, Device, Tensor, TensorData};
use std::sync::Arc;

/// `x W + b` along the last axis.
///
/// A mapper that gives the weights back quantised has them multiplied by [`BlockLinear`] where blocks are along the inputs, by
/// [`RowLinear`] where they are along the outputs; the parameter then has no values. The device should be a CPU: inputs are
/// read back from it at once.
#[derive(Clone, Debug)]
pub struct Linear {
    /// Weights, `[d_input, d_output]`, and bias.
    pub parameters: burn::nn::Linear,
    host: Option<Arc<HostLinear>>,
}

impl From<burn::nn::Linear> for Linear {
    fn from(parameters: burn::nn::Linear) -> Self {
        Self {
            parameters,
            host: None,
        }
    }
}

/// A linear layer as BERT starts one: weights from N(0, 0.02), bias zero.
pub fn linear(d_input: usize, d_output: usize, device: &Device) -> Linear {
    let mut layer = linear_without_bias(d_input, d_output, device);
    layer.parameters.bias = Some(Initializer::Zeros.init([d_output], device));
    layer
}

/// A linear layer without bias, weights from N(0, 0.02).
pub fn linear_without_bias(d_input: usize, d_output: usize, device: &Device) -> Linear {
    let config = LinearConfig::new(d_input, d_output).with_bias(false);
    let normal = Initializer::Normal {
        mean: 0.0,
        std: 0.02,
    };
    config.with_initializer(normal).init(device).into()
}

impl Linear {
    /// # Shapes
    /// - input `[.., d_input]`
    /// - output `[.., d_output]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match &self.host {
            None => self.forward_parameters(x),
            Some(host) => forward_on(host, x, |_| {}),
        }
    }

    /// GELU, by the error function, of [`Linear::forward`].
    pub fn forward_gelu<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match &self.host {
            None => gelu(self.forward_parameters(x)),
            Some(host) => forward_on(host, x, crate::nn::host::gelu),
        }
    }

    fn forward_parameters<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        linear_inputs::given(self.parameters.weight.id, &x);
        // As one matrix: of sequences of 32 rows, or a multiple, burn multiplies one after the other, and lays out the weights for each.
        let mut shape = x.dims();
        let [d_input, d_output] = self.parameters.weight.dims();
        let y = self.parameters.forward(x.reshape([-1, d_input as i32]));
        shape[D - 1] = d_output;
        y.reshape(shape)
    }

    /// What multiplies by the weights, where they are kept in blocks, so that the parameter has no values.
    pub fn blocks(&self) -> Option<Arc<BlockLinear>> {
        match self.host.as_deref()? {
            HostLinear::Blocks(blocks) => Some(blocks.clone()),
            HostLinear::Rows(_) | HostLinear::Plain { .. } => None,
        }
    }

    /// The same layer, its inputs read back and multiplied in a CPU's own memory whatever its weights are.
    ///
    /// A few rows are not worth burn-flex's operations, of which a browser compiles some of 50 KB: each takes 15 MB and a twentieth of a
    /// second for it.
    #[must_use]
    pub fn on_host(self) -> Self {
        Self {
            host: Some(Arc::new(self.to_host())),
            ..self
        }
    }

    /// The same layer for rows in a CPU's own memory.
    pub fn to_host(&self) -> HostLinear {
        match &self.host {
            Some(host) => HostLinear::clone(host),
            None => {
                let weight = self.parameters.weight.val();
                let [_, outputs] = weight.dims();
                let bias = self.parameters.bias.as_ref();
                HostLinear::Plain {
                    weight: values(weight),
                    bias: bias.map_or_else(|| vec![0.0; outputs], |bias| values(bias.val())),
                }
            }
        }
    }

    /// With the weights in blocks, if that is what the parameter was given.
    fn packed(self) -> Self {
        let parameters = self.parameters;
        // Looking at a value would make one up where there is none yet.
        let given = parameters.weight.is_initialized();
        if !given || !matches!(parameters.weight.val().dtype(), DType::QFloat(_)) {
            return Self { parameters, ..self };
        }
        let weight = parameters.weight.val();
        let ([d_input, d_output], device) = (weight.dims(), weight.device());
        let bias = match &parameters.bias {
            Some(bias) => bias.val().into_data().iter().collect(),
            None => vec![0.0; d_output],
        };
        let data = weight.into_data();
        let DType::QFloat(scheme) = data.dtype() else {
            unreachable!("a quantised tensor has quantised data");
        };
        let packed = QuantizedBytes {
            shape: data.shape().clone(),
            bytes: data.into_bytes(),
            scheme,
        };
        let block = scheme.block_size().map(|block| block.to_dim_vec(2));
        let host = match block.as_deref() {
            Some(&[1, outputs]) => {
                let (codes, scales) = packed.into_vec_i8();
                let block = usize::from(outputs);
                HostLinear::Rows(Arc::new(RowLinear::new(codes, scales.block, block, bias)))
            }
            _ => {
                let precision = match bears_coarse(&scheme) {
                    true => Precision::Coarse,
                    false => Precision::Fine,
                };
                let blocks = BlockLinear::from_packed(packed, bias, precision);
                HostLinear::Blocks(Arc::new(blocks))
            }
        };
        Self {
            host: Some(Arc::new(host)),
            parameters: burn::nn::Linear {
                weight: Initializer::Zeros.init([d_input, d_output], &device),
                ..parameters
            },
        }
    }
}

fn forward_on<const D: usize>(
    host: &HostLinear,
    x: Tensor<D>,
    activation: impl Fn(&mut [f32]),
) -> Tensor<D> {
    let (mut shape, device) = (x.dims(), x.device());
    let mut y = host.forward(&values(x));
    activation(&mut y);
    shape[D - 1] = host.outputs();
    Tensor::from_data(TensorData::new(y, shape), &device)
}

impl Module for Linear {
    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        Self {
            parameters: self.parameters.map(mapper),
            ..self
        }
        .packed()
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.parameters.visit(visitor);
    }

    fn collect_devices(&self, devices: Devices) -> Devices {
        self.parameters.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        Self {
            parameters: self.parameters.fork(device),
            ..self
        }
    }

    fn to_device(self, device: &Device) -> Self {
        Self {
            parameters: self.parameters.to_device(device),
            ..self
        }
    }

    fn train(self) -> Self {
        Self {
            parameters: self.parameters.train(),
            ..self
        }
    }

    fn valid(&self) -> Self {
        Self {
            parameters: self.parameters.valid(),
            host: self.host.clone(),
        }
    }

    fn materialize(self) -> Self {
        Self {
            parameters: self.parameters.materialize(),
            ..self
        }
    }
}

impl ModuleDisplayDefault for Linear {
    fn content(&self, content: Content) -> Option<Content> {
        self.parameters.content(content)
    }
}

impl ModuleDisplay for Linear {}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::module::Param;
    use burn::tensor::Distribution;
    use burn::tensor::quantization::{QuantScheme, QuantValue, ScaleDtype};

    /// Blocks of eight inputs.
    const INPUTS: [u8; 2] = [8, 1];

    /// Quantises weights in blocks, and keeps them so or makes them f32 again.
    struct Quantise {
        block: [u8; 2],
        keeps: bool,
    }

    impl ModuleMapper for Quantise {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if D == 1 {
                return param;
            }
            let scheme = QuantScheme::default()
                .with_value(QuantValue::Q8S)
                .per_block(self.block, ScaleDtype::F32);
            let blocks = param.val().quantize_dynamic(&scheme);
            Param::from_tensor(match self.keeps {
                true => blocks,
                false => blocks.dequantize(),
            })
        }
    }

    /// The same layer with weights in blocks and with weights in f32, and what it is given.
    fn pair(bias: bool, block: [u8; 2]) -> (Linear, Linear, Tensor<3>) {
        let device = Device::flex();
        device.seed(3);
        let random = |shape| Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &device);
        let mut layer = linear_without_bias(24, 8, &device);
        layer.parameters.weight = Param::from_tensor(random([24, 8]));
        layer.parameters.bias = bias.then(|| Param::from_tensor(random([1, 8]).squeeze_dim(0)));
        let x = Tensor::random([2, 3, 24], Distribution::Uniform(-2.0, 2.0), &device);
        let [blocks, plain] =
            [true, false].map(|keeps| layer.clone().map(&mut Quantise { block, keeps }));
        (blocks, plain, x)
    }

    fn difference(a: Tensor<3>, b: Tensor<3>) -> f32 {
        assert_eq!(a.dims(), b.dims());
        (a - b).abs().max().into_scalar()
    }

    #[test]
    fn blocks_give_what_their_values_give() {
        for bias in [true, false] {
            let (blocks, plain, x) = pair(bias, INPUTS);
            assert!(blocks.blocks().is_some() && plain.blocks().is_none());
            let off = difference(blocks.forward(x.clone()), plain.forward(x.clone()));
            assert!(off < 1e-3, "{off}");
            let off = difference(blocks.forward_gelu(x.clone()), plain.forward_gelu(x));
            assert!(off < 1e-3, "{off}");
        }
    }

    #[test]
    fn blocks_along_the_outputs_give_what_their_values_give() {
        for bias in [true, false] {
            let (rows, plain, x) = pair(bias, [1, 4]);
            assert!(matches!(rows.host.as_deref(), Some(HostLinear::Rows(_))));
            assert!(!rows.parameters.weight.is_initialized());
            let off = difference(rows.forward(x.clone()), plain.forward(x.clone()));
            assert!(off < 1e-5, "{off}");
            let off = difference(rows.forward_gelu(x.clone()), plain.forward_gelu(x));
            assert!(off < 1e-5, "{off}");
        }
    }

    #[test]
    fn weights_in_f32_are_multiplied_on_the_host_too() {
        for bias in [true, false] {
            let (_, plain, x) = pair(bias, INPUTS);
            let host = plain.clone().on_host();
            let off = difference(host.forward(x.clone()), plain.forward(x.clone()));
            assert!(off < 1e-5, "{off}");
            let off = difference(host.forward_gelu(x.clone()), plain.forward_gelu(x));
            assert!(off < 1e-5, "{off}");
        }
    }

    #[test]
    fn blocks_are_all_that_is_kept() {
        let (blocks, plain, x) = pair(true, INPUTS);
        assert!(!blocks.parameters.weight.is_initialized());
        assert_eq!(Module::num_params(&blocks), Module::num_params(&plain));
        // They stay through what a module may go through.
        let device = Device::flex();
        let moved = blocks.clone().valid().to_device(&device).no_grad();
        let off = difference(moved.forward(x.clone()), blocks.forward(x));
        assert_eq!(off, 0.0);
    }
}
