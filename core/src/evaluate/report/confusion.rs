//! The table of which type was taken for which.

use crate::evaluate::confusion::{Confusion, NOTHING, OTHER_ENDS};
use crate::label::EntityType;
use maud::{Markup, html};

pub(super) fn section(table: &Confusion) -> Markup {
    html! {
        section #confusion aria-labelledby="confusion-title" {
            h2 #confusion-title { "Which type was taken for which" }
            p {
                "A row is what the labels say, a column what the model found. " em { "Other ends" } " are names of which some "
                "words alone, or more than they, were found; they stand once in the row of their type and once in the column of "
                "what was found. A type's row adds up to its names, its column to what was found of it."
            }
            div.scroll {
                table.confusion {
                    thead {
                        tr {
                            th scope="col" { "labels \\ model" }
                            @for at in 0..table.0.len() { th.number scope="col" { (column(at)) } }
                        }
                    }
                    tbody {
                        @for (at, counts) in table.0.iter().enumerate() { (row(at, counts)) }
                    }
                }
            }
        }
    }
}

fn row(at: usize, counts: &[usize]) -> Markup {
    let all: usize = counts.iter().sum();
    html! {
        tr {
            th scope="row" { (row_name(at)) }
            @for (to, count) in counts.iter().enumerate() {
                @let share = *count as f64 / all.max(1) as f64;
                @if at >= OTHER_ENDS && to >= OTHER_ENDS {
                    // Nothing can stand there.
                    td.number.empty {}
                } @else {
                    td.number.(if at == to { "right" } else { "wrong" }) style={ "--share:" (format!("{share:.3}")) } { (count) }
                }
            }
        }
    }
}

fn column(at: usize) -> &'static str {
    match at {
        OTHER_ENDS => "other ends",
        NOTHING => "missed",
        at => EntityType::ALL[at].name(),
    }
}

fn row_name(at: usize) -> &'static str {
    match at {
        NOTHING => "invented",
        at => column(at),
    }
}
