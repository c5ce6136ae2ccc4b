"""For tests/big/test.sh: makes Parquet of JSON lines, and compares answers in Parquet with those of one process.

    python parquet.py write TWEETS.jsonl TWEETS.parquet     # the lines that are objects with an id
    python parquet.py check ONE.jsonl ANSWERS.parquet
"""

import json
import sys

from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "2g").getOrCreate()
)


def whole(value):
    """A row as JSON has it: what is null is not there."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items() if inner is not None}
    return [whole(inner) for inner in value] if isinstance(value, list) else value


def objects(path):
    for line in open(path, encoding="utf-8"):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and "id" in value:
            yield value


verb, lines, parquet = sys.argv[1:]
if verb == "write":
    rows = [(value["id"], value.get("text")) for value in objects(lines)]
    spark.createDataFrame(rows, "id long, text string").write.parquet(parquet)
else:
    one = {value["id"]: value for value in objects(lines)}
    rows = [whole(row.asDict(recursive=True)) for row in spark.read.parquet(parquet).collect()]
    ids = [row["id"] for row in rows]
    assert sorted(ids) == sorted(one), f"{len(ids)} rows for {len(one)} tweets"
    for row in rows:
        answer = one[row["id"]]
        assert row.get("text") == answer.get("text"), row
        assert row.get("mner_entities") == answer.get("entities"), (row, answer)
        assert ("mner_error" in row) == ("error" in answer), (row, answer)
    assert sum("error" in answer for answer in one.values()) > 0 or "--no-bad" in sys.argv
spark.stop()
