//! Emissions and evidence of tweets that are already words, many at a time.

use crate::label::LABELS;
use crate::recognizer::evidence::Answer;
use crate::recognizer::{RecognizeError, Recognizer};
use crate::systems::image_batch::EncodedImage;
use crate::systems::ita::context::ContextSubwords;
use crate::systems::ita::image_text::ImageText;
use crate::systems::layout::TweetInput;
use crate::tweet::sequence::{SubwordSequence, sequences};

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
        self.answers_reporting(tweets, images, known, &mut |_, _| ())
            .await
    }

    /// As [`Recognizer::answers_with`]; `on_read` is told again and again how many of how many windows are read.
    ///
    /// # Errors
    /// If the device fails to answer.
    ///
    /// # Panics
    /// If `images` or `known` are not as many as the tweets.
    pub async fn answers_reporting<S: AsRef<str>>(
        &self,
        tweets: &[&[S]],
        images: &[Option<&EncodedImage>],
        known: &[Option<&ImageText>],
        on_read: &mut dyn FnMut(usize, usize),
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
        // A long tweet is read in parts, so that no batch is larger than the device bears.
        let mut parts: Vec<(usize, &[SubwordSequence])> = windows
            .iter()
            .enumerate()
            .flat_map(|(i, windows)| windows.chunks(BATCH).map(move |part| (i, part)))
            .collect();
        // Tweets of like length side by side: padding is computed too. Parts of a tweet stay in order.
        parts.sort_by_key(|(_, part)| part.iter().map(|w| w.subwords.len()).max());
        let total: usize = parts.iter().map(|(_, part)| part.len()).sum();
        let mut done = 0;
        let mut answers: Vec<Vec<(&SubwordSequence, Answer)>> =
            tweets.iter().map(|_| Vec::new()).collect();
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
                .map(|&(i, part)| TweetInput {
                    words: tweets[i],
                    windows: part,
                    encoded: images[i],
                    context: contexts[i].as_ref(),
                })
                .collect();
            let batch = self.layout.batch(&inputs, false, &self.device);
            let (emissions, explanation) = self.system.explain(&batch);
            let most = explanation.as_ref().map(|e| e.objects.dims()[2]);
            let values = match explanation {
                Some(explanation) => explanation.beside(emissions),
                None => emissions,
            };
            let columns = values.dims()[2];
            for (&(i, part), rows) in chunk.iter().zip(batch.collect(values).await?) {
                let answer = match (images[i], most) {
                    (Some(encoded), Some(most)) => {
                        let objects = encoded.features.objects.len().min(most);
                        Answer::explained(&rows, columns, objects)
                    }
                    _ => Answer {
                        emissions: rows
                            .chunks_exact(columns)
                            .flat_map(|row| &row[..LABELS])
                            .copied()
                            .collect(),
                        evidence: None,
                    },
                };
                answers[i].push((&part[0], answer));
                done += part.len();
            }
            on_read(done, total);
        }
        let joined = answers.into_iter().map(|mut parts| {
            parts.sort_by_key(|(first, _)| first.window.words.start);
            Answer::joined(parts.into_iter().map(|(_, answer)| answer))
        });
        Ok(joined.collect())
    }
}
