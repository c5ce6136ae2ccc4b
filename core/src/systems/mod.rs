//! The systems: each turns a batch of tweets into emissions over words, and owns its CRF.
//!
//! A system is one file or folder and one variant of [`SystemConfig`], [`System`] and [`SystemKind`]. Beside this
//! file, only what makes one names them: `packing/tiny.rs` and `train/start.rs`.

pub mod batch;
pub mod cross_view;
pub mod distillation;
pub mod fine_types;
pub mod hamlearning;
pub mod image_batch;
pub mod image_rows;
pub mod ita;
mod kind;
pub mod layout;
pub mod makes_rows;
pub mod mgcmt;
pub mod padding;
pub mod text;
#[cfg(any(test, feature = "train"))]
pub mod tiny;
#[cfg(test)]
mod unreached;

pub use kind::SystemKind;

use crate::decode::fine_types::{FineType, check};
use crate::nn::crf::{Crf, CrfTargets};
use crate::nn::encoder::{Encoder, EncoderConfig};
use batch::Batch;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use cross_view::CrossViewConfig;
use distillation::{DistillationConfig, TeacherPosteriors};
use fine_types::FineTypeHead;
use hamlearning::explanation::Explanation;
use ita::context::ContextBuilder;
use makes_rows::MakesRows;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which system, and every size it has: enough to build it before its weights are loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "system", rename_all = "lowercase")]
pub enum SystemConfig {
    /// The text baseline.
    Text(text::TextConfig),
    /// Text and image, each grain by its relevance.
    HamLearning(hamlearning::HamLearningConfig),
    /// Augmented text crossed with grid and objects, beside an auxiliary branch.
    Mgcmt(mgcmt::MgcmtConfig),
    /// The image as words after the tweet.
    Ita(ita::ItaConfig),
}

/// A system with its weights.
// One value lives at a time, so the variants' sizes need not be alike.
#[allow(clippy::large_enum_variant)]
#[derive(Module, Debug)]
pub enum System {
    /// The text baseline.
    Text(text::Text),
    /// Text and image, each grain by its relevance.
    HamLearning(hamlearning::HamLearning),
    /// Augmented text crossed with grid and objects, beside an auxiliary branch.
    Mgcmt(mgcmt::Mgcmt),
    /// The image as words after the tweet.
    Ita(ita::Ita),
}

impl SystemConfig {
    /// A fresh system on `device`.
    pub fn init(&self, device: &Device) -> System {
        match self {
            Self::Text(config) => System::Text(config.init(device)),
            Self::HamLearning(config) => System::HamLearning(config.init(device)),
            Self::Mgcmt(config) => System::Mgcmt(config.init(device)),
            Self::Ita(config) => System::Ita(config.init(device)),
        }
    }

    /// The same without what only helps training; [`System::for_use`] has the weights that fit.
    pub fn for_use(self) -> Self {
        match self {
            Self::Mgcmt(config) => Self::Mgcmt(config.for_use()),
            Self::Text(_) | Self::HamLearning(_) | Self::Ita(_) => self,
        }
    }

    /// The name by which the command line and bundles know the system.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::HamLearning(_) => "hamlearning",
            Self::Mgcmt(_) => "mgcmt",
            Self::Ita(_) => "ita",
        }
    }

    /// The text encoder's configuration.
    pub fn encoder(&self) -> &EncoderConfig {
        match self {
            Self::Text(config) => &config.encoder,
            Self::HamLearning(config) => &config.encoder,
            Self::Mgcmt(config) => &config.encoder,
            Self::Ita(config) => &config.encoder,
        }
    }

    /// The same, to be changed.
    pub fn encoder_mut(&mut self) -> &mut EncoderConfig {
        match self {
            Self::Text(config) => &mut config.encoder,
            Self::HamLearning(config) => &mut config.encoder,
            Self::Mgcmt(config) => &mut config.encoder,
            Self::Ita(config) => &mut config.encoder,
        }
    }

    /// Channels of the backbone's map, for a system that reads images.
    pub fn channels(&self) -> Option<usize> {
        match self {
            Self::Text(_) | Self::Ita(_) => None,
            Self::HamLearning(config) => Some(config.channels),
            Self::Mgcmt(config) => Some(config.channels),
        }
    }

    /// Size of the space of sentences, for a system that compares tweet and image in one.
    pub fn sentence(&self) -> Option<usize> {
        match self {
            Self::HamLearning(config) => config.sentence,
            Self::Text(_) | Self::Mgcmt(_) | Self::Ita(_) => None,
        }
    }

    /// Most objects of an image that the system reads.
    pub fn objects(&self) -> usize {
        match self {
            Self::Text(_) | Self::Ita(_) => 0,
            Self::HamLearning(config) => config.objects,
            Self::Mgcmt(_) => mgcmt::OBJECTS,
        }
    }

    /// Values of an augmentation vector, for a system that reads augmentation.
    pub fn augmentation_size(&self) -> Option<usize> {
        match self {
            Self::Mgcmt(config) => config.reads_augmentation(),
            Self::Text(_) | Self::HamLearning(_) | Self::Ita(_) => None,
        }
    }

    /// How an image's words become context, for a system that reads context.
    pub fn context(&self) -> Option<&ContextBuilder> {
        match self {
            Self::Ita(config) => Some(&config.context),
            Self::Text(_) | Self::HamLearning(_) | Self::Mgcmt(_) => None,
        }
    }

    /// Fine types that the system tells; none for one that tells the four types alone.
    pub fn fine_types(&self) -> &[FineType] {
        match self {
            Self::Text(config) => &config.fine_types,
            Self::HamLearning(config) => &config.fine_types,
            Self::Mgcmt(config) => &config.fine_types,
            Self::Ita(config) => &config.fine_types,
        }
    }

    /// The same telling these fine types; [`System::with_fine_types`] has the head that fits.
    #[must_use]
    pub fn with_fine_types(mut self, types: Vec<FineType>) -> Self {
        match &mut self {
            Self::Text(config) => config.fine_types = types,
            Self::HamLearning(config) => config.fine_types = types,
            Self::Mgcmt(config) => config.fine_types = types,
            Self::Ita(config) => config.fine_types = types,
        }
        self
    }

    /// What is wrong with the sizes beyond the encoder, if anything.
    ///
    /// # Errors
    /// The problem, as the end of a sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        check(self.fine_types())?;
        match self {
            Self::Text(_) => Ok(()),
            Self::HamLearning(config) => config.check(),
            Self::Mgcmt(config) => config.check(),
            Self::Ita(config) => config.check(),
        }
    }
}

/// What a system says of a batch.
pub struct SystemOutput {
    /// Emission scores of every word, `[R, N, 9]`.
    pub emissions: Tensor<3>,
    /// Each word's share in the scores of fine types, `[R, N, C]`, from a system that tells them; see
    /// [`FineTypeHead::scores`].
    pub fine_types: Option<Tensor<3>>,
    /// What explains the emissions, from a system that reads images where the batch has some.
    pub explanation: Option<Explanation>,
}

impl System {
    /// Emission scores of every word, `[R, N, 9]` over the batch's rows.
    pub fn forward(&self, batch: &Batch) -> Tensor<3> {
        match self {
            Self::Text(system) => system.forward(batch).0,
            Self::HamLearning(system) => system.forward(batch),
            Self::Mgcmt(system) => system.emissions(batch).0,
            Self::Ita(system) => system.forward(batch).0,
        }
    }

    /// Emission scores, those of fine types, and what explains them.
    pub fn explain(&self, batch: &Batch) -> SystemOutput {
        let ((emissions, words), explanation) = match self {
            Self::Text(system) => (system.forward(batch), None),
            Self::Mgcmt(system) => (system.emissions(batch), None),
            Self::Ita(system) => (system.forward(batch), None),
            Self::HamLearning(system) => {
                let output = system.explain(batch);
                ((output.emissions, output.words), output.explanation)
            }
        };
        SystemOutput {
            emissions,
            fine_types: self.fine_types().map(|head| head.scores(words)),
            explanation,
        }
    }

    /// The training loss of a batch, `[1]`; with `taught`, what teachers believe of it counts beside the gold labels.
    pub fn loss(
        &self,
        batch: &Batch,
        targets: &CrfTargets,
        taught: Option<(&TeacherPosteriors, &DistillationConfig)>,
    ) -> Tensor<1> {
        let (emissions, beside) = self.study(batch, targets);
        let loss = plus(self.crf().nll(emissions.clone(), targets), beside);
        plus(loss, self.distilled(emissions, targets, taught))
    }

    /// The weighted divergence of the emissions from the teachers, `[1]`, if there are any.
    fn distilled(
        &self,
        emissions: Tensor<3>,
        targets: &CrfTargets,
        taught: Option<(&TeacherPosteriors, &DistillationConfig)>,
    ) -> Option<Tensor<1>> {
        let (teachers, config) = taught?;
        let (crf, present) = (self.crf(), targets.present());
        Some(teachers.divergence(crf, emissions, present, config.temperature) * config.weight)
    }

    /// The training loss of a batch from two views, `[1]`: with its images and without, each with
    /// its own dropout. Teachers teach the view without.
    pub fn loss_of_views(
        &self,
        batch: &Batch,
        targets: &CrfTargets,
        views: &CrossViewConfig,
        taught: Option<(&TeacherPosteriors, &DistillationConfig)>,
    ) -> Tensor<1> {
        let cross = self.forward(batch);
        let (text, beside) = self.study(&batch.text_view(), targets);
        let teachers = self.distilled(text.clone(), targets, taught);
        let loss = cross_view::loss(self.crf(), text, cross, targets, views);
        plus(plus(loss, beside), teachers)
    }

    /// Emission scores as [`System::forward`] gives them, and the loss of what a system learns
    /// beside them, `[1]`.
    fn study(&self, batch: &Batch, targets: &CrfTargets) -> (Tensor<3>, Option<Tensor<1>>) {
        let (emissions, words, beside) = match self {
            Self::Text(system) => {
                let (emissions, words) = system.forward(batch);
                (emissions, words, None)
            }
            Self::Ita(system) => {
                let (emissions, words) = system.forward(batch);
                (emissions, words, None)
            }
            Self::HamLearning(system) => system.study(batch),
            Self::Mgcmt(system) => system.study(batch, targets),
        };
        let fine_types = self.fine_types().zip(batch.fine_types());
        let fine_types = fine_types.map(|(head, gold)| head.loss(words, gold));
        let beside = match (beside, fine_types) {
            (Some(one), other) => Some(plus(one, other)),
            (None, other) => other,
        };
        (emissions, beside)
    }

    /// The same without what only helps training. Its emissions are the same.
    pub fn for_use(self) -> Self {
        match self {
            Self::Mgcmt(system) => Self::Mgcmt(system.for_use()),
            Self::Text(_) | Self::HamLearning(_) | Self::Ita(_) => self,
        }
    }

    /// The chain over the nine labels.
    pub fn crf(&self) -> &Crf {
        match self {
            Self::Text(system) => &system.crf,
            Self::HamLearning(system) => &system.crf,
            Self::Mgcmt(system) => &system.crf,
            Self::Ita(system) => &system.crf,
        }
    }

    /// What tells fine types, if the system does.
    pub fn fine_types(&self) -> Option<&FineTypeHead> {
        match self {
            Self::Text(system) => system.fine_types.as_ref(),
            Self::HamLearning(system) => system.fine_types.as_ref(),
            Self::Mgcmt(system) => system.fine_types.as_ref(),
            Self::Ita(system) => system.fine_types.as_ref(),
        }
    }

    /// The same system with another head of fine types, or none.
    #[must_use]
    pub fn with_fine_types(mut self, head: Option<FineTypeHead>) -> Self {
        match &mut self {
            Self::Text(system) => system.fine_types = head,
            Self::HamLearning(system) => system.fine_types = head,
            Self::Mgcmt(system) => system.fine_types = head,
            Self::Ita(system) => system.fine_types = head,
        }
        self
    }

    /// The text encoder.
    pub fn encoder(&self) -> &Encoder {
        match self {
            Self::Text(system) => &system.encoder,
            Self::HamLearning(system) => &system.encoder,
            Self::Mgcmt(system) => &system.encoder,
            Self::Ita(system) => &system.encoder,
        }
    }

    /// The same system, computing in a CPU's own memory what of it can; `config` is its own.
    #[must_use]
    pub fn computed_on_host(self, config: &SystemConfig) -> Self {
        let computed = match (self, config) {
            (Self::Text(system), _) => Self::Text(system.on_host()),
            (Self::Ita(system), _) => Self::Ita(system.on_host()),
            (Self::HamLearning(system), SystemConfig::HamLearning(config)) => {
                Self::HamLearning(system.computed_on_host(config))
            }
            (Self::Mgcmt(system), SystemConfig::Mgcmt(config)) => {
                Self::Mgcmt(system.computed_on_host(config))
            }
            (other, _) => other,
        };
        let head = computed.fine_types().cloned();
        computed.with_fine_types(head.map(FineTypeHead::on_host))
    }

    /// What makes rows of images in a CPU's own memory, if it computes there.
    pub fn host(&self) -> Option<Arc<dyn MakesRows>> {
        match self {
            Self::HamLearning(system) => Some(system.host()?.clone()),
            Self::Mgcmt(system) => Some(system.host()?.clone()),
            Self::Text(_) | Self::Ita(_) => None,
        }
    }

    /// The same system around another encoder.
    pub fn with_encoder(mut self, encoder: Encoder) -> Self {
        match &mut self {
            Self::Text(system) => system.encoder = encoder,
            Self::HamLearning(system) => system.encoder = encoder,
            Self::Mgcmt(system) => system.encoder = encoder,
            Self::Ita(system) => system.encoder = encoder,
        }
        self
    }
}

/// A loss with what is learnt beside it, if anything is.
pub(crate) fn plus(loss: Tensor<1>, beside: Option<Tensor<1>>) -> Tensor<1> {
    match beside {
        Some(beside) => loss + beside,
        None => loss,
    }
}
