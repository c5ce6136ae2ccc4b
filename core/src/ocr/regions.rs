//! From the detector's map to boxes of lines: connected cells are the core of a line, which is let grow by as much as the cores
//! that the detector learnt were shrunk ([`core_of`]).

use serde::{Deserialize, Serialize};

/// Left, top, right and bottom.
pub type Bounds = [f32; 4];

/// Of a line's height, how much its core lies within each of its edges.
const SHRINK: f32 = 0.25;

/// Which cells make a line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionConfig {
    /// Least probability of a cell of a core.
    pub least_cell: f32,
    /// Least mean probability of a core.
    pub least_mean: f32,
    /// Most lines of an image, the surest first.
    pub most: usize,
}

impl Default for RegionConfig {
    fn default() -> Self {
        Self {
            least_cell: 0.3,
            least_mean: 0.5,
            most: 60,
        }
    }
}

/// Where a line of text is.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Its box.
    pub bounds: Bounds,
    /// Mean probability of its core, `[0, 1]`.
    pub probability: f32,
}

impl Region {
    /// With all lengths multiplied.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.bounds = self.bounds.map(|at| (f64::from(at) * factor) as f32);
        self
    }

    /// What of it lies within an image; nothing if that is less than two pixels wide or high.
    #[must_use]
    pub fn within(mut self, width: u32, height: u32) -> Option<Self> {
        let [left, top, right, bottom] = self.bounds;
        let (width, height) = (width as f32, height as f32);
        self.bounds = [
            left.max(0.0),
            top.max(0.0),
            right.min(width),
            bottom.min(height),
        ];
        let [left, top, right, bottom] = self.bounds;
        (right - left >= 2.0 && bottom - top >= 2.0).then_some(self)
    }
}

/// The core of a line's box, by which the detector tells neighbouring lines apart.
pub fn core_of([left, top, right, bottom]: Bounds) -> Bounds {
    let inset = SHRINK * (bottom - top);
    // Of a line that is hardly wider than high, a core is left too.
    let across = inset.min(0.4 * (right - left));
    [left + across, top + inset, right - across, bottom - inset]
}

/// Lines in a map of probabilities, their boxes in pixels of the detector's input.
///
/// # Shapes
/// - `map`: `[height, width]`
pub fn regions(map: &[f32], [height, width]: [usize; 2], config: &RegionConfig) -> Vec<Region> {
    let mut seen = vec![false; map.len()];
    let mut found = Vec::new();
    for start in 0..map.len() {
        if seen[start] || map[start] < config.least_cell {
            continue;
        }
        let cells = connected(map, [height, width], start, config.least_cell, &mut seen);
        let mean = cells.iter().map(|&at| map[at]).sum::<f32>() / cells.len() as f32;
        if mean >= config.least_mean {
            found.push(Region {
                bounds: grown(map, [height, width], &cells),
                probability: mean,
            });
        }
    }
    found.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    found.truncate(config.most);
    found
}

/// The cells that are reached from one over cells of at least `least`, side by side or above each other.
fn connected(
    map: &[f32],
    [height, width]: [usize; 2],
    start: usize,
    least: f32,
    seen: &mut [bool],
) -> Vec<usize> {
    let mut cells = vec![start];
    seen[start] = true;
    let mut next = 0;
    while let Some(&at) = cells.get(next) {
        next += 1;
        let (row, column) = (at / width, at % width);
        let neighbours = [
            (column > 0).then(|| at - 1),
            (column + 1 < width).then_some(at + 1),
            (row > 0).then(|| at - width),
            (row + 1 < height).then_some(at + width),
        ];
        for neighbour in neighbours.into_iter().flatten() {
            if !seen[neighbour] && map[neighbour] >= least {
                seen[neighbour] = true;
                cells.push(neighbour);
            }
        }
    }
    cells
}

/// The box of the line whose core is `cells`. How much of a cell at an edge belongs to the core is what its probability says.
fn grown(map: &[f32], [height, width]: [usize; 2], cells: &[usize]) -> Bounds {
    use crate::nn::text_detector::STRIDE;
    let rows = cells.iter().map(|at| at / width);
    let columns = cells.iter().map(|at| at % width);
    let (top, bottom) = (rows.clone().min().unwrap_or(0), rows.max().unwrap_or(0));
    let (left, right) = (
        columns.clone().min().unwrap_or(0),
        columns.max().unwrap_or(0),
    );
    // Half a cell of doubt on each side is looked at too.
    let around = top.saturating_sub(1)..(bottom + 2).min(height);
    let mean = |row: usize| {
        let cells = &map[row * width + left..=row * width + right];
        cells.iter().sum::<f32>() / cells.len() as f32
    };
    let weights: Vec<f32> = around.clone().map(mean).collect();
    let tall = weights.iter().sum::<f32>().max(0.5);
    let middles = around
        .zip(&weights)
        .map(|(row, weight)| (row as f32 + 0.5) * weight);
    let middle = middles.sum::<f32>() / weights.iter().sum::<f32>().max(f32::EPSILON);
    let inset = tall * SHRINK / (1.0 - 2.0 * SHRINK);
    let cells = [
        left as f32 - inset,
        middle - tall / 2.0 - inset,
        (right + 1) as f32 + inset,
        middle + tall / 2.0 + inset,
    ];
    cells.map(|at| at * STRIDE as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::text_detector::STRIDE;

    /// A map in which each cell says how much of it lies in the cores of the boxes.
    fn map(boxes: &[Bounds], [height, width]: [usize; 2]) -> Vec<f32> {
        let mut map = vec![0.0; height * width];
        for core in boxes.iter().map(|&bounds| core_of(bounds)) {
            for (at, value) in map.iter_mut().enumerate() {
                *value = f32::max(*value, share(core, at / width, at % width));
            }
        }
        map
    }

    fn share(core: Bounds, row: usize, column: usize) -> f32 {
        let side = STRIDE as f32;
        let overlap = |from: f32, to: f32, cell: usize| {
            let start = cell as f32 * side;
            (to.min(start + side) - from.max(start)).clamp(0.0, side) / side
        };
        overlap(core[0], core[2], column) * overlap(core[1], core[3], row)
    }

    #[test]
    fn boxes_come_back_from_their_cores() {
        let boxes = [
            [20.0, 10.0, 180.0, 30.0],
            [22.0, 34.0, 120.0, 50.0],
            [150.0, 60.0, 230.0, 120.0],
        ];
        let size = [40, 64];
        let found = regions(&map(&boxes, size), size, &RegionConfig::default());
        assert_eq!(found.len(), boxes.len());
        for expected in boxes {
            let near = |region: &&Region| {
                let mut edges = region.bounds.iter().zip(&expected);
                edges.all(|(a, b)| (a - b).abs() <= 4.0)
            };
            assert!(
                found.iter().any(|region| near(&region)),
                "{expected:?} in {found:?}"
            );
        }
    }

    #[test]
    fn faint_cells_make_no_line_and_only_the_surest_stay() {
        let size = [8, 16];
        let faint = vec![0.29; 8 * 16];
        assert!(regions(&faint, size, &RegionConfig::default()).is_empty());
        let mut two = vec![0.0; 8 * 16];
        two[2 * 16 + 1..2 * 16 + 6].fill(0.6);
        two[5 * 16 + 1..5 * 16 + 6].fill(0.9);
        let config = RegionConfig {
            most: 1,
            ..RegionConfig::default()
        };
        let found = regions(&two, size, &config);
        assert_eq!(found.len(), 1);
        assert!((found[0].probability - 0.9).abs() < 1e-6);
    }

    #[test]
    fn what_lies_beyond_an_image_is_cut_off() {
        let region = |bounds| Region {
            bounds,
            probability: 1.0,
        };
        let cut = region([-5.0, 2.0, 50.0, 30.0]).within(40, 20).unwrap();
        assert_eq!(cut.bounds, [0.0, 2.0, 40.0, 20.0]);
        assert_eq!(region([39.0, 0.0, 60.0, 9.0]).within(40, 20), None);
        assert_eq!(
            region([1.0, 2.0, 3.0, 4.0]).scaled(2.0).bounds,
            [2.0, 4.0, 6.0, 8.0]
        );
    }
}
