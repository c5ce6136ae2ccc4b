//! Dev scores of a run's epochs, from the logs the learner keeps in the run's folder.

use crate::train::metric::SPAN_F1;
use std::fs;
use std::path::Path;

/// The epoch with the best dev span F1 and that score as a fraction; the earliest of equals.
/// `None` before the first epoch was evaluated.
pub fn best(run: &Path) -> Option<(usize, f64)> {
    (1..)
        .map_while(|epoch| Some((epoch, score(run, epoch)?)))
        .fold(None, |best: Option<(usize, f64)>, this| match best {
            Some(best) if best.1 >= this.1 => Some(best),
            _ => Some(this),
        })
}

/// Dev span F1 of an epoch, a fraction. The log's last line is the epoch's own value.
fn score(run: &Path, epoch: usize) -> Option<f64> {
    let name = SPAN_F1.replace(' ', "_");
    let log = fs::read_to_string(run.join(format!("valid/epoch-{epoch}/{name}.log"))).ok()?;
    let percent: f64 = log.lines().last()?.strip_suffix(",final")?.parse().ok()?;
    Some(percent / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_best_finished_epoch_wins() {
        let run = std::env::temp_dir().join(format!("mner-history-{}", std::process::id()));
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
        let found = best(&run);
        fs::remove_dir_all(&run).unwrap();
        assert_eq!(found, Some((2, 0.7)));
        assert_eq!(best(&run), None);
    }
}
