#!/usr/bin/env bash
# A corpus through one process of mner, through its threads, through GNU parallel and through Apache Spark: the answers are compared
# line by line, and the times printed. Not among the tests of ./build.sh: it wants Java 17, GNU parallel, Python with venv and the
# network.
#
#   MNER=target/release/mner BUNDLE=www/models/text tests/big/test.sh FILE...
#
# FILE is anything tests/big/tweets.py reads. COUNT tweets (100000), every BAD-th line (1000) holds none.
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
mner=$(realpath "${MNER:?the program}")
bundle=$(realpath "${BUNDLE:?a bundle}")
count=${COUNT:-100000} bad=${BAD:-1000}
[ $# -gt 0 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2; exit 2; }
for tool in java parallel python3; do
    command -v "$tool" >/dev/null || { echo "needs $tool (Debian: openjdk-17-jre-headless, parallel, python3-venv)" >&2; exit 2; }
done
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
[ -n "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT

if [ ! -e "$work/venv/ready" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet pyspark==4.3.0
    touch "$work/venv/ready"
fi
export PYSPARK_PYTHON=$work/venv/bin/python SPARK_LOCAL_IP=127.0.0.1

# timed NAME COMMAND...: the seconds a command takes.
timed() {
    local name=$1 started ended
    shift
    started=$(date +%s.%N)
    "$@"
    ended=$(date +%s.%N)
    awk -v name="$name" -v s="$started" -v e="$ended" -v n="$count" \
        'BEGIN { printf "%-28s %7.1f s  %6.0f tweets/s\n", name, e - s, n / (e - s) }'
}

unnumbered() { sed -E 's/,"line":[0-9]+//' "$1"; }

# same ANSWERS: the answers of one process, in their order. Where a partition begins is where the numbers of bad lines begin
# anew, so these are left out.
same() {
    diff <(unnumbered "$work/one.jsonl") <(unnumbered "$1") >"$work/differences" ||
        { echo "$1 differs from the answers of one process:" && head -4 "$work/differences"; exit 1; } >&2
}

predict() { "$mner" predict --bundle "$bundle" --json --bad-lines accept --input "$@" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }; }
one() { predict "$work/tweets.jsonl" --threads 1 >"$work/one.jsonl"; }
threads() { predict "$work/tweets.jsonl" --threads "$1" >"$work/threads.jsonl"; }
in_parallel() {
    parallel --will-cite --jobs "$1" --pipepart --block -4 --keep-order --halt now,fail=1 --arg-file "$work/tweets.jsonl" \
        "$mner" predict --bundle "$bundle" --json --bad-lines accept --threads 1 --input - >"$work/parallel.jsonl" 2>"$work/said" ||
        { cat "$work/said" >&2; exit 1; }
}
spark() {
    local master=$1
    shift
    "$work/venv/bin/spark-submit" --master "$master" --driver-memory 2g --conf spark.ui.enabled=false \
        "$here/spark.py" --mner "$mner" --bundle "$bundle" "$@" >"$work/said" 2>&1 || { tail -40 "$work/said" >&2; exit 1; }
}
piped() {
    rm -rf "$work/spark"
    spark "local[$1]" --input "$work/tweets.jsonl" --output "$work/spark" --parts $((4 * $1))
}
# JSON lines to Parquet, and that through mner to Parquet, as a corpus in a data lake goes.
parquet() {
    rm -rf "$work/answers.parquet"
    spark "local[$1]" --input "$work/tweets.parquet" --output "$work/answers.parquet" --parts $((4 * $1))
}

grep -m1 'model name' /proc/cpuinfo || true
echo "$(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg), $count tweets, every $bad-th line bad"
"$work/venv/bin/python" "$here/tweets.py" --count "$count" --bad "$bad" "$@" >"$work/tweets.jsonl"
timed "one thread" one
[ "$(wc -l <"$work/one.jsonl")" -eq "$count" ] || { echo "not every line has its answer" >&2; exit 1; }
for n in ${CORES:-1 2}; do
    if [ "$n" -gt 1 ]; then
        timed "$n threads" threads "$n"
        cmp "$work/one.jsonl" "$work/threads.jsonl"
    fi
    timed "GNU parallel, $n jobs" in_parallel "$n"
    same "$work/parallel.jsonl"
    timed "Spark, local[$n], JSON lines" piped "$n"
    cat "$work/spark"/part-* >"$work/spark.jsonl"
    same "$work/spark.jsonl"
done
rm -rf "$work/tweets.parquet"
"$work/venv/bin/python" "$here/parquet.py" write "$work/tweets.jsonl" "$work/tweets.parquet" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
timed "Spark, local[2], Parquet" parquet 2
"$work/venv/bin/python" "$here/parquet.py" check "$work/one.jsonl" "$work/answers.parquet" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
echo "every line has its answer once, and every way gave the same"
