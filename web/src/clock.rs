//! The browser's clock.

use wasm_bindgen::JsCast;
use web_sys::{Performance, WorkerGlobalScope};

/// The time in milliseconds since some moment, if there is a clock.
#[cfg(feature = "cpu")]
pub(crate) fn now() -> Option<impl Fn() -> f64> {
    clock().map(|clock| move || clock.now())
}

fn clock() -> Option<Performance> {
    // A page's global object has its clock by the same name as a Worker's.
    let global: WorkerGlobalScope = js_sys::global().unchecked_into();
    global.performance()
}

/// Lets through what comes often at most every so many milliseconds.
pub(crate) struct Pace {
    clock: Option<Performance>,
    pause: f64,
    /// When something was last let through.
    last: f64,
}

impl Pace {
    /// At most every `pause` milliseconds. Where there is no clock, always.
    pub(crate) fn new(pause: f64) -> Self {
        Self {
            clock: clock(),
            pause,
            last: f64::NEG_INFINITY,
        }
    }

    /// Whether it is time again.
    pub(crate) fn is_due(&mut self) -> bool {
        let Some(clock) = &self.clock else {
            return true;
        };
        let now = clock.now();
        let due = now >= self.last + self.pause;
        if due {
            self.last = now;
        }
        due
    }
}
