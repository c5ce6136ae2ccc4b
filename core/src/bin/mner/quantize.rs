//! `mner quantize`: a smaller bundle.

use crate::evaluate::corpus;
use crate::failure::Failure;
use crate::images::ImageArgs;
use crate::output::{Counter, check_folder};
use crate::{bundle, device};
use mner_core::bundle::quantize::{LinearInputs, Scheme};
use mner_core::bundle::{BundleFiles, Compute};
use mner_core::data::corpus::Source;
use mner_core::notice;
use mner_core::packing::inputs::linear_inputs;
use mner_core::packing::quantize_bundle_for;
use mner_core::recognizer::Recognizer;
use mner_core::splitmix::SplitMix64;
use std::path::PathBuf;

/// Write a bundle with weights of 8 or 4 bits: a quarter to a seventh of the bytes
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the f32 bundle
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Bits a weight; mixed: 4 for the table of subwords and the projector of images, 8 for all else
    #[arg(long)]
    scheme: Scheme,
    /// Tweets, as for evaluate, whose labels are not looked at: the weights of linear layers are rounded so that what they
    /// compute of these tweets changes least, in place of the weights themselves (repeatable)
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

pub fn run(args: &Args) -> Result<(), Failure> {
    check_folder(&args.out)?;
    let files = bundle::read(&args.bundle)?;
    let inputs = match args.tweets.is_empty() {
        true if args.images.kind().is_some() => {
            return Err(Failure::Message(
                "images are read beside tweets: give --tweets, or leave the images out".to_owned(),
            ));
        }
        true => LinearInputs::new(),
        false => inputs(args, &files)?,
    };
    let small = quantize_bundle_for(&files, args.scheme, &inputs, &device::parse("cpu")?)?;
    bundle::write(&small, &args.out)?;
    let bytes =
        |files: &BundleFiles| files.weights.len() + files.vision.as_ref().map_or(0, Vec::len);
    notice!(
        "wrote {}: weights of {} bytes instead of {}",
        args.out.display(),
        bytes(&small),
        bytes(&files)
    );
    Ok(())
}

/// What the model computes with while it reads the tweets.
fn inputs(args: &Args, files: &BundleFiles) -> Result<LinearInputs, Failure> {
    let device = device::parse(&args.device)?;
    let load = Recognizer::load(files.clone(), &device, Compute::Device);
    let recognizer = pollster::block_on(load)?;
    let mut samples = Vec::new();
    for source in &args.tweets {
        samples.extend(source.read()?);
    }
    SplitMix64(1).shuffle(&mut samples);
    samples.truncate(args.sample);
    let images = args.images.encoded_images(&recognizer, &samples)?;
    let tweets = samples.iter().enumerate().map(|(i, sample)| {
        let image = images.as_ref().and_then(|images| images[i].as_ref());
        (sample.tokens.as_slice(), image)
    });
    let mut counter = Counter::new(samples.len(), "tweets");
    let inputs = linear_inputs(&recognizer, tweets, |done| counter.show(done))?;
    counter.end();
    Ok(inputs)
}
