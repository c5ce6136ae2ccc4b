//! HamLearning in a CPU's own memory, a tweet at a time: the arithmetic of [`super::fusion`] and what follows it, without padding.
//!
//! What of an image does not change with the tweet is made once, by [`Grains`] on the device.

mod co_attention;
mod relevance;
mod seen;

use crate::label::{EntityType, LABELS};
use crate::nn::encoder::Encoder;
use crate::nn::host::{HostLayer, HostLinear, rows_at, side_by_side};
use crate::nn::linear::Linear;
use crate::nn::values::values;
use crate::systems::batch::{Batch, HostRow, ImageRowsOfBatch};
use crate::systems::hamlearning::explanation::Explanation;
use crate::systems::hamlearning::grains::{Grain, Grains};
use crate::systems::hamlearning::interaction::Iteration;
use crate::systems::hamlearning::{HamLearning, HamLearningConfig, HamLearningOutput};
use crate::systems::image_batch::{EncodedImage, ImageBatch};
use crate::systems::image_rows::{ImageRows, KINDS, number};
use crate::systems::makes_rows::MakesRows;
use crate::systems::padding::LeastSizes;
use crate::vision::features::GRID;
use burn::tensor::{Device, Tensor, TensorData};
use co_attention::HostCoAttention;
use relevance::HostRelevance;
use seen::HostSeen;
use std::sync::Arc;

/// HamLearning beyond its text encoder.
#[derive(Debug)]
pub struct HostHamLearning {
    /// Tells it from others, whose rows of an image are not its own.
    number: u64,
    narrow: Option<HostLinear>,
    /// What makes an image's rows.
    grains: Grains,
    /// Looks up the subwords of an image's tags.
    encoder: Encoder,
    objects: usize,
    /// A row of each grain, `[4, W]`.
    kinds: Vec<f32>,
    /// `W_k` of the relevance.
    key: Option<Linear>,
    relevance: Option<HostRelevance>,
    iterations: Vec<HostIteration>,
    turns: usize,
    co_attention: Option<HostCoAttention>,
    emit: HostLinear,
    seen: Option<HostSeen>,
    width: usize,
    d: usize,
}

#[derive(Debug)]
struct HostIteration {
    text_cross: HostLayer,
    text_self: HostLayer,
    visual_cross: HostLayer,
    visual_self: HostLayer,
}

impl HostIteration {
    fn new(iteration: &Iteration, epsilon: f64) -> Option<Self> {
        Some(Self {
            text_cross: iteration.text_cross.to_host(epsilon)?,
            text_self: iteration.text_self.to_host(epsilon)?,
            visual_cross: iteration.visual_cross.to_host(epsilon)?,
            visual_self: iteration.visual_self.to_host(epsilon)?,
        })
    }
}

/// What is said of the words of one row.
struct Told {
    /// `[N, 9]`
    emissions: Vec<f32>,
    /// What an image adds to that.
    image: Option<ToldOfImage>,
}

struct ToldOfImage {
    /// Of each grain; 0 where it is absent.
    relevance: [f32; KINDS],
    /// Where the words looked, `[N, V]`; nothing where it has no rows.
    attended: Vec<f32>,
    /// By type, `[N, 4]`.
    seen: Option<Vec<f32>>,
}

impl MakesRows for HostHamLearning {
    fn rows(&self, image: &EncodedImage, device: &Device) -> Arc<ImageRows> {
        image.rows.of(self.number, || self.make_rows(image, device))
    }
}

impl HostHamLearning {
    /// The same as `system`; none where its encoder, or a transformer layer beyond it, does not compute on the host.
    pub fn new(system: &HamLearning, config: &HamLearningConfig) -> Option<Self> {
        if !system.encoder.is_on_host() {
            return None;
        }
        let (fusion, epsilon) = (&system.fusion, config.encoder.epsilon);
        let relevance = fusion.relevance.as_ref();
        let iterations = fusion.iterations.iter();
        Some(Self {
            number: number(),
            narrow: fusion.narrow.as_ref().map(Linear::to_host),
            grains: fusion.grains.clone(),
            encoder: system.encoder.clone(),
            objects: fusion.objects,
            kinds: values(fusion.grain.weight.val()),
            key: relevance.map(|relevance| relevance.key.clone()),
            relevance: relevance.map(HostRelevance::new),
            iterations: iterations
                .map(|iteration| HostIteration::new(iteration, epsilon))
                .collect::<Option<_>>()?,
            turns: fusion.turns,
            co_attention: fusion.co_attention.as_ref().map(HostCoAttention::new),
            emit: system.emit.to_host(),
            seen: relevance.and_then(HostSeen::new),
            width: config.width,
            d: config.encoder.d,
        })
    }

    fn make_rows(&self, image: &EncodedImage, device: &Device) -> ImageRows {
        let batch = ImageBatch::new(&[Some(image)], LeastSizes::default(), device);
        let batch = batch.expect("there is an image").best(self.objects);
        let objects = image.features.objects.len().min(self.objects);
        let mut rows = ImageRows {
            embedding: image.features.embedding.clone(),
            ..ImageRows::default()
        };
        for grain in self.grains.forward(&batch, &self.encoder) {
            let count = match grain.grain {
                Grain::Global => GRID,
                _ => objects,
            };
            if count > 0 {
                // Without an object a row stood for padding.
                let there = grain.rows.narrow(1, 0, count);
                if let Some(key) = &self.key {
                    rows.keys.extend(values(key.forward(there.clone())));
                }
                rows.push(grain.grain as usize, &values(there), self.width);
            }
        }
        rows
    }

    /// What [`HamLearning::explain`] says of a batch, from the encoder's states, `[R, P, D]`.
    pub fn explain(&self, batch: &Batch, states: Tensor<3>) -> HamLearningOutput {
        let device = states.device();
        let states = values(states);
        let rows = batch.by_rows(&states);
        let words: Vec<Vec<f32>> = rows
            .iter()
            .map(|row| rows_at(row.states, &row.first, self.d))
            .collect();
        let told: Vec<Told> = rows
            .iter()
            .zip(&words)
            .map(|(row, words)| self.tell(row, words))
            .collect();
        let [count, n] = [rows.len(), rows[0].first.len()];
        let emissions: Vec<f32> = told
            .iter()
            .flat_map(|told| &told.emissions)
            .copied()
            .collect();
        let images = batch.image_rows();
        HamLearningOutput {
            emissions: Tensor::from_data(TensorData::new(emissions, [count, n, LABELS]), &device),
            words: Tensor::from_data(TensorData::new(words.concat(), [count, n, self.d]), &device),
            explanation: images.map(|images| explanation(&told, images, n, &device)),
        }
    }

    /// Of one tweet, the states of whose words are `words`, `[N, D]`.
    fn tell(&self, row: &HostRow<'_>, words: &[f32]) -> Told {
        let HostRow {
            states,
            first,
            image,
        } = row;
        let text = match &self.narrow {
            Some(narrow) => narrow.forward(states),
            None => states.to_vec(),
        };
        let mut told = image.map(|image| ToldOfImage {
            relevance: [0.0; KINDS],
            attended: Vec::new(),
            seen: self.seen(words, image),
        });
        let (text, refined) = match (image, &mut told) {
            (Some(image), Some(told)) if !image.values.is_empty() => {
                self.beside_image(text, row, words, image, told)
            }
            _ => {
                let turns = self.turns();
                let text = turns.fold(text, |text, turn| {
                    turn.text_self
                        .forward_self(&turn.text_cross.forward_alone(text))
                });
                (text, None)
            }
        };
        // `[T_L ; H]` at the words.
        let text = rows_at(&text, first, self.width);
        let refined = refined.as_deref().unwrap_or(words);
        let joined = side_by_side(&text, refined, [self.width, self.d]);
        Told {
            emissions: self.emit.forward(&joined),
            image: told,
        }
    }

    /// See [`HostSeen::forward`]; none where it is not asked, or the image not known in the space of sentences.
    fn seen(&self, words: &[f32], image: &ImageRows) -> Option<Vec<f32>> {
        let seen = self.seen.as_ref().filter(|_| !image.embedding.is_empty());
        Some(seen?.forward(words, &image.embedding))
    }

    /// `T_L`, `[P, W]`, and `H` at the words, `[N, D]`, where there is co-attention, beside an image that has rows, of which more is
    /// `told` then.
    // By itself: a browser takes 10 MB to compile all that it would be a part of.
    #[inline(never)]
    fn beside_image(
        &self,
        mut text: Vec<f32>,
        row: &HostRow<'_>,
        words: &[f32],
        image: &ImageRows,
        told: &mut ToldOfImage,
    ) -> (Vec<f32>, Option<Vec<f32>>) {
        let first = &row.first;
        let relevance = match &self.relevance {
            Some(relevance) => relevance.of_grains(&text[..self.width], row.states, image),
            None => image.kinds.clone().map(|rows| f32::from(!rows.is_empty())),
        };
        let mut rho = vec![0.0; image.values.len() / self.width];
        let mut rows = image.values.clone();
        for (kind, own) in image.kinds.iter().enumerate() {
            rho[own.clone()].fill(relevance[kind]);
            let of_kind = &self.kinds[kind * self.width..][..self.width];
            for row in
                rows[own.start * self.width..own.end * self.width].chunks_exact_mut(self.width)
            {
                for (x, of_kind) in row.iter_mut().zip(of_kind) {
                    *x = (*x + of_kind) * relevance[kind];
                }
            }
        }
        let mut attended = Vec::new();
        for (turn, iteration) in self.turns().enumerate() {
            let (crossed, weights) = iteration.text_cross.forward_cross(&text, &rows);
            // Only another turn or the co-attention reads the image once more.
            if turn + 1 < self.turns || self.co_attention.is_some() {
                let (crossed, _) = iteration.visual_cross.forward_cross(&rows, &text);
                rows = iteration.visual_self.forward_self(&crossed);
                for (row, rho) in rows.chunks_exact_mut(self.width).zip(&rho) {
                    row.iter_mut().for_each(|x| *x *= rho);
                }
            }
            (text, attended) = (iteration.text_self.forward_self(&crossed), weights);
        }
        let co_attention = self.co_attention.as_ref();
        let refined = co_attention.map(|co| co.forward(words, &text, first, &rows));
        told.relevance = relevance;
        told.attended = rows_at(&attended, first, rho.len());
        (text, refined)
    }

    fn turns(&self) -> impl Iterator<Item = &HostIteration> {
        self.iterations.iter().cycle().take(self.turns)
    }
}

/// What explains the answers to the rows of a batch, of `n` words each.
fn explanation(told: &[Told], images: &ImageRowsOfBatch, n: usize, device: &Device) -> Explanation {
    let objects = |image: &ImageRows| {
        let counts = image.kinds[1..].iter().map(ExactSizeIterator::len);
        counts.max().unwrap_or(0)
    };
    let most = images.iter().flatten().map(|image| objects(image)).max();
    let most = most.unwrap_or(0).max(1);
    let mut relevance = vec![0.0; told.len() * KINDS];
    let mut cells = vec![0.0; told.len() * n * GRID];
    let mut on_objects = vec![0.0; told.len() * n * most];
    let types = EntityType::ALL.len();
    let asked = told
        .iter()
        .flat_map(|told| &told.image)
        .any(|told| told.seen.is_some());
    let mut seen = vec![0.0; if asked { told.len() * n * types } else { 0 }];
    let rows = told.iter().zip(images).enumerate();
    for (row, (told, image)) in rows {
        let (Some(told), Some(image)) = (&told.image, image) else {
            continue;
        };
        relevance[row * KINDS..][..KINDS].copy_from_slice(&told.relevance);
        if let Some(own) = &told.seen {
            seen[row * n * types..][..own.len()].copy_from_slice(own);
        }
        let rows = image.kinds.iter().map(|rows| rows.end).max();
        let rows = rows.unwrap_or(0).max(1);
        for (word, attended) in told.attended.chunks_exact(rows).enumerate() {
            let at = row * n + word;
            let [global, others @ ..] = &image.kinds;
            cells[at * GRID..][..global.len()].copy_from_slice(&attended[global.clone()]);
            for own in others {
                for (sum, x) in on_objects[at * most..]
                    .iter_mut()
                    .zip(&attended[own.clone()])
                {
                    *sum += x;
                }
            }
        }
    }
    let of_words = |values: Vec<f32>, width: usize| {
        Tensor::from_data(TensorData::new(values, [told.len(), n, width]), device)
    };
    Explanation {
        relevance: Tensor::from_data(TensorData::new(relevance, [told.len(), KINDS]), device),
        cells: of_words(cells, GRID),
        objects: of_words(on_objects, most),
        seen: asked.then(|| of_words(seen, types)),
    }
}
