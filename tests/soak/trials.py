"""The trials: each does harm to one run, lets it go on, and counts what it lost by that."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from prmdata.errors import PrmdataError
from prmdata.sampler.storage.store import Store
from tests.sampler.endpoint.test_hostile import ANSWERED, SLOW
from tests.sampler.endpoint.test_sampler import tell
from tests.soak.processes import Process, pipe, start
from tests.soak.world import Counts, Paid, World

FAULTS = [fault for fault in (*ANSWERED, *SLOW) if fault.get("size") != 1 << 14]
"""That one is of a length that a thousand tokens may have: a lie that nobody can tell."""

Trial = Callable[[World, Path, Random], Counts]


def killed_between_files(world: World, folder: Path, random: Random) -> Counts:
    """`kill -9` at one to three moments of generate, verify, label, export; each taken up again."""
    counts, paid = Counts(), Paid(world, folder)
    stages = world.stages(world.healthy)
    for _ in range(random.randint(1, 3)):
        ends = time.monotonic() + random.uniform(0.02, world.seconds)
        for words in stages:
            process = start(folder, words)
            if process.wait(max(0.0, ends - time.monotonic())) is None:
                process.kill()
                counts["kills"] += 1
                break
            counts += _judged(process)
        paid.look()
    return counts + _to_the_end(world, folder, stages, paid)


def killed_in_a_pipe(world: World, folder: Path, random: Random) -> Counts:
    """One stage of a pipe dies; the others must not take what came for all."""
    counts, paid = Counts(), Paid(world, folder)
    generate, verify, label, export = world.stages(world.healthy)
    joined = [_without(generate, "-o"), ["verify", "-q"], [*label[:1], *label[2:]]]
    running = pipe(folder, joined)
    time.sleep(random.uniform(0.02, world.seconds))
    victim = random.choice(running)
    if victim.wait(0) is None:
        victim.kill()
        counts["kills"] += 1
    for process in running:
        counts += _judged(process, allowed=(0, 1, -9))
    if victim.status == -9 and running[-1].status == 0 and victim is not running[-1]:
        counts["silent"] += world.whole["l.jsonl"] != _read(folder / "l.jsonl")
    paid.look()
    (folder / "l.jsonl").unlink(missing_ok=True)
    return counts + _to_the_end(world, folder, [generate, verify, label, export], paid, again=True)


def hostile_server(world: World, folder: Path, random: Random) -> Counts:
    """One of two servers misbehaves, from the start or from some moment on."""
    fault = random.choice(FAULTS)
    late = random.random() < 0.7
    fault = {**fault, "always": True, "after": random.randint(4, 30) if late else 0}
    tell(world.hostile, "/faults", {"faults": [fault]})
    urls = [world.healthy, world.hostile]
    random.shuffle(urls)
    counts = _to_the_end(world, folder, world.stages(",".join(urls)), None)
    made = Counts(map(tuple, world.calls()))
    counts["doubled"] += sum(n - 1 for n in made.values())
    return counts


def full_disk(world: World, folder: Path, random: Random) -> Counts:
    """No file may grow past some size, as where a disk is full; then there is room again."""
    counts, paid = Counts(), Paid(world, folder)
    stages = world.stages(world.healthy)
    room = random.choice([0, 100, 1000, random.randint(1, 40_000), random.randint(1, 200_000)])
    for words in stages:
        process = start(folder, words, file_bytes=room)
        counts += _judged(process)
        counts["full disks"] += process.status != 0
        if process.status:
            break
    paid.look()
    return counts + _to_the_end(world, folder, stages, paid)


def flipped_bits(world: World, folder: Path, random: Random) -> Counts:
    """A bit of the store flips: it is noticed, or what is served is what was stored."""
    counts = Counts()
    source = random.choice(sorted((world.place / "calm/.prmdata/store").glob("*.jsonl")))
    whole = bytearray(source.read_bytes())
    (folder / source.name).write_bytes(whole)
    store = Store(folder)
    keys = [line[6:38].decode() for line in whole.splitlines()]
    before = {key: store.get(key) for key in keys}
    store.close()
    for _ in range(10):
        bit = random.randrange(8 * len(whole))
        whole[bit // 8] ^= 1 << bit % 8
        (folder / source.name).write_bytes(whole)
        try:
            store = Store(folder)
            served = {key: store.get(key) for key in keys}
            store.close()
            counts["silent"] += any(done not in (None, before[key]) for key, done in served.items())
        except PrmdataError:
            counts["flips noticed"] += 1
        counts["flips"] += 1
        whole[bit // 8] ^= 1 << bit % 8
    return counts


def flipped_journal(world: World, folder: Path, random: Random) -> Counts:
    """A run dies, a bit of its journal flips, and it is taken up again."""
    counts, stages = Counts(), world.stages(world.healthy)
    process = start(folder, stages[0])
    if process.wait(random.uniform(0.1, world.seconds / 2)) is None:
        process.kill()
        counts["kills"] += 1
    for journal in (folder / ".prmdata/t.jsonl").glob("journal-*"):
        content = bytearray(journal.read_bytes())
        if content:
            bit = random.randrange(8 * len(content))
            content[bit // 8] ^= 1 << bit % 8
            journal.write_bytes(content)
            counts["flips"] += 1
    process = start(folder, stages[0])
    counts += _judged(process)
    if process.status:
        counts["flips noticed"] += 1
        stages[0] = [*stages[0], "--overwrite"]
    return counts + _to_the_end(world, folder, stages, None)


def fuzzed_records(world: World, folder: Path, random: Random) -> Counts:
    """Bytes of an input are changed: what cannot be read is told, and nothing else is lost."""
    counts = Counts()
    content = bytearray((world.place / "calm/l.jsonl").read_bytes())
    for _ in range(random.choice([1, 1, 5, 50])):
        at = random.randrange(len(content))
        if random.random() < 0.5:
            content[at] = random.randrange(256)
        else:
            del content[at : at + random.choice([1, 10, 1000])]
    (folder / "in.jsonl").write_bytes(content)
    whole_lines = sum(bool(line.strip()) for line in content.split(b"\n"))
    for words in (["verify", "in.jsonl", "-o", "v.jsonl"], ["export", "in.jsonl", "-o", "set"]):
        process = start(folder, [*words, "-q", "--max-errors", "100%"])
        counts += _judged(process)
        if words[0] == "verify" and process.status == 0:
            written = (folder / "v.jsonl").read_bytes().count(b"\n")
            counts["lost"] += written < whole_lines
    counts += _judged(start(folder, ["stats", "in.jsonl"]))
    return counts


TRIALS: dict[str, tuple[Trial, int]] = {
    "killed between files": (killed_between_files, 4),
    "killed in a pipe": (killed_in_a_pipe, 3),
    "hostile server": (hostile_server, 4),
    "full disk": (full_disk, 2),
    "flipped bits": (flipped_bits, 3),
    "flipped journal": (flipped_journal, 2),
    "fuzzed records": (fuzzed_records, 4),
}
"""Name → trial, and its share."""


def _to_the_end(
    world: World, folder: Path, stages: list[list[str]], paid: Paid | None, *, again: bool = False
) -> Counts:
    counts = Counts()
    for words in stages:
        process = start(
            folder, [*words, "--overwrite"] if again and words[0] != "export" else words
        )
        counts += _judged(process, allowed=(0,))
        if process.status:
            break
    lost = world.lost(folder)
    counts["lost"] += lost > 0
    if paid is not None:
        paid.look()
        counts["doubled"] += paid.doubled
    return counts


def _judged(process: Process, allowed: tuple[int, ...] = (0, 1)) -> Counts:
    """A run ends in a way that is known, with a message that a user can read."""
    counts, status = Counts(), process.finish()
    if status not in allowed:
        counts["unexpected ends"] += 1
    if "Traceback" in process.said:
        counts["tracebacks"] += 1
    if status and not process.said.strip() and status != -9:
        counts["silent"] += 1
    return counts


def _read(path: Path) -> str:
    from tests.soak.world import contents

    return contents(path)


def _without(words: list[str], option: str) -> list[str]:
    at = words.index(option)
    return [*words[:at], *words[at + 2 :]]
