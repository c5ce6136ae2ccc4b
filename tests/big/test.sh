#!/usr/bin/env bash
# A corpus through one process of mner, through its threads, through GNU parallel and through Apache Spark: the answers are compared
# line by line, and the times printed. Not among the tests of ./build.sh: it wants Java 17, GNU parallel, Python with venv and the
# network.
#
#   MNER=target/release/mner BUNDLE=www/models/text tests/big/test.sh FILE...
#
# FILE is anything tests/big/tweets.py reads. COUNT tweets (100000), every BAD-th line (1000) holds none. WAYS are what is run
# besides one process on one thread, each with how many cores it gets: threads, parallel (GNU), pipe and pandas (Spark with JSON
# lines, through rdd.pipe and mapInPandas), parquet (Spark).
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
mner=$(realpath "${MNER:?the program}")
bundle=$(realpath "${BUNDLE:?a bundle}")
count=${COUNT:-100000} bad=${BAD:-1000}
read -ra ways <<<"${WAYS:-threads:2 parallel:1 parallel:2 pipe:1 pipe:2 pandas:1 pandas:2 parquet:2}"
[ $# -gt 0 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2; exit 2; }
for tool in java parallel python3; do
    command -v "$tool" >/dev/null || { echo "needs $tool (Debian: openjdk-17-jre-headless, parallel, python3-venv)" >&2; exit 2; }
done
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
[ -n "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT

if [ ! -e "$work/venv/ready" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet 'pyspark[sql]==4.3.0'
    touch "$work/venv/ready"
fi
python=$work/venv/bin/python
export PYSPARK_PYTHON=$python SPARK_LOCAL_IP=127.0.0.1

# quietly COMMAND...: says what it said only if it fails.
quietly() { "$@" >"$work/said" 2>&1 || { tail -40 "$work/said" >&2; exit 1; }; }

# timed NAME COMMAND...: the seconds a command takes.
timed() {
    local name=$1 started ended
    shift
    started=$(date +%s.%N)
    "$@"
    ended=$(date +%s.%N)
    awk -v name="$name" -v s="$started" -v e="$ended" -v n="$count" -v load="$(cut -d' ' -f1 /proc/loadavg)" \
        'BEGIN { printf "%-34s %7.1f s  %6.0f tweets/s  (load %s)\n", name, e - s, n / (e - s), load }'
}

unnumbered() { sed -E 's/,?"line":[0-9]+//' "$1"; }

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
# spark CORES INPUT OUTPUT ARGUMENTS...: four partitions a core, so that one that takes longer holds nothing up.
spark() {
    local cores=$1 input=$2 output=$3
    shift 3
    rm -rf "$output"
    quietly "$work/venv/bin/spark-submit" --master "local[$cores]" --driver-memory 2g --conf spark.ui.enabled=false \
        "$here/spark.py" --mner "$mner" --bundle "$bundle" --input "$input" --output "$output" --parts $((4 * cores)) "$@"
}
lines() { spark "$1" "$work/tweets.jsonl" "$work/spark" --through "$2"; }

way() {
    local n=$2
    case $1 in
    threads)
        timed "$n threads" threads "$n"
        cmp "$work/one.jsonl" "$work/threads.jsonl"
        ;;
    parallel)
        timed "GNU parallel, $n jobs" in_parallel "$n"
        same "$work/parallel.jsonl"
        ;;
    pipe | pandas)
        timed "Spark, local[$n], JSON lines, $1" lines "$n" "$1"
        cat "$work/spark"/part-* >"$work/spark.jsonl"
        same "$work/spark.jsonl"
        ;;
    parquet)
        rm -rf "$work/tweets.parquet"
        quietly "$python" "$here/parquet.py" write "$work/tweets.jsonl" "$work/tweets.parquet"
        timed "Spark, local[$n], Parquet" spark "$n" "$work/tweets.parquet" "$work/answers.parquet"
        quietly "$python" "$here/parquet.py" check "$work/one.jsonl" "$work/tweets.parquet" "$work/answers.parquet"
        tail -n 1 "$work/said"
        ;;
    *)
        echo "there is no way $1" >&2
        exit 2
        ;;
    esac
}

grep -m1 'model name' /proc/cpuinfo || true
echo "$(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg), $count tweets, every $bad-th line bad"
"$python" "$here/tweets.py" --count "$count" --bad "$bad" "$@" >"$work/tweets.jsonl"
timed "one thread" one
"$python" "$here/check.py" "$work/tweets.jsonl" "$work/one.jsonl"
for at in "${ways[@]}"; do
    way "${at%:*}" "${at#*:}"
done
echo "every way gave the same"
