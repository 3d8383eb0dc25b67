"""A generate + label run of an agent, killed again and again, against one that was not.

python -m tests.bench.kill_acting 60
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.agent import problem
from tests.bench.kill import keys_in

TREE = Path(__file__).parents[2]
SUMS = Path(__file__).with_name("sums.py")
PROBLEMS, SAMPLES = 8, 3


def stages() -> list[list[str]]:
    answers = f"command:{sys.executable} {SUMS}"
    return [
        ["generate", "q.jsonl", "--environment", answers, "-n", str(SAMPLES), "-o", "t.jsonl"],
        ["label", "t.jsonl", "--method", "bisect", "--environment", answers, "-o", "l.jsonl"],
    ]


def stage(folder: Path, words: list[str]) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "tests.bench.acting_run", *words, "--sampler", "abacus"]
    line += ["--concurrency", "4", "-q"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TREE), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(line, cwd=folder, stderr=subprocess.PIPE, env=environment)


def prepared(folder: Path) -> Path:
    folder.mkdir()
    rows = (problem(i) for i in range(PROBLEMS))
    lines = (json.dumps({"id": p.id, "question": p.question, "answer": p.answer}) for p in rows)
    (folder / "q.jsonl").write_text("\n".join(lines))
    return folder


def whole(folder: Path) -> float:
    started = time.monotonic()
    for words in stages():
        process = stage(folder, words)
        _, said = process.communicate()
        assert process.returncode == 0, said.decode()
    return time.monotonic() - started


def killed(folder: Path, moment: float) -> bool:
    ends = time.monotonic() + moment
    for words in stages():
        process = stage(folder, words)
        try:
            process.wait(timeout=max(0.01, ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return True
        process.communicate()
    return False


def compare(kills: int, each: int = 3) -> dict[str, int]:
    """Kills at moments spread evenly over the whole run, `each` in a run, until there were enough:
    a run may be over before its moment comes."""
    figures: Counter[str] = Counter()
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        calm = prepared(Path(place, "calm"))
        seconds = whole(calm)
        while figures["kills"] < kills and figures["runs"] < kills:
            rough = prepared(Path(place, f"rough-{figures['runs']}"))
            figures["runs"] += 1
            for _ in range(each):
                figures["kills"] += killed(rough, 0.4 + chance.random() * (seconds - 0.8))
            whole(rough)
            figures["rows stored twice"] += sum(n - 1 for n in Counter(keys_in(rough)).values())
            for name in ("t.jsonl", "l.jsonl"):
                figures["outputs"] += 1
                same = (calm / name).read_bytes() == (rough / name).read_bytes()
                figures["outputs that are the same"] += same
    return dict(figures)


if __name__ == "__main__":
    for name, figure in compare(int(sys.argv[1]) if len(sys.argv) > 1 else 60).items():
        print(f"{name:<32} {figure}")
