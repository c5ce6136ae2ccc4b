//! `--report`: the evaluation as a page.

use crate::evaluate::pass::{Found, Pass};
use crate::evaluate::{Args, Passes};
use crate::failure::Failure;
use mner_core::data::corpus::Sample;
use mner_core::evaluate::calibration::Calibration;
use mner_core::evaluate::report::{Evaluation, Judged, ShownImage, page};
use mner_core::evaluate::scores::Report;
use mner_core::notice;
use mner_core::recognizer::Recognizer;
use mner_core::systems::image_batch::EncodedImage;
use std::path::{Path, PathBuf};

/// What the page is made of, beside the scores.
pub struct Material<'a> {
    pub samples: &'a [Sample],
    /// What the first pass found in each tweet.
    pub found: Vec<Found>,
    pub calibration: Calibration,
    /// The image of each tweet, where there are images.
    pub images: Option<&'a [Option<EncodedImage>]>,
}

/// Writes the page to `path`.
pub fn write(
    path: &Path,
    recognizer: &Recognizer,
    args: &Args,
    passes: &Passes,
    material: Material,
) -> Result<(), Failure> {
    let Material {
        samples,
        found,
        calibration,
        images,
    } = material;
    let files = args.images.paths(samples)?;
    let shown = |at: usize| -> Option<ShownImage> {
        let seen = &images?.get(at)?.as_ref()?.features;
        Some(ShownImage {
            path: files.get(at)?.clone()?,
            tags: seen.tags.iter().map(|tag| tag.name.clone()).collect(),
        })
    };
    let tweets = samples.iter().zip(found).enumerate();
    let evaluation = Evaluation {
        model: &recognizer.manifest().about.name,
        data: args
            .data
            .as_ref()
            .map_or_else(String::new, |source| tail(&source.path)),
        settings: settings(recognizer, args, samples.len(), &passes.own),
        tables: tables(passes),
        calibration,
        tweets: tweets
            .map(|(at, (sample, (gold, found)))| Judged::new(sample, gold, found, shown(at)))
            .collect(),
    };
    std::fs::write(path, page(&evaluation)).map_err(|e| format!("{}: {e}", path.display()))?;
    notice!("wrote {}", path.display());
    Ok(())
}

/// A file with its folder, and no more of the machine it lies on.
fn tail(path: &Path) -> String {
    let parts: Vec<_> = path.components().collect();
    let last: PathBuf = parts[parts.len().saturating_sub(2)..].iter().collect();
    last.display().to_string()
}

fn tables(passes: &Passes) -> Vec<(String, Report)> {
    let mut tables = Vec::new();
    let mut add = |title: &str, report: Option<&Report>| {
        tables.extend(report.map(|report| (title.to_owned(), report.clone())));
    };
    let (own, shuffled) = (&passes.own, passes.shuffled.as_ref());
    add("As evaluated", Some(&own.report));
    add(
        "Unseen entities: those in none of the corpora learnt from",
        own.unseen.as_ref(),
    );
    add(
        "With the images shuffled among the tweets",
        shuffled.map(|pass| &pass.report),
    );
    add(
        "Unseen entities, with the images shuffled",
        shuffled.and_then(|pass| pass.unseen.as_ref()),
    );
    tables
}

/// How the model was asked.
fn settings(
    recognizer: &Recognizer,
    args: &Args,
    tweets: usize,
    pass: &Pass,
) -> Vec<(&'static str, String)> {
    let manifest = recognizer.manifest();
    let weights = match manifest.quantization {
        Some(scheme) => format!("quantised, {scheme}"),
        None => "32 bits".to_owned(),
    };
    let images = match args.images.kind() {
        Some(kind) => kind.to_owned(),
        None if manifest.vision.is_some() => "none: read from the text alone".to_owned(),
        None => "none: the model reads text alone".to_owned(),
    };
    let user_names = match pass.user_names {
        Some(out) => format!(
            "left out: {} of the labels, {} of the answers",
            out.gold, out.found
        ),
        None => "scored".to_owned(),
    };
    let mut settings = vec![
        ("system", manifest.config.name().to_owned()),
        ("weights", weights),
        ("tweets", tweets.to_string()),
        ("images", images),
        ("user names", user_names),
    ];
    if let Some(r) = &pass.relevance {
        let grains = format!(
            "global {:.3}, object {:.3}, semantic {:.3}, spatial {:.3}",
            r.global, r.object, r.semantic, r.spatial
        );
        settings.push(("mean relevance of the image", grains));
    }
    settings
}
