//! `mner posteriors`: what teachers believe of tweets, for students to learn from.

use crate::bundle::{load, read};
use crate::device;
use crate::failure::Failure;
use crate::output::{Counter, check_file};
use crate::train::source;
use mner_core::data::corpus::{Sample, Source};
use mner_core::data::posteriors::PosteriorsWriter;
use mner_core::notice;
use mner_core::recognizer::Recognizer;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// Write what one or several teachers believe of every word of corpora, for mner train --posteriors
#[derive(clap::Args)]
pub struct Args {
    /// Bundle of a teacher (repeatable: their posteriors are averaged); it reads the words alone
    #[arg(long = "teacher", value_name = "DIR", required = true)]
    teachers: Vec<PathBuf>,
    /// A corpus, labelled or not, as for mner train (repeatable)
    #[arg(long, value_name = "FILE", required = true, value_parser = source)]
    data: Vec<Value>,
    #[arg(long, default_value = "cpu", help = device::HELP)]
    device: String,
    /// The file to write; one that is there already is gone on with
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Tweets that are read together.
const STEP: usize = 64;

pub fn run(args: &Args) -> Result<(), Failure> {
    let sources = args
        .data
        .iter()
        .map(|data| serde_json::from_value(data.clone()));
    let sources: Vec<Source> = sources.collect::<Result<_, _>>()?;
    check_file(
        &args.out,
        sources.iter().map(|source| source.path.as_path()),
    )?;
    let mut mark = Sha256::new();
    let teachers = args.teachers.iter().map(|folder| {
        let files = read(folder)?;
        mark.update(Sha256::digest(&files.manifest));
        load(files, &args.device)
    });
    let teachers: Vec<Recognizer> = teachers.collect::<Result<_, Failure>>()?;
    let mut writer = PosteriorsWriter::open(&args.out, mark.finalize().into())?;

    let mut tweets: Vec<Vec<String>> = Vec::new();
    for source in &sources {
        tweets.extend(
            source
                .read()?
                .into_iter()
                .map(|sample: Sample| sample.tokens),
        );
    }
    let before = tweets.len();
    tweets.retain(|words| writer.known().get(words).is_none());
    if before > tweets.len() {
        notice!("{} tweets are known already", before - tweets.len());
    }
    // Tweets of like length share a batch.
    tweets.sort_by_key(Vec::len);
    tweets.dedup();
    let mut counter = Counter::new(tweets.len(), "tweets");
    let mut done = 0;
    for chunk in tweets.chunks(STEP) {
        let words: Vec<&[String]> = chunk.iter().map(Vec::as_slice).collect();
        let mut sums: Vec<Vec<f64>> = Vec::new();
        for teacher in &teachers {
            let nothing = vec![None; words.len()];
            let answers = pollster::block_on(teacher.answers(&words, &nothing))?;
            let posteriors = answers.iter().map(|answer| teacher.posteriors(answer));
            if sums.is_empty() {
                sums = posteriors.collect();
            } else {
                for (sum, posteriors) in sums.iter_mut().zip(posteriors) {
                    sum.iter_mut()
                        .zip(posteriors)
                        .for_each(|(sum, p)| *sum += p);
                }
            }
        }
        let count = teachers.len() as f64;
        for (words, sum) in chunk.iter().zip(&sums) {
            let logs: Vec<f32> = sum.iter().map(|p| (p / count).ln() as f32).collect();
            writer.add(words, &logs)?;
        }
        writer.flush()?;
        done += chunk.len();
        counter.show(done);
    }
    counter.end();
    notice!("{} tweets in {}", writer.known().len(), args.out.display());
    Ok(())
}
