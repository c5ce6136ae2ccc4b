//! Emissions and evidence of tweets that are already words, many at a time.

use crate::label::LABELS;
use crate::nn::values::side_by_side;
use crate::recognizer::evidence::Answer;
use crate::recognizer::memory::Key;
use crate::recognizer::{RecognizeError, Recognizer};
use crate::systems::SystemOutput;
use crate::systems::hamlearning::explanation::Explanation;
use crate::systems::image_batch::EncodedImage;
use crate::systems::ita::context::ContextSubwords;
use crate::systems::ita::image_text::ImageText;
use crate::systems::layout::TweetInput;
use crate::tweet::sequence::{SubwordSequence, sequences};
use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

/// Tweets computed together when many are labelled.
const BATCH: usize = 32;

impl Recognizer {
    /// Emission scores of tweets that are already words: `[N * 9]` each.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn emissions<S: AsRef<str>>(
        &self,
        tweets: &[&[S]],
    ) -> Result<Vec<Vec<f64>>, RecognizeError> {
        let answers = self.answers(tweets, &vec![None; tweets.len()]).await?;
        Ok(answers.into_iter().map(|answer| answer.emissions).collect())
    }

    /// Emission scores and evidence of tweets that are already words, each with its image or
    /// none.
    ///
    /// # Errors
    /// If the device fails to answer.
    ///
    /// # Panics
    /// If `images` are not as many as the tweets.
    pub async fn answers<S: AsRef<str>>(
        &self,
        tweets: &[&[S]],
        images: &[Option<&EncodedImage>],
    ) -> Result<Vec<Answer>, RecognizeError> {
        self.answers_with(tweets, images, &vec![None; tweets.len()])
            .await
    }

    /// As [`Recognizer::answers`], with what is known in words of each tweet's image beside the
    /// tags of its features. Only a system that reads context takes notice.
    ///
    /// # Errors
    /// If the device fails to answer.
    ///
    /// # Panics
    /// If `images` or `known` are not as many as the tweets.
    pub async fn answers_with<S: AsRef<str>>(
        &self,
        tweets: &[&[S]],
        images: &[Option<&EncodedImage>],
        known: &[Option<&ImageText>],
    ) -> Result<Vec<Answer>, RecognizeError> {
        let all = async |_, _| ControlFlow::Continue(());
        self.answers_reporting(tweets, images, known, all).await
    }

    /// As [`Recognizer::answers_with`]; `on_read` is told again and again how many of how many windows are read, and says whether
    /// the others shall be.
    ///
    /// # Errors
    /// If the device fails to answer, or `on_read` breaks off.
    ///
    /// # Panics
    /// If `images` or `known` are not as many as the tweets.
    pub async fn answers_reporting<S: AsRef<str>>(
        &self,
        tweets: &[&[S]],
        images: &[Option<&EncodedImage>],
        known: &[Option<&ImageText>],
        mut on_read: impl AsyncFnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<Vec<Answer>, RecognizeError> {
        assert_eq!(images.len(), tweets.len(), "one image or none a tweet");
        assert_eq!(known.len(), tweets.len(), "one text or none a tweet");
        let contexts: Vec<Option<ContextSubwords>> = match self.manifest.config.context() {
            Some(builder) => images
                .iter()
                .zip(known)
                .map(|(encoded, known)| builder.subwords(*encoded, *known, &self.tokenizer))
                .collect::<Result<_, _>>()?,
            None => vec![None; tweets.len()],
        };
        let windows: Vec<Vec<SubwordSequence>> = tweets
            .iter()
            .map(|words| sequences(words, &self.tokenizer, self.manifest.max_subwords))
            .collect::<Result<_, _>>()?;
        let mut answers: Vec<Vec<(&SubwordSequence, Answer)>> =
            tweets.iter().map(|_| Vec::new()).collect();
        if windows.iter().any(|windows| windows.len() > 1) {
            self.memory.begin();
        }
        let mut done = 0;
        // A long tweet is read in parts, so that no batch is larger than the device bears.
        let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
        let parts_of = |i: usize, windows: Range<usize>| {
            let end = windows.end;
            let steps = windows.step_by(BATCH);
            steps.map(move |at| (i, at..end.min(at + BATCH)))
        };
        // The keys of a long tweet's windows that are not known, by tweet and window.
        let mut keys: HashMap<(usize, usize), Key> = HashMap::new();
        for (i, windows) in windows.iter().enumerate() {
            let (mut unknown, long) = (0, windows.len() > 1);
            // Of a long tweet, what was computed before an edit is known.
            for (at, window) in windows.iter().enumerate().filter(|_| long) {
                let key = Key::new(tweets[i], window, images[i], contexts[i].as_ref());
                let Some(answer) = self.memory.get(&key) else {
                    keys.insert((i, at), key);
                    continue;
                };
                answers[i].push((window, answer));
                done += 1;
                parts.extend(parts_of(i, unknown..at));
                unknown = at + 1;
            }
            parts.extend(parts_of(i, unknown..windows.len()));
        }
        // Tweets of like length side by side: padding is computed too. Parts of a tweet stay in order.
        parts.sort_by_key(|(i, part)| {
            let windows = &windows[*i][part.clone()];
            windows.iter().map(|window| window.subwords.len()).max()
        });
        let total: usize = done + parts.iter().map(|(_, part)| part.len()).sum::<usize>();
        if windows.iter().any(|windows| windows.len() > 1) {
            proceed(on_read(done, total).await)?;
        }
        while done < total {
            let mut room = BATCH;
            let fits = parts.iter().take_while(|(_, part)| {
                let fits = part.len() <= room;
                room = room.saturating_sub(part.len());
                fits
            });
            let chunk: Vec<_> = parts.drain(..fits.count()).collect();
            let inputs: Vec<TweetInput<'_, S>> = chunk
                .iter()
                .map(|(i, part)| TweetInput {
                    words: tweets[*i],
                    windows: &windows[*i][part.clone()],
                    encoded: images[*i],
                    context: contexts[*i].as_ref(),
                })
                .collect();
            let batch = self.layout.batch(&inputs, false, &self.device);
            let SystemOutput {
                emissions,
                fine_types,
                explanation,
            } = self.system.explain(&batch);
            let most = explanation
                .as_ref()
                .map(|e| (e.objects.dims()[2], e.seen.is_some()));
            let mut values = vec![emissions];
            values.extend(explanation.into_iter().flat_map(Explanation::parts));
            let columns: usize = values.iter().map(|part| part.dims()[2]).sum();
            values.extend(fine_types);
            // One transfer from the device instead of six.
            let values = side_by_side(values, self.system.encoder().is_on_host());
            let whole = values.dims()[2];
            for ((i, part), rows) in chunk.into_iter().zip(batch.collect(values).await?) {
                let mut rows = &rows[..];
                done += part.len();
                for at in part {
                    let window = &windows[i][at];
                    let (own, rest) = rows.split_at(window.window.keep.len() * whole);
                    rows = rest;
                    let of = |columns: Range<usize>| -> Vec<f64> {
                        let rows = own.chunks_exact(whole);
                        rows.flat_map(|row| &row[columns.clone()])
                            .copied()
                            .collect()
                    };
                    let mut answer = match (images[i], most) {
                        (Some(encoded), Some((most, seen))) => {
                            let objects = encoded.features.objects.len().min(most);
                            Answer::explained(&of(0..columns), columns, objects, seen)
                        }
                        _ => Answer {
                            emissions: of(0..LABELS),
                            fine_types: None,
                            evidence: None,
                        },
                    };
                    answer.fine_types = (whole > columns).then(|| of(columns..whole));
                    if let Some(key) = keys.remove(&(i, at)) {
                        self.memory.put(key, &answer, images[i]);
                    }
                    answers[i].push((window, answer));
                }
            }
            proceed(on_read(done, total).await)?;
        }
        let joined = answers.into_iter().map(|mut parts| {
            parts.sort_by_key(|(window, _)| window.window.words.start);
            Answer::joined(parts.into_iter().map(|(_, answer)| answer))
        });
        Ok(joined.collect())
    }
}

fn proceed(wish: ControlFlow<()>) -> Result<(), RecognizeError> {
    match wish {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(RecognizeError::Stopped),
    }
}
