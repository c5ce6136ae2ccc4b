//! How a system learns: burn-train's steps, with clipping by the global norm.

use crate::bundle::quantize::{Scheme, rounded};
use crate::data::example::LabelledBatch;
use crate::decode::chain::Rules;
use crate::decode::entities::decode;
use crate::label::Label;
use crate::systems::batch::Batch;
use crate::systems::cross_view::CrossViewConfig;
use crate::systems::distillation::DistillationConfig;
use crate::systems::{System, plus};
use crate::train::imitation::Imitation;
use crate::train::metric::SpanInput;
use crate::train::tuned_backbone::TunedBackbone;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{ExecutionError, Tensor};
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use std::borrow::Cow;

/// A system in training.
#[derive(Module, Debug)]
pub struct TrainedSystem {
    /// The system.
    pub system: System,
    /// The image backbone, if it learns too.
    pub backbone: Option<TunedBackbone>,
    /// How it learns from two views; none learns from what it is shown alone.
    #[module(skip)]
    views: Option<CrossViewConfig>,
    /// How it learns from teachers.
    #[module(skip)]
    distillation: Option<DistillationConfig>,
    /// What it imitates, if anything.
    #[module(skip)]
    imitation: Option<Imitation>,
    /// How the weights are rounded in every step; none are not.
    #[module(skip)]
    rounding: Option<Scheme>,
    /// Largest global norm of a gradient; 0 does not clip.
    clip: f64,
}

impl TrainedSystem {
    /// Wraps a system for training.
    pub fn new(system: System, clip: f64) -> Self {
        Self {
            system,
            backbone: None,
            views: None,
            distillation: None,
            imitation: None,
            rounding: None,
            clip,
        }
    }

    /// The same trained, learning from two views or not.
    #[must_use]
    pub fn with_views(mut self, views: Option<CrossViewConfig>) -> Self {
        self.views = views;
        self
    }

    /// The same trained, learning from teachers or not.
    #[must_use]
    pub fn with_distillation(mut self, distillation: Option<DistillationConfig>) -> Self {
        self.distillation = distillation;
        self
    }

    /// The same trained, imitating a system or none.
    #[must_use]
    pub fn with_imitation(mut self, imitation: Option<Imitation>) -> Self {
        self.imitation = imitation;
        self
    }

    /// The same trained, quantisation-aware or not: every step computes with the system's weights as a scheme rounds them, and its
    /// gradients, as if rounding were the identity, change the weights that are not rounded ("Quantization and Training of Neural
    /// Networks for Efficient Integer-Arithmetic-Only Inference", Jacob et al., CVPR 2018). A tuned backbone is left as it is.
    #[must_use]
    pub fn with_rounding(mut self, scheme: Option<Scheme>) -> Self {
        self.rounding = scheme;
        self
    }

    /// The same trained, with a backbone that learns or none.
    #[must_use]
    pub fn with_backbone(mut self, backbone: Option<TunedBackbone>) -> Self {
        self.backbone = backbone;
        self
    }

    /// What a step computes with.
    fn as_computed(&self) -> Cow<'_, Self> {
        match self.rounding {
            Some(scheme) => Cow::Owned(Self {
                system: rounded(self.system.clone(), scheme),
                ..self.clone()
            }),
            None => Cow::Borrowed(self),
        }
    }

    /// The batch as the backbone sees its images now, and what keeps the backbone's names, `[1]`.
    fn encode_image(&self, batch: Batch) -> (Batch, Option<Tensor<1>>) {
        match (&self.backbone, batch.images()) {
            (Some(backbone), Some(before)) => {
                let after = backbone.encode_image(before.clone());
                let names = backbone.names_lost(before, &after);
                (batch.with_seen(after), Some(names))
            }
            _ => (batch, None),
        }
    }
}

/// What a training step reports.
#[derive(Debug)]
pub struct TrainReport {
    loss: Tensor<1>,
}

impl TrainReport {
    /// Of a step with this loss, `[1]`.
    pub fn new(loss: Tensor<1>) -> Self {
        Self {
            loss: loss.detach(),
        }
    }
}

/// What an evaluation step reports.
#[derive(Debug)]
pub struct DevReport {
    loss: Tensor<1>,
    tweets: Vec<(Vec<Label>, Vec<Label>)>,
}

impl TrainStep for TrainedSystem {
    type Input = LabelledBatch;
    type Output = TrainReport;

    fn step(&self, item: LabelledBatch) -> TrainOutput<TrainReport> {
        let (batch, names) = self.encode_image(item.batch);
        let taught = item.taught.as_ref().zip(self.distillation.as_ref());
        let computed = self.as_computed();
        let system = &computed.system;
        let learn = || match &self.views {
            Some(views) => system.loss_of_views(&batch, &item.targets, views, taught),
            None => system.loss(&batch, &item.targets, taught),
        };
        let loss = match &self.imitation {
            Some(imitation) => {
                let (loss, distance) = imitation.beside(system, &batch, learn);
                loss + distance
            }
            None => learn(),
        };
        let loss = plus(loss, names);
        let grads = loss.backward();
        // Gradients are of what was computed with; the parameters they change are known by their ids.
        TrainOutput::new(&*computed, grads, TrainReport::new(loss))
    }

    fn optimize(
        self,
        optim: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        let clip = self.clip;
        clipped_step(self, clip, optim, lr, grads)
    }
}

impl InferenceStep for TrainedSystem {
    type Input = LabelledBatch;
    type Output = DevReport;

    fn step(&self, item: LabelledBatch) -> DevReport {
        let (batch, _) = self.encode_image(item.batch);
        let computed = self.as_computed();
        let system = &computed.system;
        let emissions = system.forward(&batch);
        let loss = system.crf().nll(emissions.clone(), &item.targets);
        let predicted = pollster::block_on(async {
            let chain = system.crf().to_host().await?.under(Rules::Bio);
            let tweets = batch.collect(emissions).await?;
            Ok::<_, ExecutionError>(
                tweets
                    .iter()
                    .map(|e| decode(&chain, e).0)
                    .collect::<Vec<_>>(),
            )
        })
        // burn-train has no way to hand an error on from a step.
        .expect("the device answers");
        DevReport {
            loss,
            tweets: item.gold.into_iter().zip(predicted).collect(),
        }
    }
}

impl ItemLazy for TrainReport {
    fn sync(self) -> Result<Self, ExecutionError> {
        self.loss.device().flush()?;
        Ok(Self {
            loss: self.loss.without_autodiff(),
        })
    }
}

impl ItemLazy for DevReport {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl Adaptor<LossInput> for TrainReport {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.loss.clone())
    }
}

impl Adaptor<LossInput> for DevReport {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.loss.clone())
    }
}

impl Adaptor<SpanInput> for DevReport {
    fn adapt(&self) -> SpanInput {
        SpanInput(self.tweets.clone())
    }
}

/// The module after a step by gradients whose global norm is at most `clip`; 0 does not clip.
pub(super) fn clipped_step<M: Module>(
    module: M,
    clip: f64,
    optim: &mut ModuleOptimizer,
    lr: ModuleLearningRate,
    grads: GradientsParams,
) -> M {
    let grads = if clip > 0.0 {
        clip_global_norm(&module, grads, clip)
    } else {
        grads
    };
    optim.step(lr, module, grads)
}

/// Scales all gradients together so that their joint norm is at most `limit`. burn clips tensor
/// by tensor, which changes the gradient's direction.
fn clip_global_norm<M: Module>(module: &M, grads: GradientsParams, limit: f64) -> GradientsParams {
    struct Norm<'a> {
        grads: &'a GradientsParams,
        square: Option<Tensor<1>>,
    }
    impl ModuleVisitor for Norm<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(grad) = self.grads.get::<D>(param.id) {
                let square = grad.square().sum();
                self.square = Some(match self.square.take() {
                    Some(sum) => sum + square,
                    None => square,
                });
            }
        }
    }
    struct Scale {
        grads: GradientsParams,
        factor: f64,
    }
    impl ModuleVisitor for Scale {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(grad) = self.grads.remove::<D>(param.id) {
                self.grads.register(param.id, grad * self.factor);
            }
        }
    }
    let mut norm = Norm {
        grads: &grads,
        square: None,
    };
    module.visit(&mut norm);
    let norm = norm
        .square
        .map_or(0.0, |square| square.into_scalar::<f64>().sqrt());
    if norm <= limit {
        return grads;
    }
    let mut scale = Scale {
        grads,
        factor: limit / norm,
    };
    module.visit(&mut scale);
    scale.grads
}

#[cfg(all(test, feature = "flex"))]
mod tests;
