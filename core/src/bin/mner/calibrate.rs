//! `mner calibrate`: confidences that mean what they say.

use crate::bundle::{check_out, read, write};
use crate::device;
use crate::evaluate::pass::{Pass, Question, pass};
use crate::evaluate::{corpus, must_tell_fine_types};
use crate::failure::Failure;
use crate::output;
use crate::threads;
use crate::user_names::UserNames;
use mner_core::bundle::manifest::{AboutFineTypes, Manifest};
use mner_core::bundle::{BundleFiles, Compute};
use mner_core::data::corpus::{Sample, Source};
use mner_core::data::fine_types::FineTypeNames;
use mner_core::decode::chunks::{Rule, chunks};
use mner_core::decode::confidence::ConfidenceScaling;
use mner_core::decode::entities::WordEntity;
use mner_core::evaluate::calibration::Calibration;
use mner_core::evaluate::fine_types::FineTypeScores;
use mner_core::evaluate::platt::{believed, scaling};
use mner_core::evaluate::temperature::temperature;
use mner_core::recognizer::Recognizer;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Make a bundle's confidences mean what they say, by labelled tweets that it did not learn from
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the bundle
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Labelled tweets, as for evaluate (repeatable: each counts alike, but for the `"weight"` of
    /// a corpus as a JSON object)
    #[arg(long, required = true, value_name = "CORPUS", value_parser = corpus)]
    data: Vec<Source>,
    /// JSONL of what the names of these tweets are more finely, as for evaluate: makes the probabilities of fine types mean what
    /// they say, and records their scores (repeatable)
    #[arg(long, value_name = "FILE")]
    fine_types: Vec<PathBuf>,
    /// Folder to write; the bundle's own unless given, of which the manifest and the card change
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[arg(long, value_name = "N", help = threads::HELP)]
    threads: Option<NonZeroUsize>,
}

/// Where the tweets are read: as the bundle computes there, its 8-bit activations included.
const CPU: &str = "cpu";

/// A corpus and what was found in it.
struct Read {
    name: String,
    /// How much all of it counts.
    weight: f64,
    samples: Vec<Sample>,
    found: Vec<Vec<WordEntity>>,
    /// Log probabilities of the fine types of entities, and the right one.
    fine_type_cases: Vec<(Vec<f64>, usize)>,
    fine_types: Option<FineTypeScores>,
}

impl Read {
    /// How much an entity counts, so that corpora count as they should however many entities they have.
    fn each(&self) -> f64 {
        self.weight / self.found.iter().map(Vec::len).sum::<usize>().max(1) as f64
    }

    /// The tweets of every second place, from `first`.
    fn half(&self, first: usize) -> impl Iterator<Item = (&Sample, &Vec<WordEntity>)> {
        self.samples.iter().zip(&self.found).skip(first).step_by(2)
    }
}

/// Lines fitted to the tweets of every second place, from each of `firsts`.
fn fitted(corpora: &[Read], firsts: &[usize]) -> ConfidenceScaling {
    let all = corpora.iter().flat_map(|corpus| {
        firsts.iter().flat_map(|&first| {
            corpus
                .half(first)
                .flat_map(|(sample, found)| believed(&sample.labels, found, corpus.each()))
        })
    });
    scaling(&all.collect::<Vec<_>>())
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let out = args.out.as_ref().unwrap_or(&args.bundle);
    check_out(out, &args.bundle)?;
    let mut files = read(&args.bundle)?;
    let mut manifest = Manifest::parse(&files.manifest)?;
    // What it was calibrated to before is forgotten.
    (manifest.about.confidence, manifest.about.fine_types) = (None, None);
    let names = FineTypeNames::read(&args.fine_types)?;
    let names = (!args.fine_types.is_empty()).then_some(&names);
    if names.is_some() {
        must_tell_fine_types(&manifest)?;
    }
    files.manifest = manifest.to_bytes()?;
    let device = device::parse(CPU)?;
    let load = Recognizer::load(files.clone(), &device, Compute::Host);
    let recognizer = pollster::block_on(load)?;
    let threads = threads::count(args.threads, CPU)?;
    let corpora: Vec<Read> = args
        .data
        .iter()
        .map(|source| read_off(&recognizer, source, names, threads))
        .collect::<Result<_, _>>()?;

    // Each half by the lines of the other: what is said is not measured on what it was fitted to.
    let crossed = [fitted(&corpora, &[1]), fitted(&corpora, &[0])];
    let mut said = String::new();
    for corpus in &corpora {
        let (mut before, mut after) = (Calibration::default(), Calibration::default());
        for (first, lines) in crossed.iter().enumerate() {
            for (sample, found) in corpus.half(first) {
                let scaled: Vec<WordEntity> = found
                    .iter()
                    .cloned()
                    .map(|entity| lines.apply(entity))
                    .collect();
                before.add(&sample.labels, found);
                after.add(&sample.labels, &scaled);
            }
        }
        said += &format!(
            "{}: expected calibration error {:.1} % before, {:.1} % after, of {} entities\n",
            corpus.name,
            100.0 * before.expected_error(),
            100.0 * after.expected_error(),
            before.found()
        );
    }
    manifest.about.confidence = Some(fitted(&corpora, &[0, 1]));
    if names.is_some() {
        let cases = corpora.iter().flat_map(|c| c.fine_type_cases.clone());
        let cases: Vec<_> = cases.collect();
        let temperature = temperature(&cases);
        let mut scores = FineTypeScores::default();
        for one in corpora.iter().filter_map(|c| c.fine_types.as_ref()) {
            scores.merge(one);
        }
        let report = scores.report();
        said += &format!(
            "fine types: F1 {:.1} % on {} tweets, temperature {temperature:.2}\n",
            100.0 * report.micro.f1,
            report.tweets
        );
        let mut scores: BTreeMap<String, f64> = report
            .types
            .into_iter()
            .filter(|(_, score)| score.support > 0)
            .map(|(name, score)| (name, score.f1))
            .collect();
        scores.insert("micro".to_owned(), report.micro.f1);
        manifest.about.fine_types = Some(AboutFineTypes {
            temperature,
            scores,
        });
    }
    let calibrated = BundleFiles {
        manifest: manifest.to_bytes()?,
        ..files
    };
    write(&calibrated, out)?;
    output::print(&format!("{said}wrote {}\n", out.display()))
}

fn read_off(
    recognizer: &Recognizer,
    source: &Source,
    fine_types: Option<&FineTypeNames>,
    threads: NonZeroUsize,
) -> Result<Read, Failure> {
    let samples = source.read()?;
    let name = source.path.display().to_string();
    if !(source.weight > 0.0 && source.weight.is_finite()) {
        return Err(format!(
            "{name} has the weight {}; give one above 0, or leave the file out",
            source.weight
        )
        .into());
    }
    if samples
        .iter()
        .all(|sample| chunks(&sample.labels, Rule::Lenient).is_empty())
    {
        return Err(format!("{name} labels no entity: what is right cannot be seen in it").into());
    }
    let known = vec![None; samples.len()];
    let Pass {
        judged,
        fine_type_scores,
        fine_type_cases,
        ..
    } = pass(
        recognizer,
        &Question {
            samples: &samples,
            images: None,
            known: &known,
            names: None,
            fine_types,
            user_names: UserNames::default(),
            calibrated: false,
            judged: true,
            threads,
        },
    )?;
    let found = judged.into_iter().map(|(_, found)| found).collect();
    Ok(Read {
        name,
        weight: source.weight,
        samples,
        found,
        fine_type_cases,
        fine_types: fine_type_scores,
    })
}
