"""For tests/big/test.sh: makes Parquet of JSON lines, and compares answers in Parquet with those of one process.

    python parquet.py write TWEETS.jsonl TWEETS.parquet     # the lines that are objects with an id
    python parquet.py check ONE.jsonl TWEETS.parquet ANSWERS.parquet

Beside the tweets stand columns that JSON has no type for, or not every reader's JSON.
"""

import datetime
import decimal
import json
import sys

from pyspark.sql import SparkSession

COLUMNS = "id long, text string, in_reply_to long, at timestamp, price decimal(30, 10), seen map<int, double>, raw binary"


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


def row(value):
    at = value["id"]
    # Above 2^53, and mostly null.
    reply = None if at % 3 else 1_700_000_000_000_000_001 + at
    when = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=1_000_003 * at)
    price = decimal.Decimal(at) + decimal.Decimal("12345678901234567.0123456789")
    return at, value.get("text"), reply, when, price, {at: float("nan")}, bytes([at % 256, 255])


def write(spark, lines, parquet):
    spark.createDataFrame([row(value) for value in objects(lines)], COLUMNS).write.parquet(parquet)


def check(spark, one, tweets, answers):
    expected = {value["id"]: value for value in objects(one)}
    tweets, answers = spark.read.parquet(tweets), spark.read.parquet(answers)
    assert answers.drop("mner").schema == tweets.schema
    # A map is nothing that sets of rows are made of.
    own = [tweets.withColumn("seen", tweets.seen.cast("string")), answers.withColumn("seen", answers.seen.cast("string"))]
    own[1] = own[1].drop("mner")
    assert own[0].exceptAll(own[1]).count() == 0 and own[1].exceptAll(own[0]).count() == 0, "the rows' own columns changed"
    rows = answers.select("id", "mner").collect()
    ids = [row["id"] for row in rows]
    assert sorted(ids) == sorted(expected), f"{len(ids)} rows for {len(expected)} tweets"
    bad = 0
    for row in rows:
        answer, found = expected[row["id"]], whole(row["mner"].asDict(recursive=True))
        assert found.get("entities") == answer.get("entities"), (row, answer)
        assert ("error" in found) == ("error" in answer), (row, answer)
        bad += "error" in found
    entities = sum(len(answer.get("entities", [])) for answer in expected.values())
    print(f"Parquet: {len(rows)} rows, {entities} entities, {bad} rows without a tweet")


def main():
    settings = {"spark.ui.enabled": "false", "spark.driver.memory": "2g", "spark.sql.session.timeZone": "UTC"}
    spark = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    {"write": write, "check": check}[sys.argv[1]](spark, *sys.argv[2:])
    spark.stop()


if __name__ == "__main__":
    main()
