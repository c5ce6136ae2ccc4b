//! What explains an answer: how relevant the image was, and where each word looked.

use crate::systems::batch::Batch;
use crate::systems::hamlearning::fusion::FusedVisual;
use crate::systems::hamlearning::grains::Grain;
use crate::vision::features::GRID;
use burn::tensor::Tensor;

/// What explains the answers to a batch.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Relevance of the global, object, semantic and spatial grain, in `[0, 1]`; 0 for a grain
    /// that is absent or left out, `[R, 4]`.
    pub relevance: Tensor<2>,
    /// Share of each word's attention that fell on each cell of the grid, `[R, N, 49]`.
    pub cells: Tensor<3>,
    /// Share that fell on each object in any of its three grains, `[R, N, M]`. Cells and objects
    /// of a word add up to 1; all are 0 where the row has no image.
    pub objects: Tensor<3>,
    /// Of each word, by type, how likely the image shows what a name that begins there names, `[R, N, 4]`; none where the system
    /// is not asked, or cannot say.
    pub seen: Option<Tensor<3>>,
}

impl Explanation {
    /// Reads the evidence off the last turn's cross-attention.
    pub(super) fn new(batch: &Batch, visual: FusedVisual, seen: Option<Tensor<3>>) -> Self {
        let present = visual.present.unsqueeze_dim::<3>(1);
        let attended = batch.first_subwords(visual.attended * present);
        let [rows, words, _] = attended.dims();
        let device = attended.device();
        let mut relevance: Vec<Tensor<2>> = vec![Tensor::zeros([rows, 1], &device); 4];
        let mut cells = Tensor::zeros([rows, words, GRID], &device);
        let mut objects: Option<Tensor<3>> = None;
        let mut start = 0;
        for ((grain, count), score) in visual.grains.into_iter().zip(visual.relevance) {
            relevance[grain as usize] = score;
            let part = attended.clone().narrow(2, start, count);
            start += count;
            match grain {
                Grain::Global => cells = part,
                _ => {
                    objects = Some(match objects {
                        Some(sum) => sum + part,
                        None => part,
                    });
                }
            }
        }
        Self {
            relevance: Tensor::cat(relevance, 1),
            cells,
            objects: objects.unwrap_or_else(|| Tensor::zeros([rows, words, 1], &device)),
            seen,
        }
    }

    /// What belongs beside the emissions: each word's evidence, `[R, N, 49]`, `[R, N, M]` and, with `seen`, `[R, N, 4]`, and the
    /// relevance, `[R, 1, 4]`.
    pub fn parts(self) -> impl Iterator<Item = Tensor<3>> {
        let relevance = self.relevance.unsqueeze_dim::<3>(1);
        let parts = [Some(self.cells), Some(self.objects), self.seen];
        parts.into_iter().flatten().chain([relevance])
    }
}
