//! From what the networks saw in an image to the space of sentences, where a tweet and its image can be compared.

use crate::nn::dropout::{Dropout, DropoutConfig};
use crate::nn::gelu::gelu;
use crate::nn::linear::{Linear, linear};
use burn::module::{Module, Param};
use burn::prelude::*;

/// Sizes of a [`Projector`].
#[derive(Config, Debug)]
pub struct ProjectorConfig {
    /// `C`, channels of the image backbone's map.
    pub channels: usize,
    /// Classes of the detector.
    pub classes: usize,
    /// Width between its two layers.
    pub hidden: usize,
    /// `S`, size of a sentence vector.
    pub size: usize,
}

impl ProjectorConfig {
    /// Values that it reads of an image: mean and maximum of the map over its cells, and the score of the best
    /// detection of each class.
    pub fn inputs(&self) -> usize {
        2 * self.channels + self.classes
    }

    /// What is wrong with the sizes, if anything.
    ///
    /// # Errors
    /// The problem, as the end of a sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        const LARGEST: usize = 1 << 13;
        let sizes = [self.channels, self.classes, self.hidden, self.size];
        match sizes.iter().all(|size| (1..=LARGEST).contains(size)) {
            true => Ok(()),
            false => Err("a size of the projector is not from 1 to 8192"),
        }
    }

    /// A fresh projector on `device`, a fraction `dropout` of whose inputs and hidden values is dropped while it learns.
    pub fn init(&self, dropout: f64, device: &Device) -> Projector {
        Projector {
            hidden: linear(self.inputs(), self.hidden, device),
            out: linear(self.hidden, self.size, device),
            dropout: DropoutConfig::new(dropout).init(),
        }
    }

    /// What a projector reads of an image.
    ///
    /// `grid`: `49 * C`, the backbone's map, cell by cell; `detections`: class and score of each.
    ///
    /// Returns [`ProjectorConfig::inputs`] values.
    pub fn pooled(&self, grid: &[f32], detections: impl Iterator<Item = (usize, f32)>) -> Vec<f32> {
        let mut mean = vec![0.0; self.channels];
        let mut most = vec![f32::MIN; self.channels];
        for cell in grid.chunks_exact(self.channels) {
            for ((mean, most), &value) in mean.iter_mut().zip(&mut most).zip(cell) {
                *mean += value;
                *most = most.max(value);
            }
        }
        let cells = (grid.len() / self.channels).max(1) as f32;
        mean.iter_mut().for_each(|sum| *sum /= cells);
        let mut scores = vec![0.0_f32; self.classes];
        for (class, score) in detections {
            if let Some(best) = scores.get_mut(class) {
                *best = best.max(score);
            }
        }
        [mean, most, scores].concat()
    }
}

/// Two layers with a GELU between them; what comes out has length 1.
///
/// A reconstruction in the manner of CLIP's image side (Radford et al., arXiv 2103.00020) over networks that stay as they
/// are.
#[derive(Module, Debug)]
pub struct Projector {
    /// `2 C + classes -> hidden`
    hidden: Linear,
    /// `hidden -> S`
    out: Linear,
    dropout: Dropout,
}

impl Projector {
    /// # Shapes
    /// - `pooled`: `[B, 2 C + classes]`, of [`ProjectorConfig::pooled`]
    /// - output: `[B, S]`, each row of length 1
    pub fn forward(&self, pooled: Tensor<2>) -> Tensor<2> {
        let hidden = gelu(self.hidden.forward(self.dropout.forward(pooled)));
        unit(self.out.forward(self.dropout.forward(hidden)))
    }

    /// The projector that makes of `x` what this one makes of `(x - mean) / deviation`, value by value: one that learnt
    /// from standardised values, to read plain ones.
    ///
    /// `mean` and `deviation`: `[2 C + classes]`, no deviation 0.
    #[must_use]
    pub fn after_standardisation(mut self, mean: Tensor<1>, deviation: Tensor<1>) -> Self {
        let weight = self.hidden.parameters.weight.val();
        let [inputs, _] = weight.dims();
        let weight = weight / deviation.reshape([inputs, 1]);
        let shift = mean
            .reshape([1, inputs])
            .matmul(weight.clone())
            .squeeze_dim::<1>(0);
        let bias = self.hidden.parameters.bias.map(|bias| bias.val() - shift);
        self.hidden.parameters.weight = Param::from_tensor(weight);
        self.hidden.parameters.bias = bias.map(Param::from_tensor);
        self
    }
}

/// Each row divided by its length.
///
/// # Shapes
/// - input and output: `[B, S]`
pub fn unit(rows: Tensor<2>) -> Tensor<2> {
    let length = rows.clone().square().sum_dim(1).add_scalar(1e-12).sqrt();
    rows / length
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::tensor::Tolerance;

    #[test]
    fn pools_cells_and_takes_the_best_score_of_a_class() {
        let config = ProjectorConfig::new(2, 3, 4, 5);
        let grid = [1.0, -2.0, 3.0, -4.0];
        let detections = [(1, 0.25), (1, 0.5), (0, 0.125), (7, 1.0)];
        let pooled = config.pooled(&grid, detections.into_iter());
        assert_eq!(pooled, [2.0, -3.0, 3.0, -2.0, 0.125, 0.5, 0.0]);
        assert_eq!(pooled.len(), config.inputs());
    }

    #[test]
    fn projections_have_length_one() {
        let device = Device::flex();
        let config = ProjectorConfig::new(2, 3, 4, 5);
        let pooled = Tensor::ones([2, config.inputs()], &device) * 3.0;
        let projected = config.init(0.5, &device).forward(pooled);
        assert_eq!(projected.dims(), [2, 5]);
        let lengths: Vec<f32> = projected.square().sum_dim(1).into_data().iter().collect();
        assert!(
            lengths.iter().all(|l| (l - 1.0).abs() < 1e-4),
            "{lengths:?}"
        );
    }

    #[test]
    fn standardisation_goes_into_the_weights() {
        let device = Device::flex();
        let config = ProjectorConfig::new(2, 3, 4, 5);
        let projector = config.init(0.0, &device);
        let x = Tensor::<2>::from_data([[3.0, -1.0, 2.0, 0.5, 1.0, 0.0, 7.0]], &device);
        let mean = Tensor::<1>::from_data([1.0, -2.0, 0.0, 0.25, 3.0, 0.5, 2.0], &device);
        let deviation = Tensor::<1>::from_data([2.0, 0.5, 1.0, 4.0, 0.1, 1.0, 3.0], &device);
        let standard = (x.clone() - mean.clone().unsqueeze()) / deviation.clone().unsqueeze();
        let expected = projector.forward(standard).into_data();
        let found = projector.after_standardisation(mean, deviation).forward(x);
        found
            .into_data()
            .assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-5));
    }

    #[test]
    fn sizes_have_bounds() {
        assert!(ProjectorConfig::new(1280, 80, 512, 384).check().is_ok());
        assert!(ProjectorConfig::new(1280, 80, 0, 384).check().is_err());
        assert!(ProjectorConfig::new(1280, 80, 9000, 384).check().is_err());
    }
}
