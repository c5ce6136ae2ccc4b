//! How a command fails: one sentence on standard error and an exit code.

use mner_core::notice;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// Why a command ends early.
pub enum Failure {
    /// What went wrong, as a sentence; exit code 1.
    Message(String),
    /// Whoever read our output has read enough: no failure at all.
    ReaderLeft,
}

impl Failure {
    /// Prints the sentence and gives the exit code.
    pub fn report(self) -> ExitCode {
        match self {
            Self::Message(message) => {
                notice!("mner: {message}");
                ExitCode::FAILURE
            }
            Self::ReaderLeft => ExitCode::SUCCESS,
        }
    }

    /// From a failed write to standard output.
    pub fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderLeft,
            _ => Self::Message(format!("cannot write the output: {error}")),
        }
    }
}

/// Any error is a sentence.
impl<E: Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Message(error.to_string())
    }
}
