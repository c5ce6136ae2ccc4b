//! Bytes of an image file become a bounded image or an error in words.

use mner_core::image::decode::{Decoded, LONGEST_SIDE, Limits};

/// Small enough that no honest input takes long.
const LIMITS: Limits = Limits {
    file_bytes: 1 << 20,
    side: 65_535,
    pixels: 4_000_000,
    pixels_at_once: 500_000,
    allocation: 64 << 20,
};

/// Tries one input.
pub fn run(bytes: &[u8]) {
    match Decoded::within(bytes, &LIMITS) {
        Ok(Decoded { image, note }) => {
            assert!(
                (1..=LONGEST_SIDE).contains(&image.width)
                    && (1..=LONGEST_SIDE).contains(&image.height)
            );
            assert_eq!(
                image.rgb.len(),
                image.width as usize * image.height as usize * 3
            );
            let _ = note.map(|note| note.to_string());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
