//! MGCMT in a CPU's own memory, a tweet at a time: the arithmetic of the fusion and of [`super::stream`], without padding.
//!
//! What the streams make of an image before they meet the words is made once.

use crate::label::LABELS;
use crate::nn::host::{HostLayer, HostLinear, rows_at, side_by_side, sigmoid};
use crate::nn::linear::Linear;
use crate::nn::values::values;
use crate::systems::batch::{Batch, HostRow};
use crate::systems::image_batch::EncodedImage;
use crate::systems::image_rows::{ImageRows, number};
use crate::systems::makes_rows::MakesRows;
use crate::systems::mgcmt::stream::Stream;
use crate::systems::mgcmt::{Mgcmt, MgcmtConfig, OBJECTS};
use burn::tensor::{Device, Tensor, TensorData};
use std::sync::Arc;

/// MGCMT beyond `H`.
#[derive(Debug)]
pub struct HostMgcmt {
    /// Tells it from others, whose rows of an image are not its own.
    number: u64,
    main: HostLayer,
    narrow: Option<HostLinear>,
    image: Option<HostImage>,
    object: Option<HostObjects>,
    fuse: Option<HostLinear>,
    join: HostLinear,
    emit: HostLinear,
    width: usize,
    d: usize,
}

#[derive(Debug)]
struct HostImage {
    direct: HostLinear,
    round: Option<HostLinear>,
    stream: HostStream,
}

#[derive(Debug)]
struct HostObjects {
    /// A row a class, the first for none.
    classes: Vec<f32>,
    stream: HostStream,
}

#[derive(Debug)]
struct HostStream {
    sight: HostLayer,
    draw: HostLayer,
    round: Option<HostRound>,
}

#[derive(Debug)]
struct HostRound {
    sight: HostLayer,
    read: HostLayer,
    draw: HostLayer,
    gate: HostLinear,
}

/// The kinds of an image's rows: `V1` and `V2` of the grid.
const GRID_ROWS: [usize; 2] = [0, 1];
/// The same of the objects.
const OBJECT_ROWS: [usize; 2] = [2, 3];

impl MakesRows for HostMgcmt {
    fn rows(&self, image: &EncodedImage, _: &Device) -> Arc<ImageRows> {
        image.rows.of(self.number, || self.make_rows(image))
    }
}

impl HostMgcmt {
    /// The same as `system`; none where its encoder, or a transformer layer beyond it, does not compute on the host.
    pub fn new(system: &Mgcmt, config: &MgcmtConfig) -> Option<Self> {
        if !system.encoder.is_on_host() {
            return None;
        }
        let (fusion, epsilon) = (&system.fusion, config.encoder.epsilon);
        let image = match &fusion.image {
            Some(image) => Some(HostImage {
                direct: image.direct.to_host(),
                round: image.round.as_ref().map(Linear::to_host),
                stream: HostStream::new(&image.stream, epsilon)?,
            }),
            None => None,
        };
        let object = match &fusion.object {
            Some(object) => Some(HostObjects {
                classes: values(object.classes.weight.val()),
                stream: HostStream::new(&object.stream, epsilon)?,
            }),
            None => None,
        };
        let join = fusion.join.to_host();
        Some(Self {
            number: number(),
            main: fusion.main.to_host(epsilon)?,
            narrow: fusion.narrow.as_ref().map(Linear::to_host),
            image,
            object,
            fuse: fusion.fuse.as_ref().map(Linear::to_host),
            width: join.inputs() - join.outputs(),
            d: join.outputs(),
            join,
            emit: system.emit.to_host(),
        })
    }

    fn make_rows(&self, image: &EncodedImage) -> ImageRows {
        let features = &image.features;
        let mut rows = ImageRows::default();
        if let Some(image) = &self.image {
            let direct = image.direct.forward(&features.grid);
            let round = image.round.as_ref();
            let round = round.map(|round| round.forward(&features.grid));
            let both = [&direct, round.as_ref().unwrap_or(&direct)];
            image.stream.look(both, &mut rows, GRID_ROWS, self.width);
        }
        let objects = &features.objects[..features.objects.len().min(OBJECTS)];
        if let (Some(object), false) = (&self.object, objects.is_empty()) {
            let classes: Vec<usize> = objects.iter().map(|object| object.class + 1).collect();
            let embedded = rows_at(&object.classes, &classes, self.width);
            let stream = &object.stream;
            stream.look([&embedded; 2], &mut rows, OBJECT_ROWS, self.width);
        }
        rows
    }

    /// Emission scores of every word, `[R, N, 9]`, from `H`, `[R, P, D]`.
    pub fn emissions(&self, batch: &Batch, hidden: Tensor<3>) -> Tensor<3> {
        let device = hidden.device();
        let hidden = values(hidden);
        let rows = batch.by_rows(&hidden);
        let n = rows[0].first.len();
        let emissions: Vec<f32> = rows.iter().flat_map(|row| self.emissions_of(row)).collect();
        Tensor::from_data(TensorData::new(emissions, [rows.len(), n, LABELS]), &device)
    }

    /// Those of one tweet.
    fn emissions_of(&self, row: &HostRow<'_>) -> Vec<f32> {
        let subwords = self.main.forward_self(row.states);
        let own = rows_at(&subwords, &row.first, self.d);
        let fused = match (row.image, &self.fuse) {
            (Some(image), Some(fuse)) if !image.values.is_empty() => {
                let subwords = match &self.narrow {
                    Some(narrow) => narrow.forward(&subwords),
                    None => subwords,
                };
                let mut fused = fuse.forward(&self.drawn(&subwords, &row.first, image));
                fused.iter_mut().for_each(|x| *x = x.max(0.0));
                fused
            }
            _ => vec![0.0; row.first.len() * self.width],
        };
        let joined = side_by_side(&own, &fused, [self.d, self.width]);
        self.emit.forward(&self.join.forward(&joined))
    }

    /// `[F1 ; F2]`, `[N, 2 W]`, of `R`, `[P, W]`.
    fn drawn(&self, subwords: &[f32], first: &[usize], image: &ImageRows) -> Vec<f32> {
        let words = rows_at(subwords, first, self.width);
        let drawn = |stream: Option<&HostStream>, kinds: [usize; 2], gate_on_round| {
            let rows = kinds.map(|kind| image.of_kind(kind, self.width));
            match stream.filter(|_| !rows[0].is_empty()) {
                Some(stream) => stream.draw(&words, subwords, rows, gate_on_round),
                None => vec![0.0; words.len()],
            }
        };
        let image = self.image.as_ref().map(|image| &image.stream);
        let object = self.object.as_ref().map(|object| &object.stream);
        let drawn = [
            drawn(image, GRID_ROWS, false),
            drawn(object, OBJECT_ROWS, true),
        ];
        side_by_side(&drawn[0], &drawn[1], [self.width; 2])
    }
}

impl HostStream {
    fn new(stream: &Stream, epsilon: f64) -> Option<Self> {
        Some(Self {
            sight: stream.sight.to_host(epsilon)?,
            draw: stream.draw.to_host(epsilon)?,
            round: match &stream.round {
                Some(round) => Some(HostRound {
                    sight: round.sight.to_host(epsilon)?,
                    read: round.read.to_host(epsilon)?,
                    draw: round.draw.to_host(epsilon)?,
                    gate: round.gate.to_host(),
                }),
                None => None,
            },
        })
    }

    /// Adds `V1` and, with the way back and forth, `V2` to an image's rows, of what goes either way.
    fn look(
        &self,
        [direct, round]: [&Vec<f32>; 2],
        rows: &mut ImageRows,
        kinds: [usize; 2],
        width: usize,
    ) {
        rows.push(kinds[0], &self.sight.forward_self(direct), width);
        if let Some(own) = &self.round {
            rows.push(kinds[1], &own.sight.forward_self(round), width);
        }
    }

    /// What each word draws, `[N, W]`, from `V1` and `V2`; see [`Stream::forward`].
    fn draw(
        &self,
        words: &[f32],
        subwords: &[f32],
        [direct, round]: [&[f32]; 2],
        gate_on_round: bool,
    ) -> Vec<f32> {
        let (direct, _) = self.draw.forward_cross(words, direct);
        let Some(own) = &self.round else {
            return direct;
        };
        let (read, _) = own.read.forward_cross(round, subwords);
        let (back, _) = own.draw.forward_cross(words, &read);
        let (a, b) = match gate_on_round {
            false => (direct, back),
            true => (back, direct),
        };
        let mut gate = own
            .gate
            .forward(&side_by_side(&a, &b, [own.gate.outputs(); 2]));
        sigmoid(&mut gate);
        let drawn = gate.iter().zip(a.iter().zip(&b));
        drawn.map(|(gate, (a, b))| b + gate * (a - b)).collect()
    }
}
