//! How far batches are padded.

/// What a batch is padded to at least. Padding changes no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeastSizes {
    /// `P`
    pub subwords: usize,
    /// `N`
    pub words: usize,
    /// `M`
    pub objects: usize,
    /// `K`, subwords of the images' tags.
    pub tag_subwords: usize,
}
