//! `mner predict --input` and `mner evaluate` give the same bytes for any number of threads, and end whatever happens.

mod program;

use program::{mner, path, piped, with_bundle};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Output;
use std::time::{Duration, Instant};

/// What a command says on standard error but for its progress, which a clock decides.
fn said(output: &Output) -> String {
    let all = String::from_utf8_lossy(&output.stderr);
    let progress = |line: &str| {
        line.ends_with("a second") || (line.contains('/') && line.ends_with(" tweets"))
    };
    let lines = all.lines().filter(|line| !progress(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// What a command answers with each number of threads: the same, which is given back.
fn with_threads(args: &[&str], counts: &[&str]) -> Output {
    let run = |count: &str| {
        let args = [args, &["--threads", count]].concat();
        mner(&args).output().unwrap()
    };
    let one = run(counts[0]);
    for count in &counts[1..] {
        let more = run(count);
        assert_eq!(more.status.code(), one.status.code(), "{count} threads");
        assert!(
            more.stdout == one.stdout,
            "{count} threads answer otherwise"
        );
        assert_eq!(said(&more), said(&one));
    }
    one
}

/// Tweets of very different lengths; every ninth line is none.
fn tweets(count: usize) -> String {
    let mut lines = String::new();
    for i in 0..count {
        let words = "Sunita met @nasa in Houston ".repeat(1 + i * i % 7);
        let line = match i % 45 {
            8 => "{\"text\": ".to_owned(),
            17 => format!("{{\"id\": {i}, \"text\": null}}"),
            26 => format!("{{\"id\": {i}}}"),
            35 => "[]".to_owned(),
            44 => String::new(),
            _ => format!("{{\"id\": {i}, \"text\": \"{words} #{i}\"}}"),
        };
        writeln!(lines, "{line}").unwrap();
    }
    lines
}

#[test]
fn a_stream_is_answered_alike_by_any_number_of_threads() {
    let folder = with_bundle("text");
    let (bundle, input) = (path(&folder, "bundle"), path(&folder, "tweets.jsonl"));
    fs::write(&input, tweets(270)).unwrap();
    let predict = ["predict", "--bundle", &bundle, "--input", &input, "--json"];
    let output = with_threads(&predict, &["1", "2", "5"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("24 of 270 lines could not be read"));

    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), 264, "six lines are blank");
    let mut answers = answers.into_iter();
    for (i, line) in tweets(270)
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
    {
        let answer = answers.next().unwrap();
        match i % 9 {
            8 => {
                let number = format!("\"line\":{}", i + 1);
                assert!(
                    answer.contains(&number) && answer.contains("\"error\":"),
                    "{answer}"
                );
            }
            _ => {
                let own = &line[..line.len() - 1];
                assert!(
                    answer.starts_with(own) && answer.contains("\"entities\":["),
                    "{answer}"
                );
            }
        }
    }
    // Nobody need count bad lines as a failure.
    let accepted = [&predict[..], &["--bad-lines", "accept"]].concat();
    assert_eq!(with_threads(&accepted, &["1", "5"]).status.code(), Some(0));
}

#[test]
fn images_are_read_alike_by_any_number_of_threads() {
    let folder = with_bundle("hamlearning");
    let (bundle, input) = (path(&folder, "bundle"), path(&folder, "tweets.jsonl"));
    let reference = format!("{}/../tests/reference/images", env!("CARGO_MANIFEST_DIR"));
    let images = [
        "rgb.png",
        "lost.jpg",
        "grey.jpg",
        "lossy.webp",
        "progressive.jpg",
        "cmyk.jpg",
    ];
    let mut lines = String::new();
    for (i, image) in images.iter().enumerate() {
        writeln!(
            lines,
            "{{\"text\": \"Sunita in Houston {i}\", \"image\": \"{image}\"}}"
        )
        .unwrap();
        writeln!(lines, "{{\"text\": \"{}\"}}", "Paris ".repeat(i + 1)).unwrap();
    }
    fs::write(&input, &lines).unwrap();
    let output = with_threads(
        &[
            "predict", "--bundle", &bundle, "--input", &input, "--images", &reference, "--json",
        ],
        &["1", "2", "5"],
    );
    assert_eq!(output.status.code(), Some(0));
    let answers = String::from_utf8_lossy(&output.stdout);
    assert_eq!(answers.matches("\"picture\":{").count(), 5);
    assert_eq!(answers.matches("\"image_error\":").count(), 1);
    assert!(said(&output).contains("1 of 6 images could not be looked at"));
}

#[test]
fn scores_are_the_same_for_any_number_of_threads() {
    let folder = with_bundle("text");
    let (bundle, data) = (path(&folder, "bundle"), path(&folder, "dev.txt"));
    let mut corpus = String::new();
    for i in 0..300 {
        let more = "and\tO\n".repeat(i * i % 13);
        write!(
            corpus,
            "IMGID:{i}\nSunita\tB-PER\n{more}in\tO\nHouston\tB-LOC\n\n"
        )
        .unwrap();
    }
    fs::write(&data, corpus).unwrap();
    let evaluate = [
        "evaluate",
        "--bundle",
        &bundle,
        "--data",
        &data,
        "--json",
        "--calibration",
        "--seen",
        &data,
    ];
    let output = with_threads(&evaluate, &["1", "2", "5"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"support\": 600"));
}

#[test]
fn a_reader_who_leaves_ends_the_threads() {
    let folder = with_bundle("text");
    let bundle = path(&folder, "bundle");
    let mut child = piped(&[
        "predict",
        "--bundle",
        &bundle,
        "--input",
        "-",
        "--json",
        "--threads",
        "5",
    ]);
    let mut stdin = child.stdin.take().unwrap();
    // More than the pipe to the reader holds, and then silence: the input does not end.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(tweets(20_000).as_bytes());
        stdin
    });
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"id\": 0"));
    drop(stdout);
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            panic!("it goes on for nobody");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    drop(writer.join());
    let said = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert!(status.success() && !said.contains("panicked"), "{said}");
}

#[test]
fn numbers_of_threads_that_make_no_sense_are_refused() {
    for (args, code, word) in [
        (&["--text", "Paris", "--threads", "2"][..], 2, "--text"),
        (&["--input", "-", "--threads", "0"], 2, "--threads"),
        (&["--input", "-", "--threads", "30000"], 1, "above 1024"),
        (
            &["--input", "-", "--threads", "2", "--device", "wgpu"],
            1,
            "--device cpu",
        ),
    ] {
        let args = [&["predict", "--bundle", "nothing"], args].concat();
        let output = mner(&args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(word), "{said}");
    }
}
