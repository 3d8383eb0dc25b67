"""A run that replaces its target and dies at the first, second, third … step of doing so.

    python -m tests.run.dying TARGET {exchange,moves}

After each death the same run is made again, to its end. Prints how many deaths there were.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from prmdata.files import read_traces
from prmdata.records import Problem, Trace
from prmdata.run import placing
from prmdata.run.manifest import run_folder
from prmdata.run.target import FileOutput

STEPS = ("os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "os.mkdir")
KEPT = {"manifest.json", "lock", placing.RECORD}


def run(target: str, version: str, dies_at: int) -> None:
    """Replace whatever is there; leave without a word at this step of it."""
    step = 0

    def watch(name: str, arguments: tuple) -> None:
        nonlocal step
        if name in STEPS or (name == "open" and "w" in str(arguments[1])):
            step += 1
            if step == dies_at:
                os._exit(9)

    trace = Trace(id="a/0", problem=Problem("a", version))
    output = FileOutput(target, "label", {"k": version}, {}, overwrite=dies_at > 0)
    if dies_at:
        sys.addaudithook(watch)
    output.accept(0, "0" * 32, [trace])
    output.finish({})
    output.close()


def check(target: str, *versions: str) -> None:
    if not Path(target).exists():
        assert versions[1:], "nothing is there"
        assert (run_folder(target) / placing.WAITING).exists()
        return
    (trace,) = read_traces(target)
    assert isinstance(trace, Trace)
    assert trace.problem.question in versions, trace.problem.question


def tidy(target: str) -> None:
    assert {path.name for path in run_folder(target).iterdir()} == KEPT
    assert sorted(path.name for path in Path().iterdir()) == [".prmdata", target]


def child(work: Callable[..., None], *arguments: object) -> int:
    """The exit status of a process that does this and nothing else."""
    process = os.fork()
    if not process:
        try:
            work(*arguments)
        except BaseException as error:  # noqa: BLE001  told to the parent by the status
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main(target: str, manner: str) -> int:
    if manner == "moves":
        placing._exchanged = lambda one, other: False
    run(target, "old", 0)  # each child would import anew what this does
    check(target, "old")
    deaths = 0
    while True:
        assert child(run, target, "old", 1000) == 0
        died = child(run, target, "new", deaths + 1) == 9
        assert child(check, target, "old", "new") == 0
        assert child(run, target, "new", 0) == 0
        assert child(check, target, "new") == 0
        tidy(target)
        if not died:
            return deaths
        deaths += 1


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
