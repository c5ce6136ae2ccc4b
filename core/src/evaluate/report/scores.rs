//! Precision, recall and F1 by type.

use crate::evaluate::report::{Evaluation, percent};
use crate::evaluate::scores::{Report, Table};
use maud::{Markup, html};

pub(super) fn section(evaluation: &Evaluation) -> Markup {
    html! {
        section #scores aria-labelledby="scores-title" {
            h2 #scores-title { "Scores" }
            p {
                "An entity counts if its type and both its ends are exact; figures are per cent. The lenient rule is the one that "
                "published scores are computed by."
            }
            @for (title, report) in &evaluation.tables { (tables(title, report)) }
        }
    }
}

fn tables(title: &str, report: &Report) -> Markup {
    let rules = [("lenient", &report.lenient), ("strict", &report.strict)];
    html! {
        h3 { (title) }
        // Well-formed labels score alike by both rules.
        @if report.lenient == report.strict {
            (table("both rules, which agree here", &report.lenient))
        } @else {
            @for (rule, scores) in rules { (table(&format!("{rule} rule"), scores)) }
        }
    }
}

fn table(caption: &str, scores: &Table) -> Markup {
    html! {
        div.scroll {
            table {
                caption { (caption) }
                thead {
                    tr {
                        th scope="col" { "type" }
                        @for name in ["precision", "recall", "F1", "names"] { th.number scope="col" { (name) } }
                        th scope="col" aria-hidden="true" {}
                    }
                }
                tbody {
                    @for (name, score) in scores.rows() {
                        tr.(if name == "micro" { "all" } else { "one" }) {
                            th scope="row" { (if name == "micro" { "all types" } else { name }) }
                            @for fraction in [score.precision, score.recall, score.f1] {
                                td.number { (percent(fraction, 2)) }
                            }
                            td.number { (score.support) }
                            td.bar aria-hidden="true" {
                                span.(name.to_lowercase()) style={ "width:" (percent(score.f1, 1)) "%" } {}
                            }
                        }
                    }
                }
            }
        }
    }
}
