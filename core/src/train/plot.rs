//! The plot of a run: `training.svg` in its folder, drawn anew after each epoch from the run's own logs, so that it also
//! holds what was trained before a run was killed.

use crate::notice;
use crate::train::history::{Logged, logged};
use burn::train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn::train::metric::store::EventStoreClient;
use plotters::prelude::*;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The file in the run's folder.
pub const PLOT: &str = "training.svg";

/// Most points of a line that has one a step; each is the mean of the steps it stands for.
const POINTS: usize = 400;

/// Width of the plot and height of a panel in pixels.
const SIZE: (u32, u32) = (900, 320);

const COLOURS: [RGBColor; 3] = [
    RGBColor(31, 100, 180),
    RGBColor(196, 78, 20),
    RGBColor(30, 130, 90),
];
const FAINT: RGBColor = RGBColor(168, 186, 210);

/// A metric that the learner logs.
#[derive(Clone, Copy, Debug)]
pub struct Curve {
    /// `train` or `valid`.
    pub split: &'static str,
    /// The name it is logged by.
    pub metric: &'static str,
}

impl Curve {
    /// A metric of training.
    pub const fn train(metric: &'static str) -> Self {
        Self {
            split: "train",
            metric,
        }
    }

    /// A metric of validation.
    pub const fn valid(metric: &'static str) -> Self {
        Self {
            split: "valid",
            metric,
        }
    }
}

/// Curves over the same axes.
#[derive(Clone, Copy, Debug)]
pub struct Panel {
    /// What the vertical axis shows, with its unit.
    pub axis: &'static str,
    /// The curves, at most three.
    pub curves: &'static [Curve],
}

/// A strategy for checkpoints that also draws the run whenever an epoch is done.
pub struct Drawn<S> {
    /// What decides on checkpoints.
    pub strategy: S,
    /// The run's folder.
    pub run: PathBuf,
    /// What is drawn.
    pub panels: &'static [Panel],
}

impl<S: CheckpointingStrategy> CheckpointingStrategy for Drawn<S> {
    fn checkpointing(
        &mut self,
        epoch: usize,
        store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        keep(&self.run, self.panels);
        self.strategy.checkpointing(epoch, store)
    }
}

/// Draws the run. No run fails for want of a plot: what hinders it is said on standard error.
pub fn keep(run: &Path, panels: &[Panel]) {
    if let Err(error) = write(run, panels) {
        notice!(
            "{}: {error}; the run goes on without it",
            run.join(PLOT).display()
        );
    }
}

/// A curve in place.
struct Line {
    name: String,
    colour: RGBColor,
    /// Epochs and values.
    points: Vec<(f64, f64)>,
    /// Whether there is a point an epoch, which is marked.
    marked: bool,
}

/// Draws the run in a folder and keeps the plot there. A run without a finished step has none.
///
/// # Errors
/// If the plot cannot be written.
pub fn write(run: &Path, panels: &[Panel]) -> std::io::Result<()> {
    let panels: Vec<(&str, Vec<Line>)> = panels
        .iter()
        .map(|panel| (panel.axis, lines(run, panel)))
        .filter(|(_, lines)| !lines.is_empty())
        .collect();
    if panels.is_empty() {
        return Ok(());
    }
    let svg = draw(&panels).map_err(|e| std::io::Error::other(e.to_string()))?;
    let unfinished = run.join(format!("unfinished-{PLOT}"));
    fs::write(&unfinished, svg)?;
    fs::rename(unfinished, run.join(PLOT))
}

/// The lines of a panel: of training each step and the epochs, of validation the epochs.
fn lines(run: &Path, panel: &Panel) -> Vec<Line> {
    let mut all = Vec::new();
    for (curve, colour) in panel.curves.iter().zip(COLOURS) {
        let epochs = logged(run, curve.split, curve.metric);
        let train = curve.split == "train";
        let name = format!("{} {}", if train { "train" } else { "dev" }, curve.metric);
        if train {
            all.push(Line {
                name: format!("{name}, by step"),
                colour: FAINT,
                points: by_step(&epochs),
                marked: false,
            });
        }
        let points = epochs.iter().enumerate();
        all.push(Line {
            name: format!("{name}, by epoch"),
            colour,
            points: points
                .filter_map(|(at, epoch)| Some(((at + 1) as f64, epoch.whole?)))
                .filter(|(_, value)| value.is_finite())
                .collect(),
            marked: true,
        });
    }
    all.retain(|line| !line.points.is_empty());
    all
}

/// A point for each stretch of steps, at its end in epochs.
fn by_step(epochs: &[Logged]) -> Vec<(f64, f64)> {
    let steps: usize = epochs.iter().map(|epoch| epoch.steps.len()).sum();
    let each = steps.div_ceil(POINTS).max(1);
    // An epoch that was interrupted is as long as the longest.
    let whole = epochs.iter().map(|epoch| epoch.steps.len()).max();
    let whole = whole.unwrap_or(0).max(1) as f64;
    let mut points = Vec::new();
    for (epoch, logged) in epochs.iter().enumerate() {
        let mut done = 0;
        for steps in logged.steps.chunks(each) {
            done += steps.len();
            let mean = steps.iter().sum::<f64>() / steps.len() as f64;
            if mean.is_finite() {
                points.push((epoch as f64 + done as f64 / whole, mean));
            }
        }
    }
    points
}

/// From the least to the greatest value, with room above and below.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let room = ((high - low) * 0.06).max(high.abs() * 1e-3).max(1e-6);
    low - room..high + room
}

fn draw(panels: &[(&str, Vec<Line>)]) -> Result<String, DrawingAreaErrorKind<std::io::Error>> {
    let all = || panels.iter().flat_map(|(_, lines)| lines);
    let last = all().flat_map(|line| &line.points).map(|(x, _)| *x);
    let epochs = last.fold(1.0, f64::max);
    let mut svg = String::new();
    {
        let size = (SIZE.0, SIZE.1 * panels.len() as u32);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        // An SVG by itself has no page whose colours it could take.
        root.fill(&WHITE)?;
        for (area, (axis, lines)) in root.split_evenly((panels.len(), 1)).iter().zip(panels) {
            let values = lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y);
            let mut chart = ChartBuilder::on(area)
                .margin(14)
                .x_label_area_size(38)
                .y_label_area_size(56)
                .build_cartesian_2d(0.0..epochs * 1.01, range(values))?;
            chart
                .configure_mesh()
                .x_desc("epoch")
                .y_desc(*axis)
                .label_style(("sans-serif", 14))
                .axis_desc_style(("sans-serif", 15))
                .light_line_style(WHITE)
                .bold_line_style(RGBColor(225, 225, 225))
                .draw()?;
            for line in lines {
                let colour = line.colour;
                let series = LineSeries::new(line.points.iter().copied(), colour.stroke_width(2));
                chart
                    .draw_series(series)?
                    .label(&line.name)
                    .legend(move |(x, y)| {
                        PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3))
                    });
                if line.marked {
                    let mark = |&point: &(f64, f64)| Circle::new(point, 4, colour.filled());
                    chart.draw_series(line.points.iter().map(mark))?;
                }
            }
            chart
                .configure_series_labels()
                .label_font(("sans-serif", 14))
                .background_style(WHITE.mix(0.85))
                .border_style(RGBColor(200, 200, 200))
                .draw()?;
        }
        root.present()?;
    }
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSS: Panel = Panel {
        axis: "loss",
        curves: &[Curve::train("Loss"), Curve::valid("Loss")],
    };
    const F1: Panel = Panel {
        axis: "F1, %",
        curves: &[Curve::valid("Span F1")],
    };

    fn write_log(run: &Path, file: &str, text: &str) {
        let path = run.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_run_is_drawn_with_all_its_epochs_also_interrupted_ones() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        assert!(write(run, &[LOSS, F1]).is_ok());
        assert!(!run.join(PLOT).exists(), "there is nothing to draw");
        write_log(run, "train/epoch-1/Loss.log", "4,2\n3,2\n3.5,final\n");
        write_log(run, "valid/epoch-1/Loss.log", "2,2\n2,final\n");
        write_log(run, "valid/epoch-1/Span_F1.log", "40\n50,final\n");
        write_log(run, "train/epoch-2/Loss.log", "2.5,2\nNaN,2\n");
        write(run, &[LOSS, F1]).unwrap();
        let svg = fs::read_to_string(run.join(PLOT)).unwrap();
        for text in [
            "train Loss, by step",
            "dev Loss, by epoch",
            "dev Span F1",
            "F1, %",
        ] {
            assert!(svg.contains(text), "{text} is not in {svg}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        // The epochs' own values: one of training, two of dev.
        assert_eq!(svg.matches("<circle").count(), 3);
        assert_eq!(
            fs::read_dir(run).unwrap().count(),
            3,
            "no other file is left"
        );
    }

    #[test]
    fn long_runs_become_few_points_and_keep_their_mean() {
        let epoch = |from: usize| Logged {
            steps: (from..from + 1000).map(|step| step as f64).collect(),
            whole: None,
        };
        let points = by_step(&[epoch(0), epoch(1000)]);
        assert_eq!(points.len(), POINTS);
        assert_eq!(points.last().unwrap().0, 2.0);
        let mean = points.iter().map(|(_, y)| y).sum::<f64>() / POINTS as f64;
        assert!((mean - 999.5).abs() < 1e-9, "{mean}");
    }
}
