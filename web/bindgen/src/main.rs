//! `mner-bindgen INPUT.wasm OUT_DIR`: the wasm-bindgen step, for an ES module in a browser, with TypeScript types.
//!
//! It is the library behind the `wasm-bindgen` command. Being a member of the workspace, it is built at the version
//! that `Cargo.lock` holds for `wasm-bindgen` itself (the two must be equal) and nothing is installed on the machine.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, out_dir] = arguments.as_slice() else {
        eprintln!("usage: mner-bindgen INPUT.wasm OUT_DIR");
        return ExitCode::from(2);
    };
    let result = wasm_bindgen_cli_support::Bindgen::new()
        .input_path(input)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .typescript(true)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate(out_dir)
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mner-bindgen: {input} could not be turned into a module: {error:#}");
            ExitCode::FAILURE
        }
    }
}
