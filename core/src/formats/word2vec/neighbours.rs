//! The augmentation table made of word vectors: of each word its nearest neighbours.

use crate::formats::word2vec::{Word2vecError, WordVectors};
use crate::notice;
use crate::tweet::augmentation::Augmentation;
use burn::tensor::{Device, Tensor, TensorData};
use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

/// Similar words that make up a word's augmentation vector.
pub(super) const NEIGHBOURS: usize = 4;

/// Words whose neighbours are looked for at once.
const CHUNK: usize = 256;

/// Time between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(5);

impl WordVectors {
    /// The augmentation table of all words: of each the 4 most similar other words by cosine, the
    /// first of equals, weighted by the softmax of their cosines. Computed on `device`.
    ///
    /// # Errors
    /// [`Word2vecError::Few`].
    pub fn augmentation(&self, device: &Device) -> Result<Augmentation, Word2vecError> {
        let (count, size) = (self.words.len(), self.size);
        if count <= NEIGHBOURS {
            return Err(Word2vecError::Few(count));
        }
        let row = |i: usize| &self.values[i * size..(i + 1) * size];
        let units: Vec<f32> = (0..count)
            .flat_map(|i| {
                let square: f64 = row(i).iter().map(|&v| f64::from(v).powi(2)).sum();
                let length = square.sqrt().max(1e-12);
                row(i).iter().map(move |&v| (f64::from(v) / length) as f32)
            })
            .collect();
        let units: Tensor<2> = Tensor::from_data(TensorData::new(units, [count, size]), device);
        let columns = units.clone().transpose();
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let augmented = |cosines: &[f32], itself: usize| -> Vec<f32> {
            let best = most_similar(cosines, itself);
            let weights: Vec<f64> = best.iter().map(|b| f64::from(b.0).exp()).collect();
            let sum: f64 = weights.iter().sum();
            let mut vector = vec![0f64; size];
            for ((_, neighbour), weight) in best.iter().zip(weights) {
                for (out, &value) in vector.iter_mut().zip(row(*neighbour)) {
                    *out += weight / sum * f64::from(value);
                }
            }
            vector.into_iter().map(|v| v as f32).collect()
        };
        let mut vectors: Vec<Vec<f32>> = Vec::with_capacity(count);
        let (started, mut last) = (Instant::now(), Instant::now());
        for start in (0..count).step_by(CHUNK) {
            let rows = CHUNK.min(count - start);
            let cosines = units.clone().narrow(0, start, rows).matmul(columns.clone());
            let cosines: Vec<f32> = cosines.into_data().iter().collect();
            let share = rows.div_ceil(threads);
            let augmented = &augmented;
            thread::scope(|scope| {
                let parts: Vec<_> = cosines
                    .chunks(share * count)
                    .enumerate()
                    .map(|(part, cosines)| {
                        let first = start + part * share;
                        scope.spawn(move || -> Vec<Vec<f32>> {
                            let rows = cosines.chunks_exact(count).enumerate();
                            rows.map(|(i, cosines)| augmented(cosines, first + i))
                                .collect()
                        })
                    })
                    .collect();
                for part in parts {
                    vectors.extend(
                        part.join()
                            .expect("the search for neighbours does not panic"),
                    );
                }
            });
            if last.elapsed() >= INTERVAL {
                last = Instant::now();
                let pace = vectors.len() as f64 / started.elapsed().as_secs_f64();
                notice!(
                    "similar words {}/{count}  {pace:.0} a second",
                    vectors.len()
                );
            }
        }
        let words = self.words.iter().map(String::as_str);
        Ok(Augmentation::new(size, words.zip(vectors)))
    }
}

/// The largest cosines and their places, the word itself left out.
pub(super) fn most_similar(cosines: &[f32], itself: usize) -> [(f32, usize); NEIGHBOURS] {
    let mut best = [(f32::NEG_INFINITY, 0); NEIGHBOURS];
    for (i, &cosine) in cosines.iter().enumerate() {
        if cosine > best[NEIGHBOURS - 1].0 && i != itself {
            let place = best.iter().take_while(|b| b.0 >= cosine).count();
            best[place..].rotate_right(1);
            best[place] = (cosine, i);
        }
    }
    best
}
