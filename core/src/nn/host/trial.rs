//! Whether a foreign loop computes what it should, and how fast: asked before it is used.

use crate::nn::host::activations::Activations;
use crate::nn::host::lanes::{Foreign, Lanes, Layout, Precision};
use crate::nn::host::linear::BlockLinear;
use crate::nn::host::panel::STEP;
use crate::nn::host::{bytes, quads};
use crate::splitmix::SplitMix64;

/// Whether `foreign`, a loop for inputs of this precision, has the bits that plain Rust has, at its first call already: V8 11.8
/// first compiles the relaxed dot product that adds so that it forgets what it should add to.
///
/// # Safety
/// It must touch nothing but the outputs of the jobs that it is given.
pub unsafe fn is_right(precision: Precision, foreign: Foreign) -> bool {
    [(8, 5), (16, 2), (32, 3)].into_iter().all(|(block, rows)| {
        let layout = fast(precision, block);
        let (layer, x) = case(layout, [3 * block, 24], rows);
        // SAFETY: the caller's, and `forward_by` gives whole jobs.
        let got = layer.forward_by(&x, |job| unsafe { foreign(job) });
        let right = layer.forward_by(&x, |job| unsafe {
            match precision {
                Precision::Coarse => job.coarse(bytes::plain),
                Precision::Fine => job.fine(quads::plain),
            }
        });
        got.iter()
            .map(|y| y.to_bits())
            .eq(right.iter().map(|y| y.to_bits()))
    })
}

/// The time that `quads`, a foreign loop for fine inputs, takes for a layer of MiniLM-L6 and 16 subwords over that of the loop `pairs`, by
/// a clock in milliseconds; some 20 ms. The least of several each, by turns, so that what a browser compiles better meanwhile counts.
///
/// # Safety
/// As for [`is_right`].
pub unsafe fn ratio(quads: Foreign, pairs: Foreign, clock: impl Fn() -> f64) -> f64 {
    // SAFETY: the caller's.
    unsafe { ratio_for([384, 384, 32], 16, [quads, pairs], clock) }
}

/// How things are laid out for a foreign loop.
fn fast(precision: Precision, block: usize) -> Layout {
    let lanes = match precision {
        Precision::Fine => Lanes::Quads,
        Precision::Coarse => Lanes::Bytes,
    };
    Layout::of(precision, lanes, block)
}

unsafe fn ratio_for(
    [inputs, outputs, block]: [usize; 3],
    rows: usize,
    [quads, pairs]: [Foreign; 2],
    clock: impl Fn() -> f64,
) -> f64 {
    /// A browser's clock may be a millisecond coarse.
    const ENOUGH: f64 = 2.5;
    let mut least = [f64::MAX; 2];
    let trials = [(Lanes::Quads, quads), (Lanes::Pairs, pairs)].map(|(lanes, by)| {
        let layout = Layout::of(Precision::Fine, lanes, block);
        (case(layout, [inputs, outputs], rows), by)
    });
    for _ in 0..4 {
        for (((layer, x), by), least) in trials.iter().zip(&mut least) {
            let (started, mut runs) = (clock(), 0_u32);
            let took = loop {
                // SAFETY: the caller's, and `forward_by` gives whole jobs.
                layer.forward_by(x, |job| unsafe { by(job) });
                runs += 1;
                let took = clock() - started;
                // A clock that stands still must not keep anyone.
                if took >= ENOUGH || runs == 1000 {
                    break took / f64::from(runs);
                }
            };
            *least = least.min(took);
        }
    }
    least[0] / least[1]
}

/// A layer of `[inputs, outputs]` and rows for it, the largest of each sign among them.
fn case(layout: Layout, [inputs, outputs]: [usize; 2], rows: usize) -> (BlockLinear, Activations) {
    let mut random = SplitMix64((inputs + rows) as u64);
    let mut unit = || match random.below(4) {
        0 => 1.0,
        1 => -1.0,
        _ => random.below(20_001) as f32 / 10_000.0 - 1.0,
    };
    let most = match layout.precision {
        Precision::Coarse => f32::from(bytes::WEIGHTS.end - 1),
        Precision::Fine => 127.0,
    };
    let codes: Vec<i8> = (0..inputs * outputs)
        .map(|_| (most * unit()) as i8)
        .collect();
    let scales: Vec<f32> = (0..inputs / STEP / layout.block * outputs)
        .map(|_| unit().abs())
        .collect();
    let bias = (0..outputs).map(|_| unit()).collect();
    let x: Vec<f32> = (0..rows * inputs).map(|_| unit()).collect();
    (
        BlockLinear::for_layout(layout, &codes, &scales, bias),
        Activations::new(layout, &x, inputs),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::host::job::Job;
    use crate::nn::host::pairs;
    use crate::nn::host::panel::{Panel, Rows};
    use std::cell::Cell;

    unsafe extern "C" fn right(job: *const Job) {
        unsafe { (*job).fine(quads::add_products) }
    }

    unsafe extern "C" fn right_of_bytes(job: *const Job) {
        unsafe { (*job).coarse(bytes::add_products) }
    }

    unsafe extern "C" fn plain(job: *const Job) {
        unsafe { (*job).fine(pairs::add_products) }
    }

    /// As V8 11.8 is at first: what sums start from is forgotten.
    unsafe extern "C" fn forgets(job: *const Job) {
        let starts = [[0; 16]; 32];
        unsafe {
            (*job).fine(|panel, rows, outputs| {
                let starts = &starts[..panel.starts.len()];
                quads::plain(Panel { starts, ..panel }, rows, outputs)
            })
        }
    }

    /// As a processor would be that took the second operand's bytes for something else.
    unsafe extern "C" fn forgets_rows(job: *const Job) {
        let starts = [[0; 4]; 32];
        unsafe {
            (*job).coarse(|panel, rows, outputs| {
                let starts = &starts[..rows.starts.len()];
                bytes::plain(panel, Rows { starts, ..rows }, outputs)
            })
        }
    }

    #[test]
    fn a_loop_that_forgets_what_it_should_add_to_is_found_out() {
        use Precision::{Coarse, Fine};
        unsafe {
            assert!(is_right(Fine, right));
            assert!(!is_right(Fine, forgets));
            assert!(is_right(Coarse, right_of_bytes));
            assert!(!is_right(Coarse, forgets_rows));
        }
    }

    /// Every look at the clock is a millisecond later; a clock that stands still ends too.
    #[test]
    fn times_are_compared() {
        let now = Cell::new(0.0);
        let clock = || {
            now.set(now.get() + 1.0);
            now.get()
        };
        let ratio = |clock: &dyn Fn() -> f64| unsafe {
            ratio_for([16, 16, 8], 1, [right as Foreign, plain], clock)
        };
        assert_eq!(ratio(&clock), 1.0);
        assert!(ratio(&|| 0.0).is_nan());
    }
}
