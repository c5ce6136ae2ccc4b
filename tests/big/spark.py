"""Finds the entities of a corpus with Apache Spark, `mner predict` in every task.

    spark-submit --master 'local[2]' tests/big/spark.py --mner MNER --bundle DIR --input IN --output OUT

IN and OUT are JSON lines, or both Parquet where IN's name ends in .parquet. The program, the bundle and the images lie at the same
paths on every node.

JSON lines come out as `mner predict` writes them, in the order of the input. They go through `rdd.pipe`, a process a partition, or with
`--through pandas` through `mapInPandas`, a process a batch of `spark.sql.execution.arrow.maxRecordsPerBatch` lines (10,000); that
hands on bytes, so that a line that is not UTF-8 is answered with its error, where `pipe` hands on text and puts U+FFFD.

Rows of Parquet get a column more, `--answer`: a struct of the entities, without what their words looked at, and of the errors.
Only the tweet and its image leave the engine, so all other columns stay what they are; JSON has no 64-bit numbers, decimals and
times that all readers agree on.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

SPAN = T.ArrayType(T.IntegerType())
RUNNER_UP = T.StructType([T.StructField("type", T.StringType()), T.StructField("probability", T.DoubleType())])
FINE_TYPE = T.StructType(
    [
        T.StructField("name", T.StringType()),
        T.StructField("probability", T.DoubleType()),
        T.StructField("coarse", T.StringType()),
        T.StructField("coarse_probability", T.DoubleType()),
    ]
)
ENTITY = T.StructType(
    [
        T.StructField("type", T.StringType()),
        T.StructField("text", T.StringType()),
        T.StructField("utf16", SPAN),
        T.StructField("chars", SPAN),
        T.StructField("bytes", SPAN),
        T.StructField("confidence", T.DoubleType()),
        T.StructField("runner_up", RUNNER_UP),
        T.StructField("user_name", T.BooleanType()),
        T.StructField("hashtag", T.BooleanType()),
        T.StructField("kind", FINE_TYPE),
        T.StructField("seen", T.DoubleType()),
    ]
)
ANSWER = T.StructType(
    [
        T.StructField("entities", T.ArrayType(ENTITY)),
        T.StructField("error", T.StringType()),
        T.StructField("image_error", T.StringType()),
    ]
)


def predict(args, field):
    """One thread a process, for Spark gives every task a core; a line that cannot be read fails no partition."""
    command = [args.mner, "predict", "--bundle", args.bundle, "--field", field, "--input", "-", "--json"]
    return [*command, "--threads", "1", "--bad-lines", "accept"]


def piped(lines, command):
    """Rows of a line through a command, one process a partition.

    Unless told otherwise, pipe starts a command without any environment and takes one that died for one that has answered.
    """
    return lines.rdd.map(lambda row: row[0]).pipe(shlex.join(command), env=dict(os.environ), checkCode=True)


def run(command, lines):
    """What a command answers to lines, all of them bytes. One that fails, fails the task."""
    done = subprocess.run(command, input=b"".join(line + b"\n" for line in lines), capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    return done.stdout.split(b"\n")[:-1]


def mapped(lines, command):
    """Rows of a line through a command, one process a batch of Arrow's."""

    def answers(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            yield pd.DataFrame({"value": run(command, batch["value"])})

    # As bytes both ways: text that is not UTF-8 would not become a Python string.
    found = lines.select(F.col("value").cast("binary")).mapInPandas(answers, "value binary")
    return found.select(F.col("value").cast("string"))


def answered(rows, args):
    """Rows with the answers to their tweets in a column more."""
    if args.answer in rows.columns:
        sys.exit(f"there is a column {args.answer} already; give the answers another name with --answer")
    command = predict(args, "text")

    @F.pandas_udf(ANSWER)
    def answers(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        for lines in batches:
            found = [json.loads(line) for line in run(command, (line.encode() for line in lines))]
            yield pd.DataFrame({name: [answer.get(name) for answer in found] for name in ANSWER.names}, dtype=object)

    given = [F.col(args.field).alias("text"), *(F.col(name) for name in rows.columns if name == "image")]
    # A text that is missing is said to be null, not left out: every row has its line and so its answer.
    line = F.to_json(F.struct(*given), {"ignoreNullFields": "false"})
    return rows.withColumn(args.answer, answers(line))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mner", required=True)
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--field", default="text", help="the column, or the member of each line, that is the tweet")
    parser.add_argument("--answer", default="mner", help="name of the column of answers, of Parquet")
    parser.add_argument("--through", choices=["pipe", "pandas"], default="pipe", help="the way of JSON lines")
    parser.add_argument("--parts", type=int, help="partitions of the input, about; Spark's own choice unless given")
    args = parser.parse_args()
    parquet = [path.rstrip("/").endswith(".parquet") for path in (args.input, args.output)]
    if parquet[0] != parquet[1]:
        sys.exit("--input and --output are both JSON lines or both Parquet (.parquet)")
    spark = SparkSession.builder.appName("mner").getOrCreate()
    if args.parts:
        # What a partition has besides its bytes would otherwise keep small files whole.
        spark.conf.set("spark.sql.files.minPartitionNum", args.parts)
        spark.conf.set("spark.sql.files.openCostInBytes", 0)
    if parquet[0]:
        rows = spark.read.parquet(args.input)
        # A small file is one partition whatever its size.
        rows = rows.repartition(args.parts) if args.parts else rows
        answered(rows, args).write.parquet(args.output)
    else:
        # As they come: read as JSON, a line that is none would be lost. A carriage return ends no line of JSON.
        lines = spark.read.text(args.input, lineSep="\n")
        command = predict(args, args.field)
        if args.through == "pipe":
            piped(lines, command).saveAsTextFile(args.output)
        else:
            mapped(lines, command).write.text(args.output)
    spark.stop()


if __name__ == "__main__":
    main()
