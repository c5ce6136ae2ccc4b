//! The lines of a stream, cut into chunks that are answered together.

use crate::failure::Failure;
use mner_core::formats::encoding::other_encoding;
use mner_core::formats::packed::{Packed, packed};
use std::io::{BufRead, BufReader, Read};

/// Most lines of a chunk.
const LINES: usize = 64;
/// Most lines of a chunk that name an image, which takes as long as ten tweets: a short stream of them is still shared.
const IMAGES: usize = 4;

/// Lines that are answered together. Where a chunk ends is decided by the stream alone, of a file by its lines, so that its answers are
/// the same whoever computes them.
pub struct Chunk {
    /// Those with something on them, each with its number from 1.
    pub lines: Vec<(usize, Vec<u8>)>,
    /// How many lines were read for it, blank ones included.
    pub read: usize,
}

/// Reads chunks.
pub struct Chunks<R> {
    input: R,
    read: usize,
    /// Whether the next line would have to be waited for.
    waits: fn(&R) -> bool,
}

impl<R: BufRead> Chunks<R> {
    /// Of lines that are all there.
    pub fn new(input: R) -> Self {
        Self {
            input,
            read: 0,
            waits: |_| false,
        }
    }
}

impl<R: Read> Chunks<BufReader<R>> {
    /// Of lines that come one by one: a chunk ends where the next line would have to be waited for.
    pub fn of_live(input: BufReader<R>) -> Self {
        Self {
            waits: |input| !input.buffer().contains(&b'\n'),
            ..Self::new(input)
        }
    }
}

impl<R: BufRead> Iterator for Chunks<R> {
    type Item = Result<Chunk, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let before = self.read;
        let (mut lines, mut images) = (Vec::new(), 0);
        while lines.len() < LINES && images < IMAGES {
            if !lines.is_empty() && (self.waits)(&self.input) {
                break;
            }
            let mut line = Vec::new();
            match self.input.read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => self.read += 1,
                Err(error) => {
                    return Some(Err(Failure::Message(format!(
                        "cannot read the input: {error}"
                    ))));
                }
            }
            if self.read == 1
                && let Some(other) = no_text(&line)
            {
                return Some(Err(Failure::Message(other)));
            }
            let blank = line.trim_ascii();
            if !blank.is_empty() && blank != b"\xef\xbb\xbf" {
                images += usize::from(names_an_image(blank));
                lines.push((self.read, line));
            }
        }
        let read = self.read - before;
        (read > 0).then_some(Ok(Chunk { lines, read }))
    }
}

/// Whether the line has the word for an image; it need not be a member's name.
fn names_an_image(line: &[u8]) -> bool {
    const NAME: &[u8] = b"\"image\"";
    line.windows(NAME.len()).any(|word| word == NAME)
}

/// What the input is in place of UTF-8 text, by how its first line begins.
fn no_text(line: &[u8]) -> Option<String> {
    let unpacked = || packed(line).map(|Packed { name, unpack }| (name, unpack));
    let (name, remedy) = other_encoding(line).or_else(unpacked)?;
    Some(format!(
        "the input is {name}; JSON lines are read as UTF-8: send it through `{remedy}` first"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the lines of each chunk, and how many lines were read.
    fn chunks(text: &str) -> Vec<(Vec<usize>, usize)> {
        let chunks = Chunks::new(text.as_bytes());
        chunks
            .map(|chunk| chunk.map_err(|_| "a failure").unwrap())
            .map(|chunk| {
                (
                    chunk.lines.iter().map(|(number, _)| *number).collect(),
                    chunk.read,
                )
            })
            .collect()
    }

    #[test]
    fn lines_keep_their_numbers() {
        assert_eq!(chunks(""), []);
        assert_eq!(chunks("a\n\n\u{feff}\nb"), [(vec![1, 4], 4)]);
        let many = chunks(&"a\n".repeat(LINES + 1));
        assert_eq!(many, [((1..=LINES).collect(), LINES), (vec![LINES + 1], 1)]);
        // Blank lines at the end are counted.
        let text = format!("{}\n\n", "a\n".repeat(LINES));
        assert_eq!(chunks(&text)[1], (vec![], 2));
    }

    #[test]
    fn a_live_stream_is_answered_as_it_comes() {
        // Reads that give three lines, the third not whole.
        let parts: [&[u8]; 2] = [b"a\nb\nc", b"d\ne"];
        let input = BufReader::new(parts[0].chain(parts[1]));
        let chunks = Chunks::of_live(input);
        let lines: Vec<Vec<Vec<u8>>> = chunks
            .map(|chunk| chunk.map_err(|_| "a failure").unwrap())
            .map(|chunk| chunk.lines.into_iter().map(|(_, line)| line).collect())
            .collect();
        let expected: [&[&[u8]]; 3] = [&[b"a\n", b"b\n"], &[b"cd\n"], &[b"e"]];
        assert_eq!(lines, expected);
    }

    #[test]
    fn images_make_chunks_small() {
        let line = "{\"text\": \"a\", \"image\": \"a.jpg\"}\n";
        let text = line.repeat(IMAGES + 1);
        assert_eq!(
            chunks(&text),
            [((1..=IMAGES).collect(), IMAGES), (vec![IMAGES + 1], 1)]
        );
    }
}
