//! From scores of frames to characters: best path decoding (Graves et al., ICML 2006, section 3.2).

/// A character that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Read {
    /// Its class, never the blank.
    pub class: usize,
    /// The probability of its surest frame.
    pub probability: f32,
    /// Its first frame and the one behind its last.
    pub frames: [usize; 2],
}

/// The most probable class of each frame, repetitions taken together and blanks left out.
///
/// # Shapes
/// - `probabilities`: `[frames, classes]`, class 0 the blank
pub fn greedy(probabilities: &[f32], classes: usize) -> Vec<Read> {
    let mut read: Vec<Read> = Vec::new();
    let mut before = 0;
    for (frame, row) in probabilities.chunks_exact(classes).enumerate() {
        let most = (0..classes).max_by(|&a, &b| row[a].total_cmp(&row[b]));
        let class = most.unwrap_or(0);
        match read.last_mut() {
            Some(last) if class != 0 && class == before => {
                last.frames[1] = frame + 1;
                last.probability = last.probability.max(row[class]);
            }
            _ if class != 0 => read.push(Read {
                class,
                probability: row[class],
                frames: [frame, frame + 1],
            }),
            _ => {}
        }
        before = class;
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames that are sure of a class, and how sure.
    fn frames(path: &[(usize, f32)]) -> Vec<f32> {
        path.iter()
            .flat_map(|&(class, sure)| {
                let mut row = [(1.0 - sure) / 2.0; 3];
                row[class] = sure;
                row
            })
            .collect()
    }

    #[test]
    fn repetitions_are_one_character_unless_a_blank_is_between() {
        let path = [
            (0, 0.9),
            (1, 0.6),
            (1, 0.8),
            (0, 0.9),
            (1, 0.7),
            (2, 0.9),
            (2, 0.5),
        ];
        let read = greedy(&frames(&path), 3);
        let expected = [(1, 0.8, [1, 3]), (1, 0.7, [4, 5]), (2, 0.9, [5, 7])];
        assert_eq!(read.len(), expected.len());
        for (read, (class, probability, frames)) in read.iter().zip(expected) {
            assert_eq!((read.class, read.frames), (class, frames));
            assert!((read.probability - probability).abs() < 1e-6);
        }
    }

    #[test]
    fn blanks_alone_and_no_frames_say_nothing() {
        assert!(greedy(&frames(&[(0, 0.9); 4]), 3).is_empty());
        assert!(greedy(&[], 3).is_empty());
    }
}
