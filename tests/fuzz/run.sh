#!/usr/bin/env bash
# Fuzz targets on the toolchain in use: tests/fuzz/run.sh SECONDS [TARGET...], all targets unless some are named, one after the
# other. Each prints how many inputs were run and how much is reached; a finding is kept and ends its target with a failure.
# What is found interesting is kept below FUZZ (target/fuzz), so that the next run goes on there.
#
# The crates below ours are those of the tests, without counters and with every check of a debug build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

CARGO_TARGET_DIR=$(realpath "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
FUZZ=${FUZZ:-$CARGO_TARGET_DIR/fuzz}
# As for the tests, or what lies below is compiled anew.
readonly FEATURES=mner-core/cli,mner-core/flex,mner-web/cpu,mner-fuzz/fuzz
SECONDS_EACH=${1:?seconds for each target}
shift
[ $# -gt 0 ] || set -- words image bundle corpus word_vectors state_dict hugging_face jsonl

RUSTC_WORKSPACE_WRAPPER=$PWD/tests/fuzz/counters.sh cargo build --workspace --features "$FEATURES" \
    --config profile.dev.package.mner-core.opt-level=1 --bin mner-fuzz

# Files that targets write are many and small.
[ -d /dev/shm ] && export TMPDIR=${TMPDIR:-/dev/shm}
failures=0
for target in "$@"; do
    known=$FUZZ/corpus/$target
    findings=$FUZZ/findings/$target
    mkdir -p "$known" "$findings"
    seeds=("tests/fuzz/corpus/$target")
    [ "$target" = image ] && seeds=(tests/reference/images)
    echo "== $target"
    # Longer inputs reach little more and take long.
    if ! TARGET=$target "$CARGO_TARGET_DIR/debug/mner-fuzz" -max_total_time="$SECONDS_EACH" -max_len=65536 -timeout=60 \
        -rss_limit_mb=3000 -print_final_stats=1 -artifact_prefix="$findings/" "$known" "${seeds[@]}" >"$FUZZ/$target.log" 2>&1; then
        failures=$((failures + 1))
    fi
    grep -aE '^stat::|panicked|ERROR|SUMMARY|Test unit|^Done' "$FUZZ/$target.log" || true
done
exit "$((failures > 0))"
