#!/usr/bin/env bash
# Fuzz targets on the toolchain in use: tests/fuzz/run.sh SECONDS [TARGET...], all targets unless some are named, one after the
# other. Each prints how many inputs were run and how much is reached; a finding is kept and ends its target with a failure.
# What is found interesting is kept below FUZZ (tests/fuzz/target), so that the next run goes on there.
#
# As `cargo fuzz run`, without a nightly toolchain: coverage counters are a pass of LLVM that the stable one takes too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly TRIPLE=x86_64-unknown-linux-gnu
FUZZ=${FUZZ:-$PWD/target}
SECONDS_EACH=${1:?seconds for each target}
shift
[ $# -gt 0 ] || set -- words image bundle corpus word_vectors state_dict hugging_face jsonl

flags=(--cfg fuzzing -Cpasses=sancov-module)
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    flags+=("-Cllvm-args=-sanitizer-coverage-$option")
done
# The same versions as everything else.
cp ../../Cargo.lock Cargo.lock
# With a target named, build scripts and macros are built without counters.
RUSTFLAGS="${flags[*]}" CARGO_TARGET_DIR=$FUZZ cargo build --release --target "$TRIPLE"

# Files that targets write are many and small.
[ -d /dev/shm ] && export TMPDIR=${TMPDIR:-/dev/shm}
failures=0
for target in "$@"; do
    known=$FUZZ/corpus/$target
    findings=$FUZZ/findings/$target
    mkdir -p "$known" "$findings"
    seeds=("corpus/$target")
    [ "$target" = image ] && seeds=(../reference/pictures)
    echo "== $target"
    # Inputs longer than this reach little more and take long.
    "$FUZZ/$TRIPLE/release/$target" -max_total_time="$SECONDS_EACH" -max_len=65536 -timeout=20 -rss_limit_mb=3000 \
        -print_final_stats=1 -verbosity=1 -artifact_prefix="$findings/" "$known" "${seeds[@]}" 2>&1 |
        tee "$FUZZ/$target.log" | grep -E '^stat::|panicked|ERROR|SUMMARY|Test unit|^Done' || true
    if [ "${PIPESTATUS[0]}" -ne 0 ]; then failures=$((failures + 1)); fi
done
exit "$((failures > 0))"
