"""Tweets a second and peak memory of `mner predict --input` by the number of threads, and whether all answer alike.

    python tests/big/measure.py --mner MNER --bundle DIR [--counts 1000 10000] [--threads 1 2] [--runs 3] tweets.jsonl

Of several runs the fastest counts; what starting takes, measured on an empty input, is taken off. Where others use the machine, the
processor time says more than the rate.
"""

import argparse
import hashlib
import os
import subprocess
import tempfile
import time


def run(command, path):
    """Seconds, most resident MiB, a hash of the answers, and seconds of processor time."""
    answers = tempfile.TemporaryFile()
    started = time.perf_counter()
    child = subprocess.Popen([*command, "--input", path], stdout=answers, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{command} failed")
    answers.seek(0)
    digest = hashlib.file_digest(answers, "sha256").hexdigest()
    return seconds, usage.ru_maxrss / 1024, digest, usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mner", required=True)
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("tweets")
    args = parser.parse_args()
    with open(args.tweets, encoding="utf-8") as file:
        lines = file.readlines()
    print(f"load {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    print("tweets  threads  seconds  tweets/s  peak MiB  CPU ms/tweet")
    folder = os.path.dirname(os.path.abspath(args.tweets))
    for count in [0, *args.counts]:
        if count > len(lines):
            raise SystemExit(f"{args.tweets} has {len(lines)} lines, not {count}")
        answers = set()
        # Beside the corpus, for its images are named from there.
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, suffix=".jsonl") as file:
            file.writelines(lines[:count])
            file.flush()
            for threads in args.threads:
                command = [args.mner, "predict", "--bundle", args.bundle, "--json", "--bad-lines", "accept"]
                runs = [run([*command, "--threads", str(threads)], file.name) for _ in range(args.runs)]
                seconds, peak = min(r[0] for r in runs), max(r[1] for r in runs)
                answers.update(r[2] for r in runs)
                cpu = min(r[3] for r in runs)
                row = f"{count:6}  {threads:7}  {seconds:7.2f}"
                if count == 0:
                    start, start_cpu = seconds, cpu
                    print(f"{row}         -  {peak:8.1f}             -", flush=True)
                else:
                    rate, each = count / (seconds - start), 1e3 * (cpu - start_cpu) / count
                    print(f"{row}  {rate:8.0f}  {peak:8.1f}  {each:12.2f}", flush=True)
        if len(answers) > 1:
            raise SystemExit("the answers differ")


if __name__ == "__main__":
    main()
