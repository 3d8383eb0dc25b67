"""A generate + label run, killed again and again and taken up again, against one that was not.

python -m tests.bench.kill 30
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

import msgspec

from prmdata.sampler.protocol import Sampling
from prmdata.sampler.storage.store import Entry, Keys, SamplerCard
from tests.sampler.test_contract import served

PROBLEMS, SAMPLES = 12, 4


def stage(url: str, folder: Path, words: list[str]) -> subprocess.Popen:
    line = [sys.executable, "-m", "prmdata", *words, "--sampler", url, "--concurrency", "4", "-q"]
    return subprocess.Popen(line, cwd=folder, stderr=subprocess.PIPE)


STAGES = (
    ["generate", f"abacus:{PROBLEMS}", "-n", str(SAMPLES), "-o", "t.jsonl"],
    ["label", "t.jsonl", "-o", "l.jsonl"],
)


def whole(url: str, folder: Path) -> float:
    """Run to the end; how long it took."""
    started = time.monotonic()
    for words in STAGES:
        process = stage(url, folder, words)
        _, said = process.communicate()
        assert process.returncode == 0, said.decode()
    return time.monotonic() - started


def killed(url: str, folder: Path, moment: float) -> bool:
    """The same, up to a SIGKILL at this moment; whether it still ran then."""
    ends = time.monotonic() + moment
    for words in STAGES:
        process = stage(url, folder, words)
        try:
            process.wait(timeout=max(0.01, ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return True
        process.communicate()
    return False


def tormented(url: str, folder: Path, moments: list[float]) -> Counter[str]:
    """Killed at each of the moments, taken up after each, then run to the end."""
    figures: Counter[str] = Counter()
    for moment in [*moments, None]:
        before, mark = set(keys_in(folder)), len(calls(url))
        if moment is None:
            whole(url, folder)
        elif killed(url, folder, moment):
            phase = "labelling" if (folder / "t.jsonl").exists() else "generating"
            figures[f"kills while {phase}"] += 1
            figures["kills"] += 1
        again = [key for key in asked(folder, calls(url)[mark:]) if key in before]
        figures["acknowledged calls paid again"] += len(again)
    figures["rows stored twice"] += sum(n - 1 for n in Counter(keys_in(folder)).values())
    return figures


def calls(url: str) -> list[list]:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/calls") as answer:
        return json.load(answer)["calls"]


def keys_in(folder: Path) -> list[str]:
    found = []
    for path in (folder / ".prmdata" / "store").glob("*.jsonl"):
        lines = path.read_bytes().split(b"\n")[:-1]
        found += [msgspec.json.decode(line, type=Entry).k for line in lines]
    return found


def asked(folder: Path, served_calls: list[list]) -> list[str]:
    """The store's keys of the calls that the server has seen."""
    cards = list((folder / ".prmdata" / "store").glob("*.sampler.json"))
    if not cards:
        return []
    card = msgspec.json.decode(cards[0].read_bytes(), type=SamplerCard)
    return [Keys(card.fingerprint, prompt, Sampling()).of(seed) for prompt, seed in served_calls]


def by_id(path: Path) -> bytes:
    """The file's lines, sorted; where a server lives is not part of what is compared."""
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    for row in rows:
        row["origin"]["sampler"] = "served"
    return b"\n".join(json.dumps(row).encode() for row in sorted(rows, key=lambda row: row["id"]))


def compare(kills: int) -> dict[str, object]:
    """Kills at moments spread evenly over the whole run, two a run."""
    figures: Counter[str] = Counter()
    same = []
    with tempfile.TemporaryDirectory() as place, served("policy-slow") as url:
        calm = Path(place, "calm")
        calm.mkdir()
        seconds = whole(url, calm)
        for number in range((kills + 1) // 2):
            rough = Path(place, f"rough-{number}")
            rough.mkdir()
            first = seconds * (number + 0.5) / ((kills + 1) // 2)
            figures += tormented(url, rough, [first, (seconds - first) / 2 + 0.3])
            same += [by_id(calm / name) == by_id(rough / name) for name in ("t.jsonl", "l.jsonl")]
    return {
        **{name: figures[name] for name in NAMES},
        "outputs": len(same),
        "outputs that are the same": sum(same),
    }


NAMES = (
    "kills",
    "kills while generating",
    "kills while labelling",
    "acknowledged calls paid again",
    "rows stored twice",
)

if __name__ == "__main__":
    for name, figure in compare(int(sys.argv[1]) if len(sys.argv) > 1 else 30).items():
        print(f"{name:<32} {figure}")
