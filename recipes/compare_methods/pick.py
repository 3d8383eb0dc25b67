"""Traces → those whose rollouts go into the bank: every wrong one, and the first right ones.

python pick.py traces.parquet some.jsonl --right 220
"""

from __future__ import annotations

import argparse
import itertools

import prmdata


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("traces")
    options.add_argument("some")
    options.add_argument("--right", type=int, default=220)
    asked = options.parse_args()
    number = itertools.count()
    traces = list(prmdata.read(asked.traces))
    some = [t for t in traces if not t.correct or next(number) < asked.right]
    prmdata.write(asked.some, some)
    print(f"{len(some):,} of {len(traces):,} traces")


if __name__ == "__main__":
    main()
