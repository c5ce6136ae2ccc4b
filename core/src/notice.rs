//! Lines on standard error: how far a long command is, and what it passed over.

use std::fmt::Arguments;
use std::io::{self, Write};

/// Writes a line to standard error. Nobody need be listening: a reader who has left ends nothing, where `eprintln!` panics.
#[macro_export]
macro_rules! notice {
    ($($words:tt)*) => {
        $crate::notice::line(format_args!($($words)*))
    };
}

/// What [`notice!`](crate::notice!) does.
pub fn line(words: Arguments<'_>) {
    // One write, so that lines of several threads do not mix.
    let line = format!("{words}\n");
    let _ = io::stderr().lock().write_all(line.as_bytes());
}
