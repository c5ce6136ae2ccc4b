//! Image bytes become a bounded, upright picture, and the picture becomes network input.
