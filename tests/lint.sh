#!/usr/bin/env bash
# Stands in for rustc while the workspace is linted (RUSTC_WORKSPACE_WRAPPER): compiles under clippy and, of the library,
# also checks the documentation and the one file with code for WebAssembly alone. So lints and documentation use the dependencies
# that tests are compiled with; `cargo clippy` and `cargo doc` would have all of them checked once more.
set -euo pipefail

clippy-driver "$@"

documented=false
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
    --crate-name)
        [ "$2" = mner_core ] && documented=true
        arguments+=("$1" "$2")
        shift
        ;;
    --test) exit 0 ;;
    --extern | --cfg | --check-cfg | -L | --target)
        arguments+=("$1" "$2")
        shift
        ;;
    --edition=* | --error-format=* | --json=* | *.rs) arguments+=("$1") ;;
    esac
    shift
done
"$documented" || exit 0

# The library alone, not the program of the same name.
[[ " ${arguments[*]} " == *" core/src/lib.rs "* ]] || exit 0
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
rustdoc "${arguments[@]}" -D warnings -o "$output"

# It needs nothing but the standard library, so it is a crate of its own here.
clippy-driver --crate-name lanes --crate-type lib --edition 2024 --target wasm32-unknown-unknown -C target-feature=+simd128 \
    --emit=metadata -o "$output/lanes.rmeta" core/src/nn/host/lanes.rs -D warnings
