//! Tweets that say what a bundle's linear layers are given.

use crate::device;
use crate::evaluate::corpus;
use crate::failure::Failure;
use crate::images::ImageArgs;
use crate::output::Counter;
use mner_core::bundle::quantize::LinearInputs;
use mner_core::bundle::{BundleFiles, Compute};
use mner_core::data::corpus::Source;
use mner_core::packing::inputs::linear_inputs;
use mner_core::recognizer::Recognizer;
use mner_core::splitmix::SplitMix64;

/// The tweets, and with what they are read.
#[derive(clap::Args)]
pub struct TweetArgs {
    /// Tweets, as for evaluate, whose labels are not looked at: what linear layers compute of these changes least, in place of the
    /// weights themselves (repeatable)
    #[arg(long, value_name = "CORPUS", value_parser = corpus)]
    tweets: Vec<Source>,
    /// How many of the tweets to read, at random
    #[arg(long, value_name = "N", default_value_t = 2000, requires = "tweets")]
    sample: usize,
    #[command(flatten)]
    images: ImageArgs,
    #[arg(long, default_value = "cpu", help = device::HELP, requires = "tweets")]
    device: String,
}

impl TweetArgs {
    /// Whether any are named.
    pub fn is_given(&self) -> bool {
        !self.tweets.is_empty()
    }

    /// What the linear layers of the bundle are given while it reads the tweets; nothing where none are named.
    pub fn linear_inputs(&self, files: &BundleFiles) -> Result<LinearInputs, Failure> {
        if !self.is_given() {
            return match self.images.kind() {
                Some(_) => Err(Failure::Message(
                    "images are read beside tweets: give --tweets, or leave the images out"
                        .to_owned(),
                )),
                None => Ok(LinearInputs::new()),
            };
        }
        let device = device::parse(&self.device)?;
        let load = Recognizer::load(files.clone(), &device, Compute::Device);
        let recognizer = pollster::block_on(load)?;
        let mut samples = Vec::new();
        for source in &self.tweets {
            samples.extend(source.read()?);
        }
        SplitMix64(1).shuffle(&mut samples);
        samples.truncate(self.sample);
        let images = self.images.encoded_images(&recognizer, &samples)?;
        let tweets = samples.iter().enumerate().map(|(i, sample)| {
            let image = images.as_ref().and_then(|images| images[i].as_ref());
            (sample.tokens.as_slice(), image)
        });
        let mut counter = Counter::new(samples.len(), "tweets");
        let inputs = linear_inputs(&recognizer, tweets, |done| counter.show(done))?;
        counter.end();
        Ok(inputs)
    }
}
