//! The mean of the weights of several epochs: "Averaging Weights Leads to Wider Optima and Better Generalization"
//! (Izmailov et al., UAI 2018), over the last epochs of a falling learning rate.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

/// Adds up the weights of models that differ in nothing else.
#[derive(Default)]
pub struct WeightSum {
    /// Of each parameter in the module's order.
    sums: Vec<Vec<f32>>,
    models: usize,
}

impl WeightSum {
    /// Adds a model's weights.
    ///
    /// # Panics
    /// If its parameters are not those of the models before, in number and size.
    pub fn add(&mut self, model: &impl Module) {
        let mut read = Read(Vec::new());
        model.visit(&mut read);
        self.models += 1;
        if self.models == 1 {
            self.sums = read.0;
            return;
        }
        assert_eq!(self.sums.len(), read.0.len(), "another kind of model");
        for (sum, weights) in self.sums.iter_mut().zip(read.0) {
            assert_eq!(sum.len(), weights.len(), "a parameter of another size");
            sum.iter_mut().zip(weights).for_each(|(sum, w)| *sum += w);
        }
    }

    /// A model whose weights are the mean of those added; what it had itself does not count.
    ///
    /// # Panics
    /// If none was added.
    pub fn mean<M: Module>(self, model: M) -> M {
        assert!(self.models > 0, "the mean of no model");
        let models = self.models as f32;
        let means = self.sums.into_iter().map(|mut sum| {
            sum.iter_mut().for_each(|w| *w /= models);
            sum
        });
        model.map(&mut Write(means))
    }
}

struct Read(Vec<Vec<f32>>);

impl ModuleVisitor for Read {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let weights = param.val().into_data();
        self.0.push(weights.iter::<f32>().collect());
    }
}

struct Write<I>(I);

impl<I: Iterator<Item = Vec<f32>>> ModuleMapper for Write<I> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let weights = self.0.next().expect("as many parameters as were added");
        param.map(|tensor| {
            let data = TensorData::new(weights, tensor.shape());
            Tensor::from_data(data, &tensor.device())
        })
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn weights(model: &impl Module) -> Vec<Vec<f32>> {
        let mut read = Read(Vec::new());
        model.visit(&mut read);
        read.0
    }

    #[test]
    fn the_mean_is_taken_number_by_number() {
        let device = Device::flex();
        let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
        let config = crate::systems::tiny::config(&tokenizer);
        let models = [1, 2, 3, 4].map(|seed| {
            device.seed(seed);
            config.init(&device)
        });
        let mut sum = WeightSum::default();
        models[..3].iter().for_each(|model| sum.add(model));
        let [one, two, three, other] = models.each_ref().map(weights);
        let mean = weights(&sum.mean(models[3].clone()));
        assert_ne!(mean, other);
        assert!(mean.len() > 20);
        for (i, parameter) in mean.iter().enumerate() {
            for (j, got) in parameter.iter().enumerate() {
                let expected = (one[i][j] + two[i][j] + three[i][j]) / 3.0;
                assert!((got - expected).abs() < 1e-6, "{got} against {expected}");
            }
        }
    }

    #[test]
    fn the_mean_of_one_model_is_that_model() {
        let device = Device::flex();
        let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
        let config = crate::systems::tiny::config(&tokenizer);
        let [one, other] = [1, 2].map(|seed| {
            device.seed(seed);
            config.init(&device)
        });
        let mut sum = WeightSum::default();
        sum.add(&one);
        assert_eq!(weights(&sum.mean(other)), weights(&one));
    }
}
