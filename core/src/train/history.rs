//! What a run's epochs gave, from the logs the learner keeps in the run's folder: `train` or `valid`, a folder an epoch, a file a
//! metric with a line a step and a last one for the epoch.

use crate::train::metric::SPAN_F1;
use std::fs;
use std::path::Path;

/// A metric over an epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logged {
    /// Its value at each step, in order.
    pub steps: Vec<f64>,
    /// The epoch's own, if it was finished.
    pub whole: Option<f64>,
}

/// A metric over the epochs of a run, from the first on. An epoch that was interrupted and done again counts as it was done last.
///
/// `split` is `train` or `valid`, `metric` the name the learner knows it by.
pub fn logged(run: &Path, split: &str, metric: &str) -> Vec<Logged> {
    let epochs = (1..).map_while(|epoch| log(run, split, epoch, metric));
    epochs.map(|log| parse(&log)).collect()
}

fn log(run: &Path, split: &str, epoch: usize, metric: &str) -> Option<String> {
    let file = format!("{split}/epoch-{epoch}/{}.log", metric.replace(' ', "_"));
    fs::read_to_string(run.join(file)).ok()
}

/// A line is a value, `value,count` or `value,final`. What cannot be read, such as the line at which a run was killed, is none.
fn parse(log: &str) -> Logged {
    let mut logged = Logged::default();
    for line in log.lines() {
        let (value, kind) = line.split_once(',').unwrap_or((line, ""));
        match (value.parse::<f64>(), kind) {
            (Ok(value), "final") => logged.whole = Some(value),
            (Ok(value), _) => logged.steps.push(value),
            (Err(_), _) => {}
        }
    }
    logged
}

/// The epoch with the best dev span F1 of the first `last` and that score as a fraction; the earliest of equals.
/// `None` before the first epoch was evaluated. What lies in the folder of later epochs is of a run that was killed.
pub fn best(run: &Path, last: usize) -> Option<(usize, f64)> {
    (1..=last)
        .map_while(|epoch| Some((epoch, score(run, epoch)?)))
        .fold(None, |best: Option<(usize, f64)>, this| match best {
            Some(best) if best.1 >= this.1 => Some(best),
            _ => Some(this),
        })
}

/// Dev span F1 of a finished epoch, a fraction.
fn score(run: &Path, epoch: usize) -> Option<f64> {
    let percent = parse(&log(run, "valid", epoch, SPAN_F1)?).whole?;
    Some(percent / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_best_finished_epoch_wins() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        for (epoch, log) in [
            (1, "50\n60,final\n"),
            (2, "70\n70,final\n"),
            (3, "70,final\n"),
            (4, "99\n"),
        ] {
            let folder = run.join(format!("valid/epoch-{epoch}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("Span_F1.log"), log).unwrap();
        }
        assert_eq!(best(run, 4), Some((2, 0.7)));
        assert_eq!(best(run, 1), Some((1, 0.6)));
        let scores = logged(run, "valid", SPAN_F1);
        assert_eq!(scores.len(), 4);
        assert_eq!(
            (&scores[0].steps[..], scores[0].whole),
            (&[50.0][..], Some(60.0))
        );
        assert_eq!(scores[3].whole, None);
        assert_eq!(best(&run.join("nothing"), 4), None);
    }

    #[test]
    fn lines_are_values_counts_and_the_epoch_s_own() {
        let logged = parse("2.5,4\n1.5,4\nNaN,4\n1.");
        assert_eq!(logged.steps.len(), 4);
        assert!(logged.steps[2].is_nan());
        assert_eq!(logged.whole, None);
        assert_eq!(parse("3,2\n2.25,final\n").whole, Some(2.25));
        assert_eq!(parse("-,\n\n"), Logged::default());
    }
}
