//! The `mner` program and a model of random weights, for the tests of its commands. Each test binary uses some of it.
#![allow(dead_code)]

use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// The program with these arguments, not started yet.
pub fn mner(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mner"));
    command.args(args);
    command
}

/// The program at work, its input and both outputs ours.
pub fn piped(args: &[&str]) -> Child {
    let mut command = mner(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

/// How the program ends.
pub fn run(args: &[&str]) -> Output {
    mner(args).output().unwrap()
}

/// What the program prints; it must succeed.
pub fn succeed(args: &[&str]) -> String {
    let output = run(args);
    assert!(
        output.status.success(),
        "mner {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The sentence that the program fails with; its exit code must be `code`.
pub fn fail(args: &[&str], code: i32) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(code), "mner {args:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A folder with a bundle of random weights in `bundle`.
pub fn with_bundle(system: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let bundle = path(&folder, "bundle");
    succeed(&["init", "--system", system, "--out", &bundle]);
    folder
}

/// The path of a file in a folder.
pub fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}
