//! Maps of channels, cell by cell.

use crate::nn::host::matrix::transposed;

/// A map of one image: the channels of a cell lie beside each other.
#[derive(Clone, Debug, PartialEq)]
pub struct HostMap {
    /// Height and width.
    pub sides: [usize; 2],
    /// Channels of a cell.
    pub channels: usize,
    /// Row by row, cell by cell, `[H, W, C]`.
    pub values: Vec<f32>,
}

impl HostMap {
    /// Of values plane by plane, `[C, H, W]`.
    ///
    /// # Panics
    /// If the number of values does not fit.
    pub fn from_planes(planes: &[f32], [channels, height, width]: [usize; 3]) -> Self {
        Self {
            sides: [height, width],
            channels,
            values: transposed(planes, [channels, height * width]),
        }
    }

    /// The values plane by plane, `[C, H, W]`.
    pub fn planes(&self) -> Vec<f32> {
        transposed(&self.values, [self.cells(), self.channels])
    }

    /// How many cells.
    pub fn cells(&self) -> usize {
        self.sides[0] * self.sides[1]
    }

    /// The sum with a map of the same size.
    ///
    /// # Panics
    /// If its size is another.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        assert_eq!((self.sides, self.channels), (other.sides, other.channels));
        for (sum, x) in self.values.iter_mut().zip(&other.values) {
            *sum += x;
        }
        self
    }

    /// Maps of the same sides as one, the channels of a cell beside each other.
    ///
    /// # Panics
    /// If there are none, or the sides differ.
    pub fn beside(maps: &[Self]) -> Self {
        let (sides, channels) = (maps[0].sides, maps.iter().map(|map| map.channels).sum());
        assert!(maps.iter().all(|map| map.sides == sides));
        let mut values = Vec::with_capacity(maps[0].cells() * channels);
        for cell in 0..maps[0].cells() {
            for map in maps {
                values.extend_from_slice(map.cell(cell));
            }
        }
        Self {
            sides,
            channels,
            values,
        }
    }

    /// Twice the sides, each cell four times.
    #[must_use]
    pub fn doubled(&self) -> Self {
        let [height, width] = self.sides;
        let mut values = Vec::with_capacity(4 * self.values.len());
        for y in 0..2 * height {
            for x in 0..2 * width {
                values.extend_from_slice(self.cell(y / 2 * width + x / 2));
            }
        }
        Self {
            sides: [2 * height, 2 * width],
            channels: self.channels,
            values,
        }
    }

    /// Half the sides, of every square of four cells the channels beside each other: both rows of the left column, then of the right.
    #[must_use]
    pub fn focused(&self) -> Self {
        let [height, width] = self.sides.map(|side| side / 2);
        let mut values = Vec::with_capacity(self.values.len());
        for y in 0..height {
            for x in 0..width {
                for (right, below) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let cell = (2 * y + below) * self.sides[1] + 2 * x + right;
                    values.extend_from_slice(self.cell(cell));
                }
            }
        }
        Self {
            sides: [height, width],
            channels: 4 * self.channels,
            values,
        }
    }

    /// Of every cell the largest values in a square of `side` cells around it, those that are there; `side` is odd.
    #[must_use]
    pub fn largest(&self, side: usize) -> Self {
        let [height, width] = self.sides;
        let around =
            |at: usize, length| at.saturating_sub(side / 2)..(at + side / 2 + 1).min(length);
        let mut values = vec![f32::NEG_INFINITY; self.values.len()];
        for (at, largest) in values.chunks_exact_mut(self.channels).enumerate() {
            for y in around(at / width, height) {
                for x in around(at % width, width) {
                    for (most, &value) in largest.iter_mut().zip(self.cell(y * width + x)) {
                        *most = if value > *most { value } else { *most };
                    }
                }
            }
        }
        Self { values, ..*self }
    }

    /// The channels of a cell.
    fn cell(&self, at: usize) -> &[f32] {
        &self.values[at * self.channels..][..self.channels]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(sides: [usize; 2], channels: usize) -> HostMap {
        let cells = sides[0] * sides[1] * channels;
        HostMap {
            sides,
            channels,
            values: (0..cells).map(|i| (i * 7 % 11) as f32).collect(),
        }
    }

    #[test]
    fn planes_come_back() {
        let planes = [
            1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0,
        ];
        let map = HostMap::from_planes(&planes, [2, 2, 3]);
        assert_eq!(map.cell(1), [2.0, 8.0]);
        assert_eq!(map.planes(), planes);
    }

    #[test]
    fn cells_go_where_they_belong() {
        let [a, b] = [map([2, 2], 1), map([2, 2], 2)];
        let both = HostMap::beside(&[a.clone(), b.clone()]);
        assert_eq!(both.channels, 3);
        assert_eq!(both.cell(3), [a.cell(3), b.cell(3)].concat());
        let doubled = b.doubled();
        assert_eq!(doubled.sides, [4, 4]);
        assert_eq!((doubled.cell(6), doubled.cell(15)), (b.cell(1), b.cell(3)));
        // Row even column even, row odd column even, row even column odd, row odd column odd.
        let x = HostMap::from_planes(&[1.0, 2.0, 3.0, 4.0], [1, 2, 2]);
        assert_eq!(x.focused().values, [1.0, 3.0, 2.0, 4.0]);
        assert_eq!(a.clone().plus(&a).values, [0.0, 14.0, 6.0, 20.0]);
    }

    #[test]
    fn the_largest_is_that_of_all_around() {
        let x = map([6, 7], 2);
        let largest = x.largest(5);
        for (at, found) in largest.values.iter().enumerate() {
            let (cell, channel) = (at / 2, at % 2);
            let near = |a: usize, b: usize| a.abs_diff(b) <= 2;
            let all = (0..42).filter(|&c| near(c / 7, cell / 7) && near(c % 7, cell % 7));
            let most = all.map(|c| x.cell(c)[channel]).fold(f32::MIN, f32::max);
            assert_eq!(*found, most);
        }
    }
}
