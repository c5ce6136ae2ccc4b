//! What was computed for the windows of long texts: an edit then computes what it touches, and no more.

use crate::recognizer::evidence::Answer;
use crate::systems::image_batch::EncodedImage;
use crate::systems::ita::context::ContextSubwords;
use crate::tweet::sequence::SubwordSequence;
use crate::vision::ImageFeatures;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Calls with a long text whose windows are kept: a page asks for a text by itself and with its image.
const CALLS: u64 = 2;

/// The answers to windows, by all that they depend on.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Calls so far.
    calls: u64,
    windows: HashMap<Key, Entry>,
}

/// What the answer to a window depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Its words, each with its length.
    words: String,
    /// Those of them that the answer is of.
    keep: Range<usize>,
    /// Where the image's features lie; they stay there as long as the entry.
    image: Option<usize>,
    context: Option<ContextSubwords>,
}

#[derive(Debug)]
struct Entry {
    answer: Answer,
    /// The call that it was used in last.
    call: u64,
    _image: Option<Arc<ImageFeatures>>,
}

impl Key {
    /// The key of a window of a text.
    pub(super) fn new<S: AsRef<str>>(
        words: &[S],
        sequence: &SubwordSequence,
        image: Option<&EncodedImage>,
        context: Option<&ContextSubwords>,
    ) -> Self {
        let window = &sequence.window;
        let mut all = String::new();
        for word in &words[window.words.clone()] {
            let word = word.as_ref();
            all.push_str(&word.len().to_string());
            all.push(' ');
            all.push_str(word);
        }
        let from = window.words.start;
        Self {
            words: all,
            keep: window.keep.start - from..window.keep.end - from,
            image: image.map(|encoded| Arc::as_ptr(&encoded.features) as usize),
            context: context.cloned(),
        }
    }
}

impl Memory {
    /// Begins a call with a long text; what was not used in the last calls is forgotten.
    pub(super) fn begin(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.calls += 1;
        let now = kept.calls;
        kept.windows.retain(|_, entry| entry.call + CALLS >= now);
    }

    /// The answer to a window, if it is known.
    pub(super) fn get(&self, key: &Key) -> Option<Answer> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = kept.calls;
        let entry = kept.windows.get_mut(key)?;
        entry.call = now;
        Some(entry.answer.clone())
    }

    /// Keeps the answer to a window.
    pub(super) fn put(&self, key: Key, answer: &Answer, image: Option<&EncodedImage>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry {
            answer: answer.clone(),
            call: kept.calls,
            _image: image.map(|encoded| encoded.features.clone()),
        };
        kept.windows.insert(key, entry);
    }
}
