#!/usr/bin/env bash
# pyspark 4.3.0 (Python 3.11, Java 17 already installed; the script says so where it is not)
#
# `RDD.pipe(command)` of Python starts the command with an empty environment: no PATH, no
# HOME, no LD_LIBRARY_PATH, nothing of what the driver or the worker has. And a command that
# ends with an error ends the job well: what it wrote before is taken for its whole answer,
# so an annotator that dies at the second of three tweets returns one and Spark says success.
# `None` becomes the four letters "None", and a text with a line end becomes two records.
#
# Why it surprises: a command that runs in the shell and in `subprocess.run` loses its model
# folder, its cache and its libraries here only, and if it ends with an error for that very
# reason, this error is the one that is not reported.
#
# Instead: `pipe(command, env=dict(os.environ), checkCode=True)` with an absolute path, one
# JSON object a line; or `mapInPandas` with a process of one's own.
#
# Output seen:
#   variables of the command: 0, with env=os.environ: more than 0
#   dies at the second: ['Ada'] checkCode: PIPE_FUNCTION_EXITED
#   three records: ['Ada', 'in Rome', 'None', 'Bob']
set -euo pipefail
command -v java >/dev/null || { echo "needs Java 17 (Debian: openjdk-17-jre-headless)" >&2; exit 2; }
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pyspark==4.3.0
cat >"$dir/annotate" <<'SH'
#!/bin/sh
read -r first
echo "$first"
exit 3
SH
chmod +x "$dir/annotate"
cat >"$dir/look.py" <<'PY'
import os
from pyspark import SparkConf, SparkContext

conf = SparkConf().setMaster("local[1]").set("spark.ui.enabled", "false").set("spark.driver.host", "localhost")
spark = SparkContext(conf=conf)
spark.setLogLevel("OFF")
tweets = spark.parallelize(["Ada", "Bob", "Rome"], 1)
# `sh` adds variables of its own (PWD), so the command is env itself; it reads no input.
count = lambda **more: len(spark.parallelize([], 1).pipe("/usr/bin/env", **more).collect())
given = "more than 0" if count(env=dict(os.environ)) else "0"
print(f"variables of the command: {count()}, with env=os.environ: {given}")
command = os.path.abspath("annotate")
try:
    tweets.pipe(command, checkCode=True).collect()
    checked = "no error"
except Exception as error:
    checked = "PIPE_FUNCTION_EXITED" if "[PIPE_FUNCTION_EXITED]" in str(error) else repr(error)
print("dies at the second:", tweets.pipe(command).collect(), "checkCode:", checked)
print("three records:", spark.parallelize(["Ada\nin Rome", None, "Bob"], 1).pipe("/bin/cat").collect())
PY
cd "$dir" && export SPARK_LOCAL_IP=127.0.0.1 PYSPARK_PYTHON="$dir/venv/bin/python"
diff - <("$dir/venv/bin/python" look.py 2>log || cat log) <<'SEEN'
variables of the command: 0, with env=os.environ: more than 0
dies at the second: ['Ada'] checkCode: PIPE_FUNCTION_EXITED
three records: ['Ada', 'in Rome', 'None', 'Bob']
SEEN
echo "as seen: 0 variables; a failed command gave ['Ada'] and success"
