//! The lines of a corpus file, read one by one or some ahead.

use crate::data::corpus::{CorpusError, Fault, foreign};
use crate::formats::annotations::lines::shorten;
use crate::formats::packed::{Packed, packed};
use std::collections::VecDeque;
use std::io::BufRead;
use std::path::Path;

/// Gives each line with its number, from 1, without its end and the blanks before it.
pub(super) struct Lines<'a, R> {
    input: R,
    /// Not opened, only named in errors.
    path: &'a Path,
    buffer: Vec<u8>,
    /// Number of lines read, and what was read ahead of the line given last.
    read: usize,
    ahead: VecDeque<(usize, Result<String, CorpusError>)>,
}

impl<'a, R: BufRead> Lines<'a, R> {
    pub(super) fn new(input: R, path: &'a Path) -> Self {
        Self {
            input,
            path,
            buffer: Vec::new(),
            read: 0,
            ahead: VecDeque::new(),
        }
    }

    /// The line given last, `line`, and those after it up to an empty one or one that cannot be read. Reads them ahead.
    pub(super) fn paragraph<'l>(&'l mut self, line: &'l str) -> Vec<&'l str> {
        while self
            .ahead
            .back()
            .is_none_or(|(_, line)| line.as_ref().is_ok_and(|line| !line.is_empty()))
            && let Some(next) = self.read_line().transpose()
        {
            self.ahead.push_back((self.read, next));
        }
        let after = self
            .ahead
            .iter()
            .map_while(|(_, line)| line.as_deref().ok());
        [line]
            .into_iter()
            .chain(after.take_while(|line| !line.is_empty()))
            .collect()
    }

    /// The error that a line has a fault.
    pub(super) fn fault(&self, line: usize, fault: Fault) -> CorpusError {
        CorpusError::Line {
            file: self.path.to_owned(),
            line,
            fault,
        }
    }

    fn read_line(&mut self) -> Result<Option<String>, CorpusError> {
        self.buffer.clear();
        let size = self
            .input
            .read_until(b'\n', &mut self.buffer)
            .map_err(|cause| CorpusError::Io {
                file: self.path.to_owned(),
                cause,
            })?;
        if size == 0 {
            return Ok(None);
        }
        self.read += 1;
        if self.read == 1
            && let Some(Packed { name, unpack }) = packed(&self.buffer)
        {
            return Err(self.fault(1, Fault::Packed { name, unpack }));
        }
        if self.read == 1
            && let Some(fault) = foreign::encoding(&self.buffer)
        {
            return Err(self.fault(1, fault));
        }
        let text = str::from_utf8(&self.buffer).map_err(|_| {
            let found = String::from_utf8_lossy(&self.buffer);
            let found = shorten(found.trim_end());
            self.fault(self.read, Fault::NotUtf8 { found })
        })?;
        // Files that were put together have a mark where each begins.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let line = text.trim_end_matches(['\n', '\r', ' ', '\t']);
        if self.read == 1
            && let Some(fault) = foreign::line_end(line)
        {
            return Err(self.fault(1, fault));
        }
        Ok(Some(line.to_owned()))
    }
}

impl<R: BufRead> Iterator for Lines<'_, R> {
    type Item = (usize, Result<String, CorpusError>);

    fn next(&mut self) -> Option<Self::Item> {
        match self.ahead.pop_front() {
            Some(line) => Some(line),
            None => self.read_line().transpose().map(|line| (self.read, line)),
        }
    }
}
