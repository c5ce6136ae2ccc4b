//! One turn of words and image reading each other.

use crate::nn::attention::KeyMask;
use crate::nn::transformer::{TransformerLayer, TransformerLayerConfig};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// `T' = Self(Cross(T <- V))`, `V' = rho * Self(Cross(V <- T))`; both read what came before.
#[derive(Module, Debug)]
pub struct Iteration {
    pub(super) text_cross: TransformerLayer,
    pub(super) text_self: TransformerLayer,
    pub(super) visual_cross: TransformerLayer,
    pub(super) visual_self: TransformerLayer,
}

/// The visual side of an iteration.
#[derive(Clone, Debug)]
pub struct Visual {
    /// `[R, V, W]`
    pub rows: Tensor<3>,
    /// Which rows are there.
    pub mask: KeyMask,
    /// Relevance of each row's grain, 0 for an absent row, `[R, V, 1]`. Without it on the rows of
    /// every turn the layer norms would undo it.
    pub rho: Tensor<3>,
}

impl Iteration {
    /// Fresh weights.
    pub fn new(layer: &TransformerLayerConfig, device: &Device) -> Self {
        Self {
            text_cross: layer.init(device),
            text_self: layer.init(device),
            visual_cross: layer.init(device),
            visual_self: layer.init(device),
        }
    }

    /// The text's turn: new text states, `[R, P, W]`, and what each subword attended to, averaged
    /// over heads, `[R, P, V]` (meaningless where a sample has no visual row).
    pub fn text(
        &self,
        text: Tensor<3>,
        text_mask: &KeyMask,
        visual: &Visual,
    ) -> (Tensor<3>, Tensor<3>) {
        let (crossed, weights) =
            self.text_cross
                .forward(text, visual.rows.clone(), &visual.mask, None);
        let attended = weights.mean_dim(1).squeeze_dim::<3>(1);
        (self.text_self.forward_self(crossed, text_mask), attended)
    }

    /// The text's turn where no sample has an image.
    pub fn text_alone(&self, text: Tensor<3>, text_mask: &KeyMask) -> Tensor<3> {
        let crossed = self.text_cross.forward_alone(text);
        self.text_self.forward_self(crossed, text_mask)
    }

    /// The image's turn: new visual rows, `[R, V, W]`, absent ones exactly 0.
    pub fn visual(&self, text: Tensor<3>, text_mask: &KeyMask, visual: &Visual) -> Tensor<3> {
        let (crossed, _) = self
            .visual_cross
            .forward(visual.rows.clone(), text, text_mask, None);
        self.visual_self.forward_self(crossed, &visual.mask) * visual.rho.clone()
    }
}
