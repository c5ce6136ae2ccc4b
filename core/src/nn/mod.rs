//! Network blocks: each a `Config` with `init(&device)` and a `Module` with `forward`.

pub mod conv_block;
#[cfg(test)]
pub(crate) mod formula;
pub mod mobilenet;
pub mod resnet;
pub mod roi_align;
pub mod torch_file;
pub mod yolox;
