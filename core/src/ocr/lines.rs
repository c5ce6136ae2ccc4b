//! Lines of text with their words, in the order in which they are read.

use super::alphabet::Alphabet;
use super::ctc::Read;
use super::regions::Bounds;
use serde::Serialize;

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TextWord {
    /// What it says, without white space.
    pub text: String,
    /// Where it is: left, top, right, bottom in pixels of the image.
    pub bounds: Bounds,
    /// How sure the recogniser is of its least sure character, `[0, 1]`.
    pub confidence: f32,
}

/// A line of text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TextLine {
    /// What it says: its words, a space between two.
    pub text: String,
    /// Where it is: left, top, right, bottom in pixels of the image.
    pub bounds: Bounds,
    /// How sure the recogniser is: the geometric mean over its characters, `[0, 1]`.
    pub confidence: f32,
    /// Its words, at least one.
    pub words: Vec<TextWord>,
}

impl TextLine {
    /// The line of characters read within `bounds`, each frame being `frame` pixels wide; none if they are white space alone.
    pub fn new(read: &[Read], alphabet: &Alphabet, bounds: Bounds, frame: f32) -> Option<Self> {
        let [left, top, right, bottom] = bounds;
        let at = |frames: f32| (left + frames * frame).clamp(left, right);
        let characters = read
            .iter()
            .filter_map(|read| Some((read, alphabet.character(read.class)?)));
        let characters: Vec<(&Read, char)> = characters.collect();
        let words = characters
            .split(|(_, c)| *c == ' ')
            .filter(|word| !word.is_empty());
        let words: Vec<TextWord> = words
            .map(|word| {
                let (first, last) = (word[0].0, word[word.len() - 1].0);
                // A character is wider than the frames that are sure of it.
                let from = at(first.frames[0] as f32 - 1.0);
                let to = at(last.frames[1] as f32 + 1.0);
                TextWord {
                    text: word.iter().map(|(_, c)| c).collect(),
                    bounds: [from, top, to, bottom],
                    confidence: word
                        .iter()
                        .map(|(read, _)| read.probability)
                        .fold(1.0, f32::min),
                }
            })
            .collect();
        let visible = characters.iter().filter(|(_, c)| *c != ' ');
        let logs: Vec<f32> = visible
            .map(|(read, _)| read.probability.max(1e-6).ln())
            .collect();
        (!words.is_empty()).then(|| Self {
            text: words
                .iter()
                .map(|word| word.text.as_str())
                .collect::<Vec<_>>()
                .join(" "),
            bounds,
            confidence: (logs.iter().sum::<f32>() / logs.len() as f32).exp(),
            words,
        })
    }
}

/// Lines from top to bottom; those at one height, by half of the lower one's, from left to right.
pub fn in_reading_order(mut lines: Vec<TextLine>) -> Vec<TextLine> {
    lines.sort_by(|a, b| a.bounds[1].total_cmp(&b.bounds[1]));
    let mut rows: Vec<Vec<TextLine>> = Vec::new();
    for line in lines {
        match rows.last_mut() {
            Some(row) if row.iter().any(|other| beside(&other.bounds, &line.bounds)) => {
                row.push(line)
            }
            _ => rows.push(vec![line]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.bounds[0].total_cmp(&b.bounds[0]));
    }
    rows.into_iter().flatten().collect()
}

/// The lines as one text, each on a line of its own.
pub fn text_of(lines: &[TextLine]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    lines.join("\n")
}

/// Where a part of [`text_of`] is, from a byte to the one behind its last: on each line that it touches the box around its words.
pub fn bounds_of(lines: &[TextLine], [start, end]: [usize; 2]) -> Vec<Bounds> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in lines {
        let touched = line.words.iter().filter(|word| {
            let from = at;
            // A space or the end of the line follows.
            at += word.text.len() + 1;
            from < end && start < from + word.text.len()
        });
        let touched: Vec<Bounds> = touched.map(|word| word.bounds).collect();
        found.extend(touched.into_iter().reduce(|a, b| {
            [
                a[0].min(b[0]),
                a[1].min(b[1]),
                a[2].max(b[2]),
                a[3].max(b[3]),
            ]
        }));
    }
    found
}

/// Whether two boxes share half of the lower one's height.
fn beside(a: &Bounds, b: &Bounds) -> bool {
    let shared = a[3].min(b[3]) - a[1].max(b[1]);
    shared >= 0.5 * (a[3] - a[1]).min(b[3] - b[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, alphabet: &Alphabet) -> Vec<Read> {
        let classes = alphabet.encode(text).unwrap().into_iter().enumerate();
        classes
            .map(|(i, class)| Read {
                class,
                probability: 0.9,
                frames: [3 * i + 1, 3 * i + 2],
            })
            .collect()
    }

    #[test]
    fn words_lie_where_their_characters_do() {
        let alphabet = Alphabet::default();
        let bounds = [100.0, 10.0, 200.0, 30.0];
        let line = TextLine::new(&read(" Hi  you ", &alphabet), &alphabet, bounds, 2.0).unwrap();
        assert_eq!(line.text, "Hi you");
        assert!((line.confidence - 0.9).abs() < 1e-5);
        let [hi, you] = &line.words[..] else {
            panic!("{line:?}")
        };
        assert_eq!(
            (hi.text.as_str(), hi.bounds),
            ("Hi", [106.0, 10.0, 118.0, 30.0])
        );
        assert_eq!((you.text.as_str(), you.bounds[0]), ("you", 130.0));
        assert_eq!(
            TextLine::new(&read("  ", &alphabet), &alphabet, bounds, 2.0),
            None
        );
        assert_eq!(TextLine::new(&[], &alphabet, bounds, 2.0), None);
    }

    #[test]
    fn a_part_of_the_text_lies_where_its_words_do() {
        let word = |text: &str, left: f32, top: f32| TextWord {
            text: text.to_owned(),
            bounds: [left, top, left + 10.0, top + 8.0],
            confidence: 1.0,
        };
        let line = |words: Vec<TextWord>| TextLine {
            text: words
                .iter()
                .map(|word| word.text.as_str())
                .collect::<Vec<_>>()
                .join(" "),
            bounds: [0.0; 4],
            confidence: 1.0,
            words,
        };
        let lines = [
            line(vec![
                word("See", 0.0, 0.0),
                word("New", 20.0, 0.0),
                word("York", 40.0, 0.0),
            ]),
            line(vec![word("City", 0.0, 10.0), word("now", 20.0, 10.0)]),
        ];
        let text = text_of(&lines);
        assert_eq!(text, "See New York\nCity now");
        let of = |part: &str| {
            let start = text.find(part).unwrap();
            bounds_of(&lines, [start, start + part.len()])
        };
        assert_eq!(of("New York"), [[20.0, 0.0, 50.0, 8.0]]);
        assert_eq!(
            of("York\nCity"),
            [[40.0, 0.0, 50.0, 8.0], [0.0, 10.0, 10.0, 18.0]]
        );
        assert_eq!(of("ew"), [[20.0, 0.0, 30.0, 8.0]]);
        assert_eq!(of(" "), Vec::<Bounds>::new());
    }

    #[test]
    fn lines_are_read_from_the_top_and_from_the_left() {
        let line = |text: &str, bounds| TextLine {
            text: text.to_owned(),
            bounds,
            confidence: 1.0,
            words: Vec::new(),
        };
        let lines = vec![
            line("d", [0.0, 60.0, 90.0, 80.0]),
            line("b", [100.0, 8.0, 190.0, 28.0]),
            line("a", [0.0, 12.0, 90.0, 30.0]),
            line("c", [0.0, 32.0, 90.0, 50.0]),
        ];
        let order = in_reading_order(lines).into_iter().map(|line| line.text);
        assert_eq!(order.collect::<String>(), "abcd");
    }
}
