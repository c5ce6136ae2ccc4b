//! Imitation of a bundle by the same system with narrower layers or fewer bits: what its linear layers are given is to be what those of
//! the bundle are given (hidden states beside the answers, as in Jiao et al., "TinyBERT", Findings of EMNLP 2020, equations 7 to 10; here
//! the layers are as many and the states as wide, so that none is mapped onto another).

use crate::bundle::quantize::names;
use crate::nn::linear_inputs::watched;
use crate::systems::batch::Batch;
use crate::systems::{System, SystemConfig};
use burn::module::{Flag, Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A system that another is to imitate.
#[derive(Clone, Debug)]
pub struct Imitation {
    system: Arc<System>,
    names: Arc<BTreeMap<ParamId, String>>,
    weight: f64,
}

impl Imitation {
    /// Of `system`, which is to be on the device of the batches and does not learn. What a batch adds to the loss is `weight` times how
    /// far the student is from it.
    pub fn new(system: System, weight: f64) -> Self {
        let names = names(&system).into();
        let system = system.freeze().into();
        Self {
            system,
            names,
            weight,
        }
    }

    /// Whether a student can imitate: whether it differs in nothing but dropout and the width of the text encoder's feed-forward networks.
    pub fn fits(student: &SystemConfig, imitated: &SystemConfig) -> bool {
        let mut student = student.clone();
        let (encoder, other) = (student.encoder_mut(), imitated.encoder());
        (encoder.ffn, encoder.dropout) = (other.ffn, other.dropout);
        student == *imitated
    }

    /// What `learn`, which lets `student` compute, makes of a batch, and what it adds to the loss, `[1]`: the squared distance between
    /// what a linear layer is given in both, over the squared length of what it is given in the imitated one, mean over the layers.
    /// Layers whose inputs are not as many in both are left out.
    pub(super) fn beside<R>(
        &self,
        student: &System,
        batch: &Batch,
        learn: impl FnOnce() -> R,
    ) -> (R, Tensor<1>) {
        let (learnt, given) = watched(learn);
        let mut own = BTreeMap::<String, VecDeque<Tensor<2>>>::new();
        let names = names(student);
        for (id, rows) in given {
            own.entry(names[&id].clone()).or_default().push_back(rows);
        }
        let (_, given) = watched(|| self.system.forward(batch));
        let pairs = given.into_iter().filter_map(|(id, theirs)| {
            let own = own.get_mut(&self.names[&id])?.pop_front()?;
            (own.dims() == theirs.dims()).then_some((own, theirs))
        });
        let distances: Vec<Tensor<1>> = pairs
            .map(|(own, theirs)| {
                let length = theirs.clone().square().sum();
                (own - theirs).square().sum() / length
            })
            .collect();
        let distance = Tensor::cat(distances, 0).mean();
        (learnt, distance * self.weight)
    }
}

/// The system, which drops nothing while it learns: states that noise has moved are not those of what it imitates.
pub(super) fn without_dropout(system: System) -> System {
    struct Off;
    impl ModuleMapper for Off {
        fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
            flag.with_value(false)
        }
    }
    system.map(&mut Off)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::nn::values::values;
    use crate::systems::padding::LeastSizes;
    use crate::systems::tiny;
    use crate::train::config::TrainConfig;
    use crate::train::schedule::{optimizer, scheduler};
    use crate::tweet::sequence::sequences;
    use burn::optim::GradientsParams;
    use burn::tensor::Device;

    fn device() -> Device {
        Device::flex().autodiff()
    }

    fn config(ffn: usize) -> SystemConfig {
        let mut config = tiny::config(&crate::tweet::tiny::tokenizer().unwrap());
        config.encoder_mut().ffn = ffn;
        config
    }

    fn batch() -> Batch {
        let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
        let words = [vec!["we", "are", "in", "ulm"], vec!["ada", "is", "off"]];
        let windows = words.map(|words| sequences(&words, &tokenizer, 32).unwrap());
        let tweets: Vec<_> = windows.iter().map(Vec::as_slice).collect();
        Batch::new(&tweets, 0, LeastSizes::default(), &device())
    }

    fn distance(imitation: &Imitation, student: &System) -> Tensor<1> {
        let batch = batch();
        let (emissions, distance) = imitation.beside(student, &batch, || student.forward(&batch));
        assert_eq!(emissions.dims(), [2, 4, 9]);
        distance
    }

    #[test]
    fn a_system_is_no_way_from_itself_and_another_from_zero_is_one() {
        struct Zero;
        impl ModuleMapper for Zero {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                param.map(|tensor| tensor.zeros_like())
            }
        }
        device().seed(3);
        let system = without_dropout(config(64).init(&device()));
        let zero = system.clone().map(&mut Zero);
        let imitation = Imitation::new(system.clone(), 4.0);
        assert_eq!(distance(&imitation, &system).into_scalar::<f32>(), 0.0);
        let far = distance(&imitation, &zero).into_scalar::<f32>();
        assert!((far - 4.0).abs() < 1e-5, "{far}");
    }

    #[test]
    fn a_narrower_system_comes_nearer_and_what_it_imitates_stays() {
        device().seed(4);
        let imitated = config(64).init(&device());
        let before = values(imitated.encoder().layers[0].ffn_in.parameters.weight.val());
        let imitation = Imitation::new(imitated, 1.0);
        let mut student = without_dropout(config(40).init(&device()));
        let config = TrainConfig {
            warmup: 0.0,
            lr_encoder: 1e-2,
            ..TrainConfig::default()
        };
        let (mut optimizer, mut scheduler) = (optimizer(&config), scheduler(&config, 30));
        let mut distances = Vec::new();
        for _ in 0..30 {
            let distance = distance(&imitation, &student);
            let gradients = GradientsParams::from_grads(distance.backward(), &student);
            distances.push(distance.into_scalar::<f32>());
            student = optimizer.step(scheduler.step(), student, gradients);
        }
        assert!(distances[29] < 0.5 * distances[0], "{distances:?}");
        let after = &imitation.system.encoder().layers[0].ffn_in;
        assert_eq!(values(after.parameters.weight.val()), before);
    }

    #[test]
    fn nothing_is_dropped() {
        let student = config(64).init(&device());
        let twice = |system: &System| [(); 2].map(|()| values(system.forward(&batch())));
        let [one, other] = twice(&student);
        assert_ne!(one, other);
        let [one, other] = twice(&without_dropout(student));
        assert_eq!(one, other);
    }

    #[test]
    fn systems_of_other_sizes_cannot_imitate() {
        let imitated = config(64);
        let mut student = config(8);
        student.encoder_mut().dropout = 0.0;
        assert!(Imitation::fits(&student, &imitated));
        student.encoder_mut().layers = 1;
        assert!(!Imitation::fits(&student, &imitated));
    }
}
