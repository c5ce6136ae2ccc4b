//! How boxes lie to each other: a label per ordered pair, and a geometry feature per ordered
//! pair.
//!
//! The labels follow Yao et al., "Exploring Visual Relationship for Image Captioning" (ECCV
//! 2018), section 3.2; the features follow Hu et al., "Relation Networks for Object Detection"
//! (CVPR 2018), equation 5.

/// A box in pixels: x1, y1 (top left), x2, y2 (bottom right), y down.
pub type Box64 = [f64; 4];

/// Labels: none, inside, covers, overlaps, eight directions.
pub const LABELS: usize = 12;

/// No relation: far apart, or a box without area.
pub const NONE: u8 = 0;
/// The first box lies strictly inside the second.
pub const INSIDE: u8 = 1;
/// The second box lies strictly inside the first.
pub const COVERS: u8 = 2;
/// The boxes share at least half of their union.
pub const OVERLAPS: u8 = 3;
/// The first box's centre lies from the second's in `[0, 45)` degrees, clockwise on the screen
/// from the right; the seven labels after it are the seven sectors after that.
pub const SECTOR: u8 = 4;

/// Values of one pair's geometry feature.
pub const GEOMETRY: usize = 64;

/// Whether a box has an area; one without has no relation to any.
fn has_area([x1, y1, x2, y2]: Box64) -> bool {
    [x1, y1, x2, y2].iter().all(|x| x.is_finite()) && x2 > x1 && y2 > y1
}

/// The label of the ordered pair (i, j) in an image of `width` × `height` pixels: the first
/// rule that applies.
///
/// Only sums, products and comparisons of `f64` decide, so boxes of whole pixels are labelled
/// exactly, and the label of (j, i) follows from that of (i, j).
pub fn label(i: Box64, j: Box64, width: f64, height: f64) -> u8 {
    if !has_area(i) || !has_area(j) {
        return NONE;
    }
    if strictly_inside(i, j) {
        return INSIDE;
    }
    if strictly_inside(j, i) {
        return COVERS;
    }
    let area = |[x1, y1, x2, y2]: Box64| (x2 - x1) * (y2 - y1);
    let shared_width = (i[2].min(j[2]) - i[0].max(j[0])).max(0.0);
    let shared_height = (i[3].min(j[3]) - i[1].max(j[1])).max(0.0);
    let shared = shared_width * shared_height;
    if 2.0 * shared >= area(i) + area(j) - shared {
        return OVERLAPS;
    }
    // Twice the distance of the centres, against the whole diagonal instead of half of it.
    let dx = (i[0] + i[2]) - (j[0] + j[2]);
    let dy = (i[1] + i[3]) - (j[1] + j[3]);
    if dx * dx + dy * dy >= width * width + height * height || (dx == 0.0 && dy == 0.0) {
        return NONE;
    }
    SECTOR + sector(dx, dy)
}

fn strictly_inside(i: Box64, j: Box64) -> bool {
    i[0] > j[0] && i[1] > j[1] && i[2] < j[2] && i[3] < j[3]
}

/// k with the direction in `[45k, 45(k + 1))` degrees; not both 0.
fn sector(dx: f64, dy: f64) -> u8 {
    let flat = dx.abs() > dy.abs();
    let steep = dy.abs() > dx.abs();
    // The quarter that begins at 0, 90, 180 or 270 degrees, and whether its first half is meant.
    let (quarter, first_half) = if dx > 0.0 && dy >= 0.0 {
        (0, flat)
    } else if dx <= 0.0 && dy > 0.0 {
        (1, steep)
    } else if dx < 0.0 && dy <= 0.0 {
        (2, flat)
    } else {
        (3, steep)
    };
    2 * quarter + u8::from(!first_half)
}

/// The labels of all ordered pairs, row by row: `boxes.len()²` values. The diagonal is [`NONE`].
pub fn labels(boxes: &[Box64], width: f64, height: f64) -> Vec<u8> {
    let mut labels = Vec::with_capacity(boxes.len() * boxes.len());
    for (a, &i) in boxes.iter().enumerate() {
        for (b, &j) in boxes.iter().enumerate() {
            labels.push(match a == b {
                true => NONE,
                false => label(i, j, width, height),
            });
        }
    }
    labels
}

/// The geometry feature of the ordered pair (i, j): 32 sines, then the 32 cosines of the same
/// angles; angle `8 q + k` is quantity `q` × 100 / 1000^(k/8) for the quantities
/// log max(|dx| / w_i, 1e-3), log max(|dy| / h_i, 1e-3), log(w_i / w_j), log(h_i / h_j).
///
/// All zero where a box has no area.
pub fn geometry(i: Box64, j: Box64) -> [f32; GEOMETRY] {
    let mut feature = [0.0; GEOMETRY];
    if !has_area(i) || !has_area(j) {
        return feature;
    }
    let (wi, hi) = (i[2] - i[0], i[3] - i[1]);
    let (wj, hj) = (j[2] - j[0], j[3] - j[1]);
    let dx = ((i[0] + i[2]) - (j[0] + j[2])).abs() / 2.0;
    let dy = ((i[1] + i[3]) - (j[1] + j[3])).abs() / 2.0;
    let quantities = [
        (dx / wi).max(1e-3).ln(),
        (dy / hi).max(1e-3).ln(),
        (wi / wj).ln(),
        (hi / hj).ln(),
    ];
    for (q, quantity) in quantities.into_iter().enumerate() {
        for k in 0..8 {
            let angle = quantity * 100.0 / 1000f64.powf(k as f64 / 8.0);
            feature[8 * q + k] = angle.sin() as f32;
            feature[32 + 8 * q + k] = angle.cos() as f32;
        }
    }
    feature
}

/// The geometry features of all ordered pairs, row by row: `boxes.len()² * 64` values.
pub fn geometries(boxes: &[Box64]) -> Vec<f32> {
    boxes
        .iter()
        .flat_map(|&i| boxes.iter().flat_map(move |&j| geometry(i, j)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Boxes of whole pixels in 640×480, small numbers so that touching and equal edges occur;
    /// some without an area.
    fn a_box() -> impl Strategy<Value = Box64> {
        let coarse = (0..9i32, 0..7i32, 0..6i32, 0..6i32).prop_map(|(x, y, w, h)| {
            let [x, y, w, h] = [x, y, w, h].map(|v| f64::from(v) * 64.0);
            [x, y, x + w, y + h]
        });
        let fine = (0..600i32, 0..440i32, 0..300i32, 0..300i32).prop_map(|(x, y, w, h)| {
            let [x, y, w, h] = [x, y, w, h].map(f64::from);
            [x, y, x + w, y + h]
        });
        prop_oneof![coarse, fine]
    }

    fn opposite(label: u8) -> u8 {
        match label {
            NONE => NONE,
            INSIDE => COVERS,
            COVERS => INSIDE,
            OVERLAPS => OVERLAPS,
            k => SECTOR + (k - SECTOR + 4) % 8,
        }
    }

    proptest! {
        #[test]
        fn the_way_back_follows_from_the_way_there(i in a_box(), j in a_box()) {
            let there = label(i, j, 640.0, 480.0);
            prop_assert!(usize::from(there) < LABELS);
            prop_assert_eq!(label(j, i, 640.0, 480.0), opposite(there));
        }

        #[test]
        fn size_does_not_matter(i in a_box(), j in a_box(), factor in 1..50i32) {
            for factor in [f64::from(factor), f64::from(factor) / 64.0] {
                let (a, b) = (i.map(|x| x * factor), j.map(|x| x * factor));
                let scaled = label(a, b, 640.0 * factor, 480.0 * factor);
                prop_assert_eq!(scaled, label(i, j, 640.0, 480.0));
            }
        }

        #[test]
        fn sectors_are_those_of_the_angle(dx in -50..50i32, dy in -50..50i32) {
            let (dx, dy) = (f64::from(dx), f64::from(dy));
            // On the borders the angle is exact in multiples of 45 degrees only up to rounding.
            if (dx, dy) != (0.0, 0.0) {
                let eighths = dy.atan2(dx).to_degrees().rem_euclid(360.0) / 45.0;
                let near = eighths.round();
                let k = if (eighths - near).abs() < 1e-9 { near } else { eighths.floor() };
                prop_assert_eq!(f64::from(sector(dx, dy)), k % 8.0);
            }
        }

        #[test]
        fn the_diagonal_is_none_and_empty_boxes_have_no_edges(
            mut boxes in proptest::collection::vec(a_box(), 1..6),
            dent in prop_oneof![Just(f64::NAN), Just(0.0), Just(-5.0), Just(f64::INFINITY)],
        ) {
            let count = boxes.len();
            let broken = boxes[0];
            boxes.push([broken[0], broken[1], broken[0] + dent, broken[3]]);
            let labels = labels(&boxes, 640.0, 480.0);
            prop_assert_eq!(labels.len(), (count + 1) * (count + 1));
            for k in 0..=count {
                prop_assert_eq!(labels[k * (count + 1) + k], NONE);
                prop_assert_eq!(labels[k * (count + 1) + count], NONE);
                prop_assert_eq!(labels[count * (count + 1) + k], NONE);
            }
            let geometries = geometries(&boxes);
            prop_assert_eq!(geometries.len(), (count + 1) * (count + 1) * GEOMETRY);
            prop_assert!(geometries.iter().all(|x| x.is_finite()));
            prop_assert!(geometries[count * GEOMETRY..(count + 1) * GEOMETRY].iter().all(|&x| x == 0.0));
        }
    }

    #[test]
    fn each_rule_by_hand() {
        let big = [100.0, 100.0, 300.0, 300.0];
        let at = |x: f64, y: f64| [x - 5.0, y - 5.0, x + 5.0, y + 5.0];
        let in_640 = |i, j| label(i, j, 640.0, 480.0);
        assert_eq!(in_640([150.0, 150.0, 250.0, 250.0], big), INSIDE);
        assert_eq!(in_640(big, [150.0, 150.0, 250.0, 250.0]), COVERS);
        // A shared edge is not strictly inside: a half overlaps, a quarter lies to one side.
        assert_eq!(in_640([100.0, 100.0, 200.0, 300.0], big), OVERLAPS);
        assert_eq!(in_640([100.0, 100.0, 200.0, 200.0], big), SECTOR + 5);
        assert_eq!(in_640(big, big), OVERLAPS);
        // Half the diagonal is 400 pixels.
        assert_eq!(in_640(at(500.0, 100.0), at(100.0, 100.0)), NONE);
        assert_eq!(in_640(at(499.0, 100.0), at(100.0, 100.0)), SECTOR);
        // One centre, neither inside nor overlapping: a cross.
        let flat = [100.0, 195.0, 300.0, 205.0];
        let tall = [195.0, 100.0, 205.0, 300.0];
        assert_eq!(in_640(flat, tall), NONE);
        // Clockwise on the screen from the right.
        let around = [
            (20, 0),
            (20, 20),
            (0, 20),
            (-20, 20),
            (-20, 0),
            (-20, -20),
            (0, -20),
            (20, -20),
        ];
        for (k, (x, y)) in (0..).zip(around) {
            let moved = at(200.0 + f64::from(x), 200.0 + f64::from(y));
            assert_eq!(in_640(moved, at(200.0, 200.0)), SECTOR + k);
        }
    }

    #[test]
    fn geometry_by_hand() {
        // Same size, one width to the right, same height: log 1 = 0 and log 1e-3.
        let feature = geometry([10.0, 0.0, 20.0, 8.0], [0.0, 0.0, 10.0, 8.0]);
        assert_eq!(feature[..8], [0.0; 8]);
        assert_eq!(feature[32..40], [1.0; 8]);
        // Computed with Python: math.sin(math.log(1e-3) * 100), math.cos(... / 1000 ** (7 / 8)).
        assert!((f64::from(feature[8]) - SINE).abs() < 1e-6);
        assert!((f64::from(feature[47]) - COSINE).abs() < 1e-6);
        // A box against itself: no offset is a thousandth, equal sides are 0.
        let own = geometry([3.0, 4.0, 9.0, 9.0], [3.0, 4.0, 9.0, 9.0]);
        assert_eq!(own[..8], own[8..16]);
        assert_eq!(own[16..32], [0.0; 16]);
    }

    const SINE: f64 = 0.36613843126363665;
    const COSINE: f64 = -0.06723982582967059;
}
