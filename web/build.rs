//! Compiles `src/relaxed/kernel.rs`, a WebAssembly module that the CPU's engine carries within it.

use std::env;
use std::path::Path;
use std::process::Command;

/// The section of a module that has data.
const DATA: u8 = 11;

fn main() {
    println!("cargo::rerun-if-changed=src/relaxed/kernel.rs");
    for part in ["bytes", "job", "pairs", "panel", "quads", "vector"] {
        println!("cargo::rerun-if-changed=../core/src/nn/host/{part}.rs");
    }
    let given = |name: &str| env::var(name).unwrap_or_default();
    if given("CARGO_CFG_TARGET_ARCH") != "wasm32" || env::var_os("CARGO_FEATURE_CPU").is_none() {
        return;
    }
    let module = Path::new(&given("OUT_DIR")).join("relaxed.wasm");
    let compiled = Command::new(given("RUSTC"))
        .args([
            "--edition=2024",
            "--crate-name=relaxed",
            "--crate-type=cdylib",
        ])
        .args([
            "--target=wasm32-unknown-unknown",
            "-Ctarget-feature=+simd128,+relaxed-simd",
        ])
        .args([
            "-Copt-level=3",
            "-Ccodegen-units=1",
            "-Clto=fat",
            "-Cpanic=abort",
            "-Cstrip=symbols",
            // Loop strength reduction adds the offsets of a step's loads to its address one by one, where an instruction has a place for
            // them: six additions of thirty instructions, by which the loop of bytes takes 6 % longer.
            "-Cllvm-args=-disable-lsr",
        ])
        .args(
            ["import-memory", "stack-first", "-zstack-size=0"].map(|option| {
                match option.strip_prefix('-') {
                    Some(_) => format!("-Clink-arg={option}"),
                    None => format!("-Clink-arg=--{option}"),
                }
            }),
        )
        .arg("-o")
        .arg(&module)
        .arg("src/relaxed/kernel.rs")
        .status();
    assert!(
        compiled.expect("rustc can be started").success(),
        "src/relaxed/kernel.rs does not compile"
    );
    let bytes = std::fs::read(&module).expect("rustc has written the module");
    // The linker would place it where the engine has its own.
    assert!(
        !sections(&bytes).contains(&DATA),
        "src/relaxed/kernel.rs has data, for a panic or a constant"
    );
}

/// The numbers of a module's sections.
fn sections(module: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut rest = &module[8..];
    while let [number, after @ ..] = rest {
        found.push(*number);
        let length = after
            .iter()
            .position(|byte| byte & 0x80 == 0)
            .expect("a size ends")
            + 1;
        let size = after[..length]
            .iter()
            .rev()
            .fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
        rest = &after[length + size..];
    }
    found
}
