//! Whether a WebP file is whole: its decoder makes up what is missing.

/// Zeros at the end of an image's data that no encoder writes: lossy data are as good as random, lossless ones may end in a flat
/// part of the image.
const ZEROS: usize = 256;
const LOSSLESS_SHARE: usize = 16;

/// Whether there are the bytes that the header promises, but for a last padding byte, and no zeros in the place of an image's last
/// ones, as a file has them whose fetching stopped half-way.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let size = |at: usize| {
        let size = bytes.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*size) as usize)
    };
    match size(4) {
        Some(size) if bytes.len() as u64 + 1 >= size as u64 + 8 => {}
        _ => return false,
    }
    let mut at = 12;
    while let (Some(name), Some(size)) = (bytes.get(at..at + 4), size(at + 4)) {
        let end = (at + 8).saturating_add(size).min(bytes.len());
        let data = &bytes[at + 8..end];
        let zeros = data.iter().rev().take_while(|&&byte| byte == 0).count();
        let cut = match name {
            [0, 0, 0, 0] => true,
            b"VP8 " | b"ANMF" => zeros >= ZEROS,
            b"VP8L" => zeros >= ZEROS && zeros >= data.len() / LOSSLESS_SHARE,
            _ => false,
        };
        if cut {
            return false;
        }
        at = end + size % 2;
    }
    true
}
