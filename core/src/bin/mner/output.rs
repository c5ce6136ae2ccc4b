//! What commands write: answers on standard output, counters on standard error.

use crate::failure::Failure;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Writes a command's answer. A reader who has left is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|e| Failure::output(&e))
}

/// Time between two lines of a counter that is not on a terminal.
const INTERVAL: Duration = Duration::from_secs(10);

/// How far a long command is: one line that changes on a terminal, elsewhere a line now and then.
pub struct Counter {
    of: usize,
    what: &'static str,
    terminal: bool,
    last: Instant,
}

impl Counter {
    pub fn new(of: usize, what: &'static str) -> Self {
        Self {
            of,
            what,
            terminal: io::stderr().is_terminal(),
            last: Instant::now(),
        }
    }

    /// Shows how much is done. Nobody need be listening.
    pub fn show(&mut self, done: usize) {
        let mut err = io::stderr().lock();
        if self.terminal {
            let _ = write!(err, "\r{done}/{} {}", self.of, self.what);
        } else if self.last.elapsed() >= INTERVAL {
            self.last = Instant::now();
            let _ = writeln!(err, "{done}/{} {}", self.of, self.what);
        }
    }

    pub fn end(self) {
        if self.terminal {
            let _ = writeln!(io::stderr().lock());
        }
    }
}
