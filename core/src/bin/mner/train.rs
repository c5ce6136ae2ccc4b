//! `mner train`: from a configuration to a bundle.

use crate::device;
use crate::failure::Failure;
use crate::output;
use burn::train::Interrupter;
use mner_core::bundle::quantize::Scheme;
use mner_core::data::image_text_files::Captioner;
use mner_core::systems::hamlearning::Part;
use mner_core::systems::mgcmt::Augmented;
use mner_core::systems::{SystemKind, mgcmt};
use mner_core::train::best_bundle::Averaged;
use mner_core::train::config::TrainConfig;
use mner_core::train::run::train;
use mner_core::tweet::words::Sigils;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

/// Train a system and write the bundle of its best epoch, or of its last epochs' mean
#[derive(clap::Args)]
pub struct Args {
    /// JSON file with the values below; flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Go on with a run that was interrupted
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Every field of [`TrainConfig`] as a flag.
#[derive(clap::Args, Serialize)]
struct Flags {
    /// Which system to train [default: text]
    #[arg(long)]
    system: Option<SystemKind>,
    /// Bundle to go on from: system, sizes, tokenizer and vision encoder are its own
    #[arg(long, value_name = "DIR")]
    start: Option<PathBuf>,
    /// Hugging Face folder of the encoder to start from
    #[arg(long, value_name = "DIR", conflicts_with = "start")]
    encoder: Option<PathBuf>,
    /// Corpus to learn from: a file, a file@weight, or a JSON object (repeatable)
    #[arg(long, value_name = "CORPUS", value_parser = source)]
    train: Option<Vec<Value>>,
    /// Corpus to choose the best epoch by (repeatable)
    #[arg(long, value_name = "CORPUS", value_parser = source)]
    dev: Option<Vec<Value>>,
    /// Folder of the tweets' own images, named by the tweets' ids
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Table of stand-in images: id, tab, path|similarity, ... a line
    #[arg(long, alias = "pictures", value_name = "TSV")]
    image_table: Option<PathBuf>,
    /// Of how many of a tweet's stand-in images, the best first, one is drawn anew each epoch [default: 1]
    #[arg(long)]
    stand_ins: Option<usize>,
    /// Weights of the image backbone (torchvision's names), imagenet_labels.txt beside them
    #[arg(long, value_name = "FILE")]
    backbone: Option<PathBuf>,
    /// Weights of the object detector (YOLOX-Nano), coco_labels.txt beside them
    #[arg(long, value_name = "FILE")]
    detector: Option<PathBuf>,
    /// Bundle whose vision encoder to take, but for a --detector that is given
    #[arg(long, alias = "eyes", value_name = "BUNDLE")]
    vision: Option<PathBuf>,
    /// Folder that keeps the image features [default: features in the run's]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// How many of the image backbone's last blocks learn too, 0 to 17 [default: 0]
    #[arg(long)]
    tune_blocks: Option<usize>,
    /// Fraction of the images left out, anew each epoch [default: 0.1]
    #[arg(long)]
    image_dropout: Option<Number>,
    /// Fraction of the images exchanged for another tweet's, anew each epoch [default: 0]
    #[arg(long)]
    image_swap: Option<Number>,
    /// Most detections of an image, up to 36 [default: 10]
    #[arg(long)]
    objects: Option<usize>,
    /// Hidden size beyond the encoder, 0 for the encoder's [default: 0]
    #[arg(long)]
    width: Option<usize>,
    /// Feed-forward size beyond the encoder, in widths [default: 4]
    #[arg(long)]
    ffn: Option<usize>,
    /// Turns in which words and image read each other, 1 to 4 [default: 2]
    #[arg(long)]
    iterations: Option<usize>,
    /// Whether all turns have the same weights [default: false]
    #[arg(long)]
    shared: Option<bool>,
    /// Parts of the system to leave out, to measure what they are worth
    #[arg(long, value_delimiter = ',')]
    without: Option<Vec<Part>>,
    /// word2vec file of tweets that MGCMT's augmentation is made of
    #[arg(long, value_name = "FILE")]
    word2vec: Option<PathBuf>,
    /// How MGCMT's augmentation joins the text [default: add]
    #[arg(long)]
    augmented: Option<Augmented>,
    /// Parts of MGCMT to leave out, to measure what they are worth
    #[arg(long, value_delimiter = ',')]
    mgcmt_without: Option<Vec<mgcmt::Part>>,
    /// JSONL that says in words what the tweets' images show, for ITA (repeatable)
    #[arg(long, value_name = "FILE")]
    context: Option<Vec<PathBuf>>,
    /// JSONL of captions of the tweets' images, for ITA (repeatable)
    #[arg(long, value_name = "FILE")]
    captions: Option<Vec<PathBuf>>,
    /// Whose captions to take from them [default: blip2]
    #[arg(long)]
    captioner: Option<Captioner>,
    /// Whether to learn from two aligned views, of tweet and image and of the text alone [default: only ITA]
    #[arg(long)]
    cross_view: Option<bool>,
    /// Temperature of the alignment [default: 4]
    #[arg(long)]
    temperature: Option<Number>,
    /// What teachers believe of tweets, a file of mner posteriors; learnt from beside the labels (repeatable)
    #[arg(long, value_name = "FILE")]
    posteriors: Option<Vec<PathBuf>>,
    /// Bundle of the same system, with wider feed-forward networks perhaps: what its layers are given is learnt too, without dropout
    #[arg(long, value_name = "BUNDLE")]
    imitate: Option<PathBuf>,
    /// Weight of what its layers are given, beside 1 for the labels [default: 10]
    #[arg(long)]
    imitate_weight: Option<Number>,
    /// JSONL of what the tweets' names are more finely, {"id", "entities": [{"name", "coarse", "fine"}]}: learnt beside the
    /// types (repeatable)
    #[arg(long, value_name = "FILE")]
    fine_types: Option<Vec<PathBuf>>,
    /// Temperature of the teachers' posteriors and the student's [default: 2]
    #[arg(long)]
    distill_temperature: Option<Number>,
    /// Weight of the teachers, beside 1 for the labels [default: 0.5]
    #[arg(long)]
    distill_weight: Option<Number>,
    /// Whether the model will read `@user` and `#topic` in raw tweets as one word or two [default: joined]
    #[arg(long)]
    sigils: Option<Sigils>,
    /// Terms of what the model is made of, for its manifest (repeatable)
    #[arg(long = "licence", value_name = "TEXT")]
    licences: Option<Vec<String>>,
    /// Code of the language the corpora are in (ISO 639), such as en, for the manifest and the model card (repeatable)
    #[arg(long = "language", value_name = "CODE")]
    languages: Option<Vec<String>>,
    /// Folder of the run
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[arg(long, value_delimiter = ',',
        help = format!("{}; several CUDA devices train data-parallel [default: cpu]", device::HELP))]
    device: Option<Vec<String>>,
    /// Seed of everything random [default: 1]
    #[arg(long)]
    seed: Option<u64>,
    /// Passes over the corpora [default: 5]
    #[arg(long)]
    epochs: Option<usize>,
    /// Tweets a step [default: 16]
    #[arg(long)]
    batch: Option<usize>,
    /// The longest window in subwords [default: 128]
    #[arg(long)]
    max_subwords: Option<usize>,
    /// Peak learning rate of the encoder [default: 1e-4]
    #[arg(long)]
    lr_encoder: Option<Number>,
    /// Peak learning rate of fresh layers [default: 1e-3]
    #[arg(long)]
    lr_new: Option<Number>,
    /// Peak learning rate of the layers between encoder and emissions [default: 2e-4]
    #[arg(long)]
    lr_fusion: Option<Number>,
    /// Peak learning rate of the relevance measure [default: 2e-4]
    #[arg(long)]
    lr_relevance: Option<Number>,
    /// Peak learning rate of the image backbone's blocks that learn [default: 1e-5]
    #[arg(long)]
    lr_backbone: Option<Number>,
    /// Peak learning rate of the CRF [default: 1e-2]
    #[arg(long)]
    lr_crf: Option<Number>,
    /// Weight decay, never on biases and layer norms [default: 0.01]
    #[arg(long)]
    weight_decay: Option<Number>,
    /// Fraction of the steps over which learning rates rise [default: 0.1]
    #[arg(long)]
    warmup: Option<Number>,
    /// Largest global gradient norm, 0 for none [default: 5]
    #[arg(long)]
    clip: Option<Number>,
    /// Dropout [default: 0.1]
    #[arg(long)]
    dropout: Option<Number>,
    /// Whether the encoder gets the word-shape table [default: true]
    #[arg(long)]
    shapes: Option<bool>,
    /// How many of the text encoder's first layers stay as they are, and its input tables with them [default: 0]
    #[arg(long)]
    freeze: Option<usize>,
    /// Stop after this many epochs without a better dev score, 0 for never [default: 0]
    #[arg(long)]
    patience: Option<usize>,
    /// Average the weights of this many of the last epochs, 0 for the best epoch's alone [default: 0]
    #[arg(long)]
    average: Option<usize>,
    /// Learn with the weights rounded as mner quantize would round them, which costs fewer bits less; the bundle is in f32
    #[arg(long, value_name = "SCHEME")]
    quantization_aware: Option<Scheme>,
}

/// A finite number: flags go through JSON, which has no other, and the default would stand in for it.
#[derive(Clone, Copy, Serialize)]
#[serde(transparent)]
struct Number(f64);

impl FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(number) if f64::is_finite(number) => Ok(Self(number)),
            Ok(_) => Err("this is no finite number".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// `file`, `file@0.5`, or the JSON object a configuration file would hold.
pub fn source(text: &str) -> Result<Value, String> {
    if text.starts_with('{') {
        return serde_json::from_str(text).map_err(|e| e.to_string());
    }
    match text
        .rsplit_once('@')
        .map(|(path, weight)| (path, weight.parse::<f64>()))
    {
        Some((_, Ok(weight))) if !weight.is_finite() => {
            Err(format!("the weight {weight} is no finite number"))
        }
        Some((path, Ok(weight))) => Ok(json!({ "path": path, "weight": weight })),
        _ => Ok(json!({ "path": text })),
    }
}

impl Args {
    /// The file's values under the flags', under the defaults.
    fn resolve(&self) -> Result<TrainConfig, Failure> {
        let mut config = match &self.config {
            Some(path) => {
                let text = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
                let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
                serde_json::from_slice(text).map_err(|e| format!("{}: {e}", path.display()))?
            }
            None => json!({}),
        };
        let flags = serde_json::to_value(&self.flags)?;
        let Value::Object(values) = &mut config else {
            return Err(Failure::Message(
                "the training configuration is not a JSON object".to_owned(),
            ));
        };
        for (name, value) in flags
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_null())
        {
            values.insert(name.clone(), value.clone());
        }
        let wrong = |error: serde_json::Error| self.wrong(values, &error);
        Ok(serde_json::from_value(Value::Object(values.clone())).map_err(wrong)?)
    }

    /// The sentence for values that are no configuration, with the name of the first that is none by itself.
    fn wrong(&self, values: &Map<String, Value>, error: &serde_json::Error) -> String {
        let file = self.config.as_ref();
        let place = file.map_or(String::new(), |path| format!("{}: ", path.display()));
        let alone = |(name, value): (&String, &Value)| {
            let alone = json!({ name: value });
            serde_json::from_value::<TrainConfig>(alone)
                .err()
                .map(|e| format!("`{name}`: {e}"))
        };
        let said = values.iter().find_map(alone);
        let said = said.unwrap_or_else(|| error.to_string());
        format!("{place}the training configuration: {said}")
    }
}

impl Flags {
    /// Refuses files that a system does not read.
    fn check(&self, system: SystemKind) -> Result<(), Failure> {
        let vision = system.reads_images();
        let files = [
            ("backbone", self.backbone.is_some(), vision),
            ("detector", self.detector.is_some(), vision),
            ("vision", self.vision.is_some(), vision),
            (
                "word2vec",
                self.word2vec.is_some(),
                system == SystemKind::Mgcmt,
            ),
            ("context", self.context.is_some(), system == SystemKind::Ita),
            (
                "captions",
                self.captions.is_some(),
                system == SystemKind::Ita,
            ),
        ];
        match files.iter().find(|(_, given, read)| *given && !read) {
            Some((name, ..)) => Err(format!(
                "the system {} does not read --{name}: leave it out, or give another --system",
                system.name()
            )
            .into()),
            None => Ok(()),
        }
    }
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let config = args.resolve()?;
    args.flags.check(config.system)?;
    let devices = device::parse_all(&config.device)?;
    let outcome = train(&config, &devices, args.resume, Interrupter::new())?;
    let averaged = outcome.averaged.map(|averaged| {
        let Averaged { epochs, dev_f1 } = averaged;
        format!("; the mean of the last {epochs}: {:.2}", 100.0 * dev_f1)
    });
    output::print(&format!(
        "best epoch {}: dev micro F1 {:.2}{}; the bundle is {}\n",
        outcome.best_epoch,
        100.0 * outcome.dev_f1,
        averaged.unwrap_or_default(),
        outcome.bundle.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn every_value_has_a_flag() {
        let cli = Cli::parse_from(["train"]);
        let flags = serde_json::to_value(&cli.args.flags).unwrap();
        let config = serde_json::to_value(TrainConfig::default()).unwrap();
        let names = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&flags), names(&config));
    }

    #[test]
    fn files_that_are_not_read_and_values_that_are_none_are_refused() {
        assert!(Cli::try_parse_from(["train", "--start", "a", "--encoder", "b"]).is_err());
        let message = |failure| match failure {
            Failure::Message(message) => message,
            Failure::ReaderLeft => "the reader left".to_owned(),
        };
        let cli = Cli::parse_from(["train", "--word2vec", "v.txt"]);
        let failure = cli.args.flags.check(SystemKind::Text).err().unwrap();
        assert!(message(failure).contains("text does not read --word2vec"));
        assert!(cli.args.flags.check(SystemKind::Mgcmt).is_ok());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.json");
        fs::write(&file, r#"{"seed": 2, "epochs": "two"}"#).unwrap();
        let cli = Cli::parse_from(["train", "--config", file.to_str().unwrap()]);
        let said = message(cli.args.resolve().err().unwrap());
        assert!(
            said.contains("run.json: ") && said.contains("`epochs`: invalid type"),
            "{said}"
        );
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for (flag, value) in [
            ("--lr-new", "nan"),
            ("--clip", "inf"),
            ("--dropout", "1e999"),
            ("--train", "a.txt@nan"),
        ] {
            let error = Cli::try_parse_from(["train", flag, value])
                .err()
                .expect(value);
            assert!(error.to_string().contains("no finite number"), "{error}");
        }
    }

    #[test]
    fn flags_win_over_defaults_and_name_corpora() {
        let cli = Cli::parse_from([
            "train",
            "--seed",
            "7",
            "--train",
            "a.txt@0.5",
            "--train",
            "b@home.txt",
            "--train",
            r#"{"path":"c"}"#,
        ]);
        let config = cli.args.resolve().map_err(|_| "a failure").unwrap();
        assert_eq!(config.seed, 7);
        assert_eq!(config.epochs, TrainConfig::default().epochs);
        let sources: Vec<_> = config
            .train
            .iter()
            .map(|s| (s.path.to_str().unwrap(), s.weight))
            .collect();
        assert_eq!(sources, [("a.txt", 0.5), ("b@home.txt", 1.0), ("c", 1.0)]);
    }
}
