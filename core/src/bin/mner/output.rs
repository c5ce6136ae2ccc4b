//! What commands write: answers on standard output, counters on standard error, files and folders where nothing is lost by it.

use crate::failure::Failure;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Writes a command's answer. A reader who has left is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|e| Failure::output(&e))
}

/// Refuses a file to write that is one of those read, is a folder, or would lie in none: before anything is read for it.
pub fn check_file<'a>(
    out: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let parent = out.parent().filter(|parent| *parent != Path::new(""));
    let problem = if inputs.into_iter().any(|input| is_same(out, input)) {
        "the output is the input; name another file".to_owned()
    } else if out.is_dir() {
        "this is a folder; name a file to write".to_owned()
    } else if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        format!("there is no folder {} to write it into", parent.display())
    } else {
        return Ok(());
    };
    Err(format!("{}: {problem}", out.display()).into())
}

/// Refuses a folder to write that holds something, is a file, or would lie in one.
pub fn check_folder(out: &Path) -> Result<(), Failure> {
    let holds_something = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    let there = out.ancestors().find(|path| path.exists());
    let problem = match there.filter(|path| !path.is_dir()) {
        Some(file) if file == out => "this is no folder to write into; name another one".to_owned(),
        Some(file) => format!("{} is a file; name another folder", file.display()),
        None if holds_something => {
            "there is something in this folder already; name a new one, or an empty one".to_owned()
        }
        None => return Ok(()),
    };
    Err(format!("{}: {problem}", out.display()).into())
}

/// Whether two paths are of one file or folder; a device can be read and written.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let kept = |path: &Path| path.is_file() || path.is_dir();
    let whole = |path: &Path| path.canonicalize().ok().filter(|path| kept(path));
    whole(one).is_some_and(|one| whole(other) == Some(one))
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
