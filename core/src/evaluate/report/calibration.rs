//! The reliability diagram: how often entities are right, by their confidence.

use crate::evaluate::calibration::{BINS, Bin, Calibration};
use crate::evaluate::report::percent;
use maud::{Markup, html};

/// Side of the square in which the diagram is drawn, in its own units.
const SIDE: f64 = 300.0;
/// Where the square begins, right of and above its labels.
const LEFT: f64 = 46.0;
const TOP: f64 = 10.0;

pub(super) fn section(calibration: &Calibration) -> Markup {
    let error = percent(calibration.expected_error(), 1);
    html! {
        section #calibration aria-labelledby="calibration-title" {
            h2 #calibration-title { "Whether confidences mean what they say" }
            p {
                "Expected calibration error " strong { (error) " %" } " over " (calibration.found()) " entities in " (BINS)
                " bins: the mean distance of the bars from the diagonal, weighed by what is in them (Guo et al. 2017). A bar below "
                "the diagonal is overconfident."
            }
            div.beside {
                (diagram(calibration, &error))
                (table(calibration))
            }
        }
    }
}

/// Places of a fraction on the diagram, from the left and from the top.
fn across(fraction: f64) -> String {
    format!("{:.1}", LEFT + SIDE * fraction)
}

fn down(fraction: f64) -> String {
    format!("{:.1}", TOP + SIDE * (1.0 - fraction))
}

fn diagram(calibration: &Calibration, error: &str) -> Markup {
    let (width, height) = (LEFT + SIDE + 14.0, TOP + SIDE + 48.0);
    html! {
        svg.diagram viewBox={ "0 0 " (width) " " (height) } role="img" aria-labelledby="diagram-title diagram-text" {
            title id="diagram-title" { "Reliability diagram" }
            desc id="diagram-text" {
                "Share of right entities by confidence; expected calibration error " (error) " per cent. The table has the figures."
            }
            @for step in 0..=4 {
                @let at = f64::from(step) / 4.0;
                line.grid x1=(across(0.0)) x2=(across(1.0)) y1=(down(at)) y2=(down(at)) {}
                text x=(format!("{:.1}", LEFT - 6.0)) y=(down(at - 0.013)) text-anchor="end" { (percent(at, 0)) }
                text x=(across(at)) y=(format!("{:.1}", TOP + SIDE + 18.0)) text-anchor="middle" { (percent(at, 0)) }
            }
            @for (at, bin) in calibration.bins.iter().enumerate().filter(|(_, bin)| bin.found > 0) { (bar(at, bin)) }
            line.ideal x1=(across(0.0)) x2=(across(1.0)) y1=(down(0.0)) y2=(down(1.0)) {}
            text x=(across(0.5)) y=(format!("{:.1}", TOP + SIDE + 38.0)) text-anchor="middle" { "confidence, %" }
            text x="12" y=(down(0.5)) text-anchor="middle" transform={ "rotate(-90 12 " (down(0.5)) ")" } { "right, %" }
        }
    }
}

/// A bin's bar, as high as its share of right entities, and a mark at its mean confidence.
fn bar(at: usize, bin: &Bin) -> Markup {
    let from = at as f64 / BINS as f64;
    let width = SIDE / BINS as f64 - 4.0;
    html! {
        rect.bin x=(format!("{:.1}", LEFT + SIDE * from + 2.0)) y=(down(bin.precision())) width=(width)
            height=(format!("{:.1}", SIDE * bin.precision())) {
            title { (percent(bin.precision(), 1)) " % of " (bin.found) " right" }
        }
        circle.mean cx=(across(bin.confidence())) cy=(down(bin.confidence())) r="3.5" {}
    }
}

fn table(calibration: &Calibration) -> Markup {
    html! {
        div.scroll {
            table {
                caption { "Entities by confidence; bins with none are left out" }
                thead {
                    tr {
                        @for name in ["confidence, %", "entities", "mean, %", "right, %"] { th.number scope="col" { (name) } }
                    }
                }
                tbody {
                    @for (at, bin) in calibration.bins.iter().enumerate().filter(|(_, bin)| bin.found > 0) {
                        tr {
                            th.number scope="row" { (at * 100 / BINS) " to " ((at + 1) * 100 / BINS) }
                            td.number { (bin.found) }
                            td.number { (percent(bin.confidence(), 1)) }
                            td.number { (percent(bin.precision(), 1)) }
                        }
                    }
                }
            }
        }
    }
}
