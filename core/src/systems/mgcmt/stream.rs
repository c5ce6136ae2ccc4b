//! What words draw from one kind of visual input: directly, and through what the input itself
//! draws from the words.

use crate::nn::attention::KeyMask;
use crate::nn::linear::{Linear, linear};
use crate::nn::transformer::{TransformerLayer, TransformerLayerConfig};
use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

/// The words of a batch, as the streams read them.
#[derive(Clone, Debug)]
pub struct Words {
    /// Hidden states at first subwords, `[R, N, W]`.
    pub first: Tensor<3>,
    /// Hidden states of all subwords, `[R, P, W]`.
    pub subwords: Tensor<3>,
    /// Which subwords are there.
    pub mask: KeyMask,
}

/// One kind of visual input: grid cells or objects.
#[derive(Clone, Debug)]
pub struct Sights {
    /// For the direct way, `[R, K, W]`.
    pub direct: Tensor<3>,
    /// For the way back and forth, `[R, K, W]`.
    pub round: Tensor<3>,
    /// 1 for what is there, else 0, `[R, K]`.
    pub present: Tensor<2>,
}

/// One of MGCMT's two pairs of streams.
#[derive(Module, Debug)]
pub struct Stream {
    /// `V1 = Self(direct)`.
    pub(super) sight: TransformerLayer,
    /// `C = Cross(R <- V1)`.
    pub(super) draw: TransformerLayer,
    /// None without the attentive fusion.
    pub(super) round: Option<Round>,
}

/// The way back and forth, and the gate over both ways.
#[derive(Module, Debug)]
pub(super) struct Round {
    /// `V2 = Self(round)`.
    pub(super) sight: TransformerLayer,
    /// `I = Cross(V2 <- R)`.
    pub(super) read: TransformerLayer,
    /// `C' = Cross(R <- I)`.
    pub(super) draw: TransformerLayer,
    /// `2W -> W`.
    pub(super) gate: Linear,
}

impl Stream {
    /// A fresh stream; `attentive`: with the way back and forth and the gate.
    pub fn new(layer: &TransformerLayerConfig, attentive: bool, device: &Device) -> Self {
        Self {
            sight: layer.init(device),
            draw: layer.init(device),
            round: attentive.then(|| Round {
                sight: layer.init(device),
                read: layer.init(device),
                draw: layer.init(device),
                gate: linear(2 * layer.d, layer.d, device),
            }),
        }
    }

    /// What each word draws, `[R, N, W]`: exactly 0 in rows where nothing is there.
    ///
    /// The gate `g` weighs the direct way and `1 - g` the other, or the reverse if
    /// `gate_on_round`.
    pub fn forward(&self, words: &Words, encoded_images: Sights, gate_on_round: bool) -> Tensor<3> {
        let mask = KeyMask::maybe_empty(encoded_images.present.clone());
        let any = encoded_images.present.max_dim(1).unsqueeze_dim::<3>(2);
        let seen = self.sight.forward_self(encoded_images.direct, &mask);
        let (direct, _) = self.draw.forward(words.first.clone(), seen, &mask, None);
        let Some(round) = &self.round else {
            return direct * any;
        };
        let seen = round.sight.forward_self(encoded_images.round, &mask);
        let (read, _) = round
            .read
            .forward(seen, words.subwords.clone(), &words.mask, None);
        let (back, _) = round.draw.forward(words.first.clone(), read, &mask, None);
        let (a, b) = match gate_on_round {
            false => (direct, back),
            true => (back, direct),
        };
        let both = Tensor::cat(vec![a.clone(), b.clone()], 2);
        let gate = sigmoid(round.gate.forward(both));
        (b.clone() + gate * (a - b)) * any
    }
}
