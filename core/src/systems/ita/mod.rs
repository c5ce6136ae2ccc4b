//! ITA: the image becomes words that follow the tweet into the text encoder, and a text encoder
//! and a chain do the rest (Wang et al., arXiv 2112.06482, NAACL 2022).
//!
//! Whether a batch shows the text view or the cross-modal view is a matter of its sequences: the
//! latter carry a [`context`]. With [cross-view alignment](crate::systems::cross_view) both views are trained,
//! and the model stands with and without an image.

pub mod context;
pub mod image_text;

use crate::decode::fine_types::FineType;
use crate::label::LABELS;
use crate::nn::crf::Crf;
use crate::nn::encoder::{Encoder, EncoderConfig};
use crate::nn::linear::{Linear, linear};
use crate::systems::batch::Batch;
use crate::systems::fine_types::FineTypeHead;
use burn::module::{Flag, Module, Param};
use burn::tensor::{Device, Distribution, Tensor};
use context::ContextBuilder;
use serde::{Deserialize, Serialize};

/// Sizes of ITA, and what it takes from an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItaConfig {
    /// The text encoder.
    pub encoder: EncoderConfig,
    /// What of an image's text becomes context.
    pub context: ContextBuilder,
    /// Part of the words whose hidden state is hidden from the output layer in training, in 0..1.
    pub word_dropout: f64,
    /// Fine types that it tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fine_types: Vec<FineType>,
}

impl ItaConfig {
    /// ITA as published around an encoder, its context as long as the encoder reads.
    pub fn new(encoder: EncoderConfig) -> Self {
        let longest = ContextBuilder::default();
        Self {
            context: ContextBuilder {
                max_subwords: longest.max_subwords.min(encoder.max_subwords()),
                ..longest
            },
            encoder,
            word_dropout: 0.1,
            fine_types: Vec::new(),
        }
    }

    /// What is wrong beyond the encoder's sizes, if anything.
    ///
    /// # Errors
    /// The problem, as the end of a sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.context.max_subwords > self.encoder.max_subwords() {
            return Err("the context's limit of subwords is not within the position table");
        }
        if !(0.0..1.0).contains(&self.word_dropout) {
            return Err("the word dropout is not within 0 and 1");
        }
        Ok(())
    }

    /// A fresh system on `device`.
    pub fn init(&self, device: &Device) -> Ita {
        let EncoderConfig { d, dropout, .. } = self.encoder;
        Ita {
            encoder: self.encoder.init(device),
            word_dropout: WordDropout {
                part: self.word_dropout,
                training: Param::from_bool(true),
            },
            emit: linear(d, LABELS, device),
            crf: Crf::new(LABELS, device),
            fine_types: FineTypeHead::new(&self.fine_types, d, dropout, device),
        }
    }
}

/// ITA with its weights.
#[derive(Module, Debug)]
pub struct Ita {
    /// The text encoder.
    pub encoder: Encoder,
    word_dropout: WordDropout,
    /// Hidden state to emission scores, `D -> 9`.
    pub emit: Linear,
    /// The label chain.
    pub crf: Crf,
    /// What tells fine types, if it does.
    pub fine_types: Option<FineTypeHead>,
}

/// Hides whole vectors in training. What stays is not scaled.
#[derive(Module, Debug)]
struct WordDropout {
    part: f64,
    /// Whether to behave as during training, as burn's dropout has it.
    training: Param<Flag>,
}

impl WordDropout {
    fn forward(&self, words: Tensor<3>) -> Tensor<3> {
        let device = words.device();
        if !self.training.is_enabled() || !device.is_autodiff() || self.part == 0.0 {
            return words;
        }
        let [rows, n, _] = words.dims();
        let stays = Tensor::random(
            [rows, n, 1],
            Distribution::Bernoulli(1.0 - self.part),
            &device,
        );
        words * stays
    }
}

impl Ita {
    /// Emission scores of every word of the tweets, `[R, N, 9]`, of whichever view the batch is, and the states that they come
    /// from, `[R, N, D]`.
    pub fn forward(&self, batch: &Batch) -> (Tensor<3>, Tensor<3>) {
        let words = batch.encoded_words(&self.encoder);
        let emissions = self.emit.forward(self.word_dropout.forward(words.clone()));
        (emissions, words)
    }

    /// The same system, whose emissions a CPU computes in its own memory.
    #[must_use]
    pub fn on_host(self) -> Self {
        Self {
            emit: self.emit.on_host(),
            ..self
        }
    }
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests {
    use super::*;
    use crate::nn::crf::CrfTargets;
    use crate::systems::System;
    use crate::systems::cross_view::CrossViewConfig;
    use crate::systems::ita::image_text::ImageText;
    use crate::systems::padding::LeastSizes;
    use crate::tweet::sequence::{SubwordSequence, sequences};
    use crate::tweet::subwords::SubwordTokenizer;

    fn config(tokenizer: &SubwordTokenizer) -> ItaConfig {
        ItaConfig::new(crate::systems::tiny::config(tokenizer).encoder().clone())
    }

    /// The text view and the cross-modal view of two tweets; only the first has an image.
    fn views(config: &ItaConfig, tokenizer: &SubwordTokenizer, device: &Device) -> [Batch; 2] {
        let text: Vec<Vec<SubwordSequence>> = [vec!["Hello", "Houston"], vec!["kite"]]
            .iter()
            .map(|words| sequences(words, tokenizer, config.encoder.max_subwords()).unwrap())
            .collect();
        let known = ImageText {
            captions: vec!["a rocket".into()],
            ..ImageText::default()
        };
        let context = config.context.build(&known).subwords(tokenizer).unwrap();
        let mut cross = text.clone();
        cross[0][0] = context.after(&text[0][0], config.context.max_subwords);
        [text, cross].map(|tweets| {
            let windows: Vec<&[SubwordSequence]> = tweets.iter().map(Vec::as_slice).collect();
            Batch::new(
                &windows,
                tokenizer.special().pad,
                LeastSizes::default(),
                device,
            )
        })
    }

    fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }

    #[test]
    fn context_reaches_the_emissions_and_is_no_word() {
        let device = Device::flex();
        device.seed(1);
        let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
        let config = config(&tokenizer);
        let system = config.init(&device);
        let [text, cross] = views(&config, &tokenizer, &device).map(|batch| {
            let (emissions, _) = system.forward(&batch);
            assert_eq!(emissions.dims(), [2, 2, LABELS]);
            floats(emissions)
        });
        let first = 2 * LABELS;
        assert_ne!(text[..first], cross[..first]);
        for (text, cross) in text[first..].iter().zip(&cross[first..]) {
            assert!((text - cross).abs() < 1e-5, "{text} against {cross}");
        }
    }

    #[test]
    fn word_dropout_hides_whole_words_and_scales_nothing() {
        let dropout = |part, device: &Device| {
            let dropout = WordDropout {
                part,
                training: Param::from_bool(true),
            };
            floats(dropout.forward(Tensor::ones([8, 25, 4], device)))
        };
        let device = Device::flex().autodiff();
        device.seed(2);
        let words = dropout(0.3, &device);
        let hidden = words.chunks(4).filter(|w| w == &[0.0; 4]).count();
        let whole = words.chunks(4).filter(|w| w == &[1.0; 4]).count();
        assert_eq!(hidden + whole, 200);
        assert!((30..=90).contains(&hidden), "{hidden} of 200");
        assert!(dropout(0.3, &Device::flex()).iter().all(|&v| v == 1.0));
    }

    #[test]
    fn the_loss_is_the_sum_of_its_parts() {
        let device = Device::flex();
        let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
        let base = config(&tokenizer);
        let [text, cross] = views(&base, &tokenizer, &device);
        let targets = CrfTargets::new(&[vec![0, 3], vec![1]], LABELS, &device);
        let mut system = base.init(&device);
        // A fresh encoder hardly heeds its context: the views' disagreement would drown in rounding.
        let louder = |linear: &mut Linear| {
            linear.parameters.weight = Param::from_tensor(linear.parameters.weight.val() * 20.0);
        };
        for layer in &mut system.encoder.layers {
            louder(&mut layer.attention.value);
            louder(&mut layer.attention.output);
        }
        louder(&mut system.emit);
        let system = System::Ita(system);
        let loss = |batch: &Batch, alignment: Option<f64>| {
            let loss = match alignment {
                Some(alignment) => {
                    let views = CrossViewConfig {
                        alignment,
                        ..CrossViewConfig::default()
                    };
                    system.loss_of_views(batch, &targets, &views, None)
                }
                None => system.loss(batch, &targets, None),
            };
            loss.into_scalar::<f32>()
        };
        let both = cross.clone().with_text_view(text.clone());
        let likelihoods = loss(&text, None) + 0.5 * loss(&cross, None);
        assert!((loss(&both, Some(0.0)) - likelihoods).abs() < 1e-4);
        assert!(loss(&both, Some(1e3)) > loss(&both, Some(0.0)) + 1e-2);
        // Equal views agree.
        let equal = text.clone().with_text_view(text.clone());
        assert!((loss(&equal, Some(1.0)) - 1.5 * loss(&text, None)).abs() < 1e-4);
        assert_eq!(loss(&both, None), loss(&cross, None));
    }

    #[test]
    fn what_cannot_run_is_refused() {
        let good = config(&crate::tweet::tiny::tokenizer().unwrap());
        assert_eq!(good.check(), Ok(()));
        let changed = |change: &dyn Fn(&mut ItaConfig)| {
            let mut config = good.clone();
            change(&mut config);
            config.check()
        };
        assert!(changed(&|c| c.context.max_subwords = 65).is_err());
        assert!(changed(&|c| c.word_dropout = 1.0).is_err());
    }
}
