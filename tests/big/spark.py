"""Finds the entities of a corpus with Apache Spark, `mner predict` in every task.

    spark-submit --master 'local[2]' tests/big/spark.py --mner MNER --bundle DIR --input IN --output OUT

IN and OUT are JSON lines, or Parquet where their names end in .parquet. The program and the bundle lie at the same paths on every
node. Spark reads and writes the files; what goes through mner is JSON lines.
"""

import argparse
import os
import shlex

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

SPAN = T.ArrayType(T.IntegerType())
ENTITY = T.StructType(
    [
        T.StructField("type", T.StringType()),
        T.StructField("text", T.StringType()),
        T.StructField("utf16", SPAN),
        T.StructField("chars", SPAN),
        T.StructField("bytes", SPAN),
        T.StructField("confidence", T.DoubleType()),
        T.StructField(
            "runner_up",
            T.StructType([T.StructField("type", T.StringType()), T.StructField("probability", T.DoubleType())]),
        ),
        T.StructField("user_name", T.BooleanType()),
        T.StructField("hashtag", T.BooleanType()),
    ]
)
# What mner adds to a row; the prefix keeps it apart from the row's own columns.
PREFIX = "mner_"
ANSWER = [
    T.StructField(PREFIX + "entities", T.ArrayType(ENTITY)),
    T.StructField(PREFIX + "line", T.LongType()),
    T.StructField(PREFIX + "error", T.StringType()),
]


def command(args, *more):
    """One thread a task, for Spark gives every core one; a line that cannot be read fails no partition."""
    return shlex.join(
        [args.mner, "predict", "--bundle", args.bundle, "--field", args.field, "--input", "-", "--json"]
        + ["--threads", "1", "--bad-lines", "accept", *more]
    )


def piped(lines, command):
    """Lines through a command, one process a partition, in order.

    Unless told otherwise, pipe starts a command without any environment and takes one that died for one that has answered.
    """
    return lines.pipe(command, env=dict(os.environ), checkCode=True)


def read(spark, path, parts):
    """Rows as JSON lines, and their schema where they have one."""
    if not path.endswith(".parquet"):
        # As they come: read as JSON, a line that is none would be lost.
        return spark.sparkContext.textFile(path, parts), None
    rows = spark.read.parquet(path)
    if parts:
        rows = rows.repartition(parts)
    # A text that is missing is said to be null, not left out; an end of line within a text is escaped.
    row = F.to_json(F.struct("*"), {"ignoreNullFields": "false"})
    return rows.select(row.alias("row")).rdd.map(lambda row: row[0]), rows.schema


def write(spark, answers, schema, path):
    if not path.endswith(".parquet"):
        answers.saveAsTextFile(path)
        return
    if schema is None:
        schema = T.StructType([T.StructField("id", T.LongType()), T.StructField("text", T.StringType())])
    schema = T.StructType(schema.fields + ANSWER)
    rows = spark.createDataFrame(answers.map(lambda line: (line,)), T.StructType([T.StructField("row", T.StringType())]))
    rows.select(F.from_json("row", schema).alias("row")).select("row.*").write.parquet(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mner", required=True)
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--field", default="text", help="the column that is the tweet")
    parser.add_argument("--parts", type=int, default=None, help="least partitions, each a process of mner")
    args = parser.parse_args()
    spark = SparkSession.builder.appName("mner").getOrCreate()
    lines, schema = read(spark, args.input, args.parts)
    prefix = ["--prefix", PREFIX] if args.output.endswith(".parquet") else []
    write(spark, piped(lines, command(args, *prefix)), schema, args.output)
    spark.stop()


if __name__ == "__main__":
    main()
