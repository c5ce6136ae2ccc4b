#!/usr/bin/env bash
# Stands in for rustc while the workspace is linted (RUSTC_WORKSPACE_WRAPPER): checks under clippy and makes no code; of the
# library it also checks the documentation, and beside the engine the module that is for WebAssembly alone. So lints and documentation use
# the dependencies that tests are compiled with; `cargo clippy` and `cargo doc` would have all of them checked once more.
set -euo pipefail

# A build script has to run: it is checked and compiled in one.
[[ " $* " != *" --crate-name build_script_build "* ]] || exec clippy-driver "$@"

crate='' suffix='' folder='' kind=bin linked=false documented=false
checked=() documentation=()
while [ $# -gt 0 ]; do
    case $1 in
    --crate-name)
        crate=$2
        [ "$2" = mner_core ] && documented=true
        documentation+=("$1" "$2")
        ;;
    --crate-type) kind=$2 ;;
    --out-dir) folder=$2 ;;
    --test)
        documented=false
        kind=bin
        ;;
    -C) [[ $2 != extra-filename=* ]] || suffix=${2#extra-filename=} ;;
    --extern | --cfg | --check-cfg | -L | --target) documentation+=("$1" "$2") ;;
    --edition=* | --error-format=* | --json=* | *.rs) documentation+=("$1") ;;
    esac
    case $1 in
    --emit=*link*)
        linked=true
        checked+=('--emit=dep-info,metadata')
        ;;
    --extern)
        # A member is known by its metadata, for that is all there is of it.
        [[ $2 != *=*/libmner_*.rlib ]] || set -- "$1" "${2%.rlib}.rmeta" "${@:3}"
        checked+=("$1" "$2")
        shift
        ;;
    --crate-name | --crate-type | --out-dir | -C | --cfg | --check-cfg | -L | --target)
        checked+=("$1" "$2")
        shift
        ;;
    *) checked+=("$1") ;;
    esac
    shift
done

clippy-driver "${checked[@]}"

# Beside the engine the module that it carries within it, which needs nothing but `core`.
if [ "$crate" = mner_web ]; then
    clippy-driver --crate-name relaxed --crate-type lib --edition 2024 --target wasm32-unknown-unknown \
        -C target-feature=+simd128,+relaxed-simd -C panic=abort --emit=metadata -o "$folder/relaxed$suffix.rmeta" \
        web/src/relaxed/kernel.rs -D warnings
fi

# cargo looks whether what it asked for is there, and checks all again where it is not.
if "$linked"; then
    case $kind in
    bin) touch "$folder/$crate$suffix" ;;
    cdylib) touch "$folder/lib$crate.so" ;;
    *) touch "$folder/lib$crate$suffix.rlib" ;;
    esac
fi

# The library alone, not the program of the same name.
"$documented" && [[ " ${documentation[*]} " == *" core/src/lib.rs "* ]] || exit 0
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
rustdoc "${documentation[@]}" -D warnings -o "$output"
