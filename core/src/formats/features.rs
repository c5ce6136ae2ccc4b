//! What a model computes of a tweet and reads of its image, as one safetensors file: to analyse it elsewhere, or to check
//! another implementation against this one. `core/README.md` lists the tensors.

use crate::decode::chain::ChainScores;
use crate::label::{EntityType, LABELS, Label};
use crate::recognizer::internals::Internals;
use crate::systems::image_batch::EncodedImage;
use crate::systems::ita::context::ContextSubwords;
use crate::vision::features::GRID;
use crate::vision::tags::ClassNames;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The entry of the file's metadata: JSON. One entry, since several come in any order, and equal answers should make equal files.
pub const METADATA: &str = "mner";

/// A file in the making.
#[derive(Debug, Default)]
pub struct FeatureFile {
    tensors: Vec<Owned>,
    metadata: Map<String, Value>,
}

/// A tensor with its bytes, little-endian, row by row.
#[derive(Debug)]
struct Owned {
    name: &'static str,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl FeatureFile {
    /// A file that says which model it comes from.
    pub fn new(model: &str, system: &str) -> Self {
        let mut file = Self::default();
        file.say("model", json!(model));
        file.say("system", json!(system));
        file
    }

    fn say(&mut self, name: &str, value: Value) {
        self.metadata.insert(name.to_owned(), value);
    }

    fn add(&mut self, name: &'static str, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) {
        self.tensors.push(Owned {
            name,
            dtype,
            shape: shape.to_vec(),
            bytes,
        });
    }

    fn f32(&mut self, name: &'static str, shape: &[usize], values: impl IntoIterator<Item = f32>) {
        let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
        self.add(name, Dtype::F32, shape, bytes);
    }

    fn f64(&mut self, name: &'static str, shape: &[usize], values: impl IntoIterator<Item = f64>) {
        let bytes = values.into_iter().flat_map(f64::to_le_bytes).collect();
        self.add(name, Dtype::F64, shape, bytes);
    }

    fn i64(
        &mut self,
        name: &'static str,
        shape: &[usize],
        values: impl IntoIterator<Item = usize>,
    ) {
        let bytes = values
            .into_iter()
            .flat_map(|value| (value as i64).to_le_bytes())
            .collect();
        self.add(name, Dtype::I64, shape, bytes);
    }

    /// Adds the scores of the CRF as they were learnt.
    pub fn add_crf(&mut self, crf: &ChainScores) {
        let of = |scores: &[f64]| scores.iter().map(|&score| score as f32).collect::<Vec<_>>();
        self.f32("crf.start", &[LABELS], of(&crf.start));
        self.f32("crf.transitions", &[LABELS; 2], of(&crf.transitions));
        self.f32("crf.end", &[LABELS], of(&crf.end));
    }

    /// Adds what was computed of a tweet.
    pub fn add_tweet(&mut self, text: &str, seen: &Internals) {
        let words = seen.words.len();
        let emissions = seen.answer.emissions.iter().map(|&score| score as f32);
        self.f32("emissions", &[words, LABELS], emissions);
        let marginals = seen.marginals.iter().copied();
        self.f64("marginals", &[words, LABELS], marginals);
        let labels = seen.labels.iter().map(|label| label.index());
        self.i64("labels", &[words], labels);
        let bounds = seen
            .bounds
            .iter()
            .flat_map(|b| [b.begins, b.continues, b.ends, b.follows].map(u8::from))
            .collect();
        self.add("bounds", Dtype::U8, &[words, 4], bounds);
        let spans = seen.words.iter();
        let bytes = spans.clone().flat_map(|w| [w.bytes.start, w.bytes.end]);
        self.i64("words.bytes", &[words, 2], bytes);
        let chars = spans.flat_map(|w| [w.chars.start, w.chars.end]);
        self.i64("words.chars", &[words, 2], chars);

        let found = &seen.entities;
        let ends = found.iter().flat_map(|e| [e.words.start, e.words.end]);
        self.i64("entities.words", &[found.len(), 2], ends);
        let types = found.iter().map(|entity| entity.kind as usize);
        self.i64("entities.types", &[found.len()], types);
        let confidences = found.iter().map(|entity| entity.confidence);
        self.f64("entities.confidences", &[found.len()], confidences);

        if let Some(evidence) = &seen.answer.evidence {
            let attention = evidence.attention();
            let columns = attention.first().map_or(GRID, Vec::len);
            let values = attention.iter().flatten().copied();
            self.f64("attention", &[words, columns], values);
            let r = evidence.relevance;
            let grains = [r.global, r.object, r.semantic, r.spatial];
            self.f64("relevance", &[grains.len()], grains);
        }
        let labels = (0..LABELS).map(|i| Label::from_index(i).to_string());
        self.say("labels", labels.collect());
        self.say("types", json!(EntityType::ALL));
        self.say("text", json!(text));
        self.say("words", json!(seen.tokens));
    }

    /// Adds what the systems read of an image; `names` are those of the detector's classes, `context` what ITA makes of it.
    pub fn add_image(
        &mut self,
        image: &EncodedImage,
        names: Option<&ClassNames>,
        context: Option<&ContextSubwords>,
    ) {
        let seen = &image.features;
        let (objects, channels) = (seen.objects.len(), seen.channels);
        let size = [seen.width as usize, seen.height as usize];
        self.i64("image.size", &[2], size);
        let grid = seen.grid.iter().copied();
        self.f32("image.grid", &[GRID, channels], grid);
        let embedding = seen.embedding.iter().copied();
        self.f32("image.embedding", &[seen.embedding.len()], embedding);
        let regions = seen.regions.iter().copied();
        self.f32("image.regions", &[objects, channels], regions);
        let boxes = seen.objects.iter().flat_map(|object| object.bounds);
        self.f32("image.boxes", &[objects, 4], boxes);
        let relative = seen.relative_boxes().into_iter().flatten();
        self.f32("image.relative_boxes", &[objects, 5], relative);
        let classes = seen.objects.iter().map(|object| object.class);
        self.i64("image.classes", &[objects], classes);
        let scores = seen.objects.iter().map(|object| object.score);
        self.f32("image.scores", &[objects], scores);
        let labels = seen.spatial_labels();
        self.add("image.spatial_labels", Dtype::U8, &[objects; 2], labels);
        let geometries = seen.geometries();
        let each = crate::image::spatial::GEOMETRY;
        self.f32("image.geometries", &[objects, objects, each], geometries);

        let probabilities = seen.tags.iter().map(|tag| tag.probability);
        self.f32("image.tags", &[seen.tags.len()], probabilities);
        let ids = image.tags.iter().flat_map(|tag| &tag.subwords);
        let ids: Vec<usize> = ids.map(|&id| id as usize).collect();
        self.i64("image.tag_subwords", &[ids.len()], ids.iter().copied());
        let weights = image.tags.iter().flat_map(|tag| {
            let each = tag.probability / tag.subwords.len() as f32;
            tag.subwords.iter().map(move |_| each)
        });
        self.f32("image.tag_weights", &[ids.len()], weights);
        if let Some(context) = context {
            let ids = context.ids().into_iter().map(|id| id as usize);
            self.i64("image.context", &[ids.len()], ids);
        }
        let name = |class: usize| names.and_then(|names| names.name(class));
        let names = seen.objects.iter().map(|object| json!(name(object.class)));
        self.say("objects", names.collect());
        self.say("tags", json!(seen.tags));
    }

    /// The file's bytes; the same for the same answer.
    pub fn to_bytes(&self) -> Vec<u8> {
        let views = self.tensors.iter().map(|tensor| {
            let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes);
            (
                tensor.name,
                view.expect("a tensor has the values of its shape"),
            )
        });
        let metadata = Value::Object(self.metadata.clone()).to_string();
        let metadata = HashMap::from([(METADATA.to_owned(), metadata)]);
        safetensors::serialize(views, Some(metadata)).expect("names are told apart")
    }
}
