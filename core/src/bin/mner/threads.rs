//! Work shared over threads: its results come in order, and only so much is under way at a time.

use crate::failure::Failure;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// What `--threads` says of itself in every command.
pub const HELP: &str = "Threads that read tweets, each a core; the answers are the same for any number [default: all cores with --device cpu, else 1]";

/// Pieces under way for each thread: one in work, one waiting for it and one that waits for its turn to be written.
const AHEAD: usize = 3;

/// More threads than these are a slip of the pen: each has a stack, and a system refuses some ten thousand of them.
const MOST: usize = 1024;

/// How many threads to use on the device of this name.
///
/// # Errors
/// Several for another device than the CPU, which is fed by one, and more than any machine has use for.
pub fn count(asked: Option<NonZeroUsize>, device: &str) -> Result<NonZeroUsize, Failure> {
    match asked {
        Some(threads) if device != "cpu" && threads != NonZeroUsize::MIN => {
            Err(Failure::Message(format!(
                "--threads {threads} is for --device cpu; {device} has its own: leave --threads out"
            )))
        }
        Some(threads) if threads.get() > MOST => Err(Failure::Message(format!(
            "--threads {threads} is above {MOST}; each is a core at best, so give it as many as there are cores, or leave it out"
        ))),
        Some(threads) => Ok(threads),
        None if device == "cpu" => Ok(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)),
        None => Ok(NonZeroUsize::MIN),
    }
}

/// A piece of the source, or its end; what was made of a piece.
enum Event<I, O> {
    Read(Option<Result<I, Failure>>),
    Done(usize, Result<O, Failure>),
}

/// Does `work` on every piece that `source` gives, on `threads` threads, and hands what it makes of them to `sink` in the
/// order of the source. One thread is the caller's own; several are beside it, and a source that is ahead of the sink by
/// [`AHEAD`] pieces a thread waits.
///
/// # Errors
/// The first in the order of the source: of the source, the work or the sink. The pieces before it have reached the sink. A
/// source that is just then waiting for more is left waiting, so a caller who goes on after an error keeps its thread.
pub fn in_order<I: Send + 'static, O: Send + 'static>(
    threads: NonZeroUsize,
    mut source: impl Iterator<Item = Result<I, Failure>> + Send + 'static,
    work: impl Fn(I) -> Result<O, Failure> + Sync,
    mut sink: impl FnMut(O) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if threads == NonZeroUsize::MIN {
        let _pool = alone();
        while let Some(piece) = caught(|| source.next().transpose())? {
            sink(caught(|| work(piece))?)?;
        }
        return Ok(());
    }
    let (events, heard) = mpsc::channel();
    let (permits, permitted) = mpsc::channel();
    for _ in 0..AHEAD * threads.get() {
        let _ = permits.send(());
    }
    let read = events.clone();
    thread::spawn(move || {
        while permitted.recv().is_ok() {
            let piece = caught(|| source.next().transpose()).transpose();
            let last = !matches!(piece, Some(Ok(_)));
            if read.send(Event::Read(piece)).is_err() || last {
                return;
            }
        }
    });
    let (jobs, waiting) = mpsc::channel();
    let (waiting, stopped) = (Mutex::new(waiting), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            let done = events.clone();
            let (waiting, stopped, work) = (&waiting, &stopped, &work);
            let worker = move || {
                let _pool = alone();
                loop {
                    let job = waiting
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .recv();
                    let Ok((number, piece)) = job else { return };
                    if stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    let _ = done.send(Event::Done(number, caught(|| work(piece))));
                }
            };
            thread::Builder::new()
                .spawn_scoped(scope, worker)
                .map_err(|e| {
                    format!("cannot start {threads} threads ({e}); give --threads a smaller number")
                })?;
        }
        // The workers wait for `jobs` to be dropped, which happens however this ends.
        let ended = collect(jobs, heard, &permits, sink);
        stopped.store(true, Ordering::Relaxed);
        ended
    })
}

/// Hands pieces on to the workers and what they make of them to the sink, in order, until the source ends.
fn collect<I, O>(
    jobs: mpsc::Sender<(usize, I)>,
    heard: mpsc::Receiver<Event<I, O>>,
    permits: &mpsc::Sender<()>,
    mut sink: impl FnMut(O) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut read, mut next, mut ended) = (0, 0, false);
    let mut done = BTreeMap::new();
    while !ended || next < read {
        // The reader's sender may be gone, the workers' are there as long as `jobs`.
        match heard.recv().expect("the workers are there") {
            Event::Read(Some(Ok(piece))) => {
                jobs.send((read, piece)).expect("the workers are there");
                read += 1;
            }
            Event::Read(Some(Err(failure))) => {
                done.insert(read, Err(failure));
                (read, ended) = (read + 1, true);
            }
            Event::Read(None) => ended = true,
            Event::Done(number, made) => {
                done.insert(number, made);
            }
        }
        while let Some(made) = done.remove(&next) {
            sink(made?)?;
            next += 1;
            let _ = permits.send(());
        }
    }
    Ok(())
}

/// A pool of this thread alone: what burn would share over all cores, it computes here, where every core has a thread already.
fn alone() -> Option<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread();
    pool.build().ok()
}

/// A panic becomes a failure: a thread that is gone would be waited for without end.
fn caught<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Failure::Message(
            "a thread broke down, which is an error in this program; its message stands above"
                .to_owned(),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    fn message(failure: Failure) -> String {
        match failure {
            Failure::Message(message) => message,
            Failure::ReaderLeft => "the reader left".to_owned(),
        }
    }

    /// What reaches the sink, and how it ended. Whoever hangs fails.
    fn run(
        threads: usize,
        source: impl Iterator<Item = Result<usize, Failure>> + Send + 'static,
        work: impl Fn(usize) -> Result<usize, Failure> + Send + Sync + 'static,
    ) -> (Vec<usize>, Result<(), String>) {
        let threads = NonZeroUsize::new(threads).unwrap();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || {
            let mut sunk = Vec::new();
            let result = in_order(threads, source, work, |made| {
                sunk.push(made);
                if made == 777 {
                    return Err(Failure::ReaderLeft);
                }
                Ok(())
            });
            end.send((sunk, result.map_err(message))).unwrap();
        });
        ended.recv_timeout(Duration::from_secs(60)).expect("an end")
    }

    /// Numbers from 0, and no end: after the last it waits as for a pipe that nobody writes to.
    fn then_silence(count: usize) -> impl Iterator<Item = Result<usize, Failure>> + Send + 'static {
        (0..).map(move |i| {
            if i == count {
                loop {
                    thread::park();
                }
            }
            Ok(i)
        })
    }

    #[test]
    fn results_come_in_order_from_any_number_of_threads() {
        for threads in [1, 2, 5] {
            for count in [0, 1, 4, 100] {
                let (sunk, ended) = run(threads, (0..count).map(Ok), |i| {
                    thread::sleep(Duration::from_micros((i * 7919 % 13 * 50) as u64));
                    Ok(2 * i)
                });
                assert_eq!(sunk, (0..count).map(|i| 2 * i).collect::<Vec<_>>());
                assert_eq!(ended, Ok(()));
            }
        }
    }

    #[test]
    fn the_source_is_not_far_ahead() {
        static READ: AtomicUsize = AtomicUsize::new(0);
        let source = (0..200).map(|i| {
            READ.store(i + 1, Ordering::SeqCst);
            Ok(i)
        });
        let (threads, mut sunk, mut most) = (NonZeroUsize::new(3).unwrap(), 0, 0);
        let ended = in_order(threads, source, Ok, |_| {
            most = most.max(READ.load(Ordering::SeqCst) - sunk);
            sunk += 1;
            thread::sleep(Duration::from_micros(100));
            Ok(())
        });
        assert!(ended.is_ok() && sunk == 200);
        assert!(most > 3, "the source is ahead of the sink");
        assert!(most <= 3 * AHEAD, "{most} pieces were under way");
    }

    #[test]
    fn an_error_ends_it_in_its_turn_and_nothing_hangs() {
        for threads in [1, 2, 5] {
            let (sunk, ended) = run(threads, then_silence(20), |i| match i {
                9 | 12 => Err(Failure::Message(format!("no {i}"))),
                _ => Ok(i),
            });
            assert_eq!(sunk, (0..9).collect::<Vec<_>>());
            assert_eq!(ended, Err("no 9".to_owned()));

            let (sunk, ended) = run(threads, then_silence(20), |i| {
                assert!(i != 9, "meant to break down");
                Ok(i)
            });
            assert_eq!(sunk, (0..9).collect::<Vec<_>>());
            assert!(ended.unwrap_err().contains("broke down"));
        }
    }

    #[test]
    fn a_source_or_a_sink_that_fails_ends_it() {
        for threads in [1, 5] {
            let failing = |i| match i {
                9 => Err(Failure::Message("cannot be read".to_owned())),
                _ => Ok(i),
            };
            let (sunk, ended) = run(threads, (0..).map(failing), Ok);
            assert_eq!(sunk, (0..9).collect::<Vec<_>>());
            assert_eq!(ended, Err("cannot be read".to_owned()));

            let breaking = |i| {
                assert!(i != 9, "meant to break down");
                Ok(i)
            };
            let (sunk, ended) = run(threads, (0..).map(breaking), Ok);
            assert_eq!(sunk, (0..9).collect::<Vec<_>>());
            assert!(ended.unwrap_err().contains("broke down"));

            let left = run(threads, then_silence(20), |i| {
                Ok(if i == 9 { 777 } else { i })
            });
            assert_eq!(
                (left.0.len(), left.1),
                (10, Err("the reader left".to_owned()))
            );
        }
    }

    #[test]
    fn only_the_cpu_is_fed_by_several_and_not_by_too_many() {
        let two = NonZeroUsize::new(2);
        let count = |asked, device| count(asked, device).map(NonZeroUsize::get).map_err(message);
        assert_eq!(count(two, "cpu"), Ok(2));
        assert_eq!(count(NonZeroUsize::new(1), "cuda"), Ok(1));
        assert_eq!(count(None, "cuda"), Ok(1));
        assert!(count(two, "cuda").unwrap_err().contains("--threads 2"));
        assert_eq!(count(NonZeroUsize::new(MOST), "cpu"), Ok(MOST));
        let many = count(NonZeroUsize::new(MOST + 1), "cpu");
        assert!(many.unwrap_err().contains("is above 1024"));
    }
}
