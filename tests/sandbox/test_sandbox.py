"""What a sandbox promises to those who use it well."""

from __future__ import annotations

import asyncio
import json
import platform
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prmdata.errors import SandboxError, UsageError
from prmdata.sandbox import LEVELS, Result, Sandbox, level, namespaces
from prmdata.sandbox.harness import plain
from prmdata.sandbox.worker import Worker
from tests.sandbox.surroundings import processes


def in_box(work: Callable[[Sandbox], Awaitable[Any]], **settings: Any) -> Any:
    async def opened() -> Any:
        async with Sandbox(**settings) as box:
            return await work(box)

    try:
        return asyncio.run(opened())
    except SandboxError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[..., Result]]:
    """One sandbox for the tests that only run code."""
    box = Sandbox(workers=1)
    with asyncio.Runner() as runner:
        try:
            runner.run(box.__aenter__())
        except SandboxError as error:
            pytest.skip(str(error))
        yield lambda code, **limits: runner.run(box.run(code, **limits))
        runner.run(box.close())


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("", None),
        ("1 + 1", 2),
        ("x = 3", None),
        ("(1, [2.5, 'a'], {'b': None}, True)", [1, [2.5, "a"], {"b": None}, True]),
        ("{1, 2}", None),
        ("{1: 2}", None),
        ("10 ** 5000", None),
        ("'x' * (2 << 20)", None),
        ("float('inf')", float("inf")),
        ("'\\ud800'", "\ud800"),
        ("__name__", "__main__"),
        ("def f(n): return 1 if n < 2 else n * f(n - 1)\nf(20)", 2432902008176640000),
        ("from __future__ import annotations\ndef f(x: nowhere): return 1\nf(0)", 1),
        ("from dataclasses import dataclass\n@dataclass\nclass A:\n    b: int\nA(1).b", 1),
        ("import pickle\nclass A: pass\ntype(pickle.loads(pickle.dumps(A()))).__name__", "A"),
        ("import asyncio\nasyncio.run(asyncio.sleep(0, 5))", 5),
        ("import sympy\nstr(sympy.sqrt(8))", "2*sqrt(2)"),
        ("import numpy\nint(numpy.arange(4).sum())", 6),
        ("with open('a', 'w') as f: f.write('b')\nopen('a').read()", "b"),
        ("import tempfile\nwith tempfile.NamedTemporaryFile() as f: n = f.write(b'x')\nn", 1),
        ("import os\nos.cpu_count() > 0", True),
        ("import random\nlen({random.random() for _ in range(9)})", 9),
        ("import zoneinfo\nstr(zoneinfo.ZoneInfo('UTC'))", "UTC"),
    ],
)
def test_the_last_expression_is_the_value(
    run: Callable[..., Result], code: str, value: object
) -> None:
    result = run(code)
    assert (result.exit, result.value, result.stderr) == ("ok", value, "")


@pytest.mark.parametrize(
    ("code", "exit", "stderr"),
    [
        ("1 / 0", "error", "ZeroDivisionError"),
        ("def f(:", "error", "SyntaxError"),
        ("import nowhere", "error", "ModuleNotFoundError"),
        ("import sys\nsys.exit(3)", "error", "SystemExit"),
        ("import sys\nsys.exit(0)\nprint('never')", "error", "SystemExit"),
        ("def main(): raise SystemExit\nmain()", "ok", ""),
        ("x = [0] * 10**9", "memory", "MemoryError"),
        ("while True: pass", "timeout", ""),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "killed", ""),
    ],
)
def test_each_end_has_its_name(
    run: Callable[..., Result], code: str, exit: str, stderr: str
) -> None:
    result = run(code, deadline_s=0.3 if exit == "timeout" else 5)
    assert result.exit == exit
    assert stderr in result.stderr
    assert result.value is None


def test_a_traceback_shows_the_code_and_none_of_ours(run: Callable[..., Result]) -> None:
    told = run("def half(x):\n    return 1 / x\n\nhalf(0)").stderr
    assert "return 1 / x" in told
    assert 'File "<code>", line 4' in told
    assert "harness" not in told


def test_streams_are_given_and_taken(run: Callable[..., Result]) -> None:
    code = "import sys\nprint(input() + '!')\nprint(sys.stdin.read(), file=sys.stderr)"
    result = run(code, stdin="é\nrest")
    assert (result.stdout, result.stderr) == ("é!\n", "rest\n")
    assert len(run("print('x' * (3 << 20))").stdout) == 1 << 20


def test_a_run_leaves_nothing_to_the_next(run: Callable[..., Result]) -> None:
    run("import builtins, os\nbuiltins.sum = max\nos.environ['A'] = 'b'\nopen('a', 'w').close()")
    result = run("import os\n[sum([1, 2]), os.environ.get('A'), os.listdir()]")
    assert result.value == [3, None, []]


def test_runs_repeat_themselves() -> None:
    code = "import random\n[random.random(), hash('a'), str({'a', 'b', 'c', 'd'})]"

    async def work(box: Sandbox) -> list[Result]:
        return await asyncio.gather(*(box.run(code) for _ in range(6)))

    values = [result.value for result in in_box(work)]
    assert values == [values[0]] * 6


def test_a_hang_costs_its_deadline_and_its_worker_only() -> None:
    async def work(box: Sandbox) -> tuple[Result, int]:
        hang = asyncio.create_task(box.run("while True: pass", deadline_s=1.0))
        await asyncio.sleep(0)
        others = 0
        while not hang.done():
            others += (await box.run("1")).value
        return hang.result(), others

    hang, others = in_box(work)
    assert hang.exit == "timeout"
    assert 1.0 <= hang.seconds < 2.0
    assert others > 3


def test_a_forged_report_is_no_verdict(run: Callable[..., Result]) -> None:
    """Code can say what it likes, but not what it does not know: the expected value."""
    result = run("import os\nos.write(3, b'\"right\"')\nos._exit(0)")
    assert (result.exit, result.value) == ("ok", "right")
    assert result.value != 42


def test_cancelling_ends_the_run_and_not_the_sandbox() -> None:
    async def work(box: Sandbox) -> Result:
        scratch = (await box.run("import os\nos.getcwd()")).value
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(box.run("while True: pass", deadline_s=60), 0.3)
        async with asyncio.timeout(10):  # the kernel takes a moment on a busy machine
            while processes(scratch):
                await asyncio.sleep(0.01)
        return await box.run("1 + 1")

    assert in_box(work, workers=1).value == 2


def test_a_lost_zygote_costs_one_run() -> None:
    async def work(box: Sandbox) -> list[Result]:
        [worker] = box._workers
        zygote = await worker.started()
        zygote.kill()
        await zygote.wait()
        return [await box.run("1 + 1"), await box.run("1 + 1")]

    first, second = in_box(work, workers=1)
    assert first.exit in ("killed", "ok")
    assert second.value == 2


def test_closing_leaves_no_process_and_no_folder() -> None:
    async def work(box: Sandbox) -> str:
        return str((await box.run("import os\nos.getcwd()")).value)

    scratch = in_box(work)
    assert not Path(scratch).exists()
    assert processes(scratch) == []


def test_a_sandbox_that_does_not_open_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker fails while the other is about to start: no machine does that on demand."""
    found = asyncio.run(level.reached("auto"))

    async def known(wanted: str) -> level.Level:
        return found

    begun: list[Worker] = []
    start = Worker._start

    async def late(worker: Worker) -> asyncio.subprocess.Process:
        begun.append(worker)
        if len(begun) == 1:
            raise SandboxError("no room")
        await asyncio.sleep(0.1)
        return await start(worker)

    monkeypatch.setattr(Worker, "_start", late)
    monkeypatch.setattr("prmdata.sandbox.box.reached", known)

    async def work() -> int:
        with pytest.raises(SandboxError, match="no room"):
            await Sandbox(workers=2).__aenter__()
        return len(asyncio.all_tasks()) - 1

    assert asyncio.run(work()) == 0
    assert len(begun) == 2


def test_a_closed_sandbox_says_so() -> None:
    with pytest.raises(SandboxError, match="async with"):
        asyncio.run(Sandbox().run("1"))


@pytest.mark.parametrize("limits", [{"deadline_s": 0}, {"deadline_s": 1e9}, {"memory_mb": 0}])
def test_senseless_limits_are_refused(run: Callable[..., Result], limits: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        run("1", **limits)


def test_the_level_tells_what_was_tried() -> None:
    async def work(box: Sandbox) -> level.Level:
        return box.level

    reached = in_box(work, workers=1)
    assert reached.layers == LEVELS[reached.name]
    assert len(reached.probes) >= 15
    assert all(level.stopped(what) for what in reached.probes.values())
    assert set(reached.refused) == set(list(LEVELS)[: list(LEVELS).index(reached.name)])


def test_a_level_that_lets_an_attack_through_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A level of no layers stands for a machine that has none."""
    in_box(lambda box: box.run("1"), workers=1)
    monkeypatch.setattr(level, "LEVELS", {"open": ()})
    with pytest.raises(SandboxError, match=r"read a file: succeeded.*try Linux 5\.13"):
        asyncio.run(level.reached())


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'landlock'"):
        asyncio.run(level.reached("landlok"))


def test_other_machines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one machine here, so the others' names are put in its place."""
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(SandboxError, match="riscv64" if sys.platform == "linux" else "Linux"):
        asyncio.run(level.reached())
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="run it in a Linux VM"):
        asyncio.run(level.reached())


def test_only_outermost_folders_are_mounted(tmp_path: Path) -> None:
    inner = tmp_path / "lib" / "inner"
    inner.mkdir(parents=True)
    paths = [str(inner), str(tmp_path / "lib"), str(tmp_path / "none")]
    assert namespaces.outermost(paths) == [str(tmp_path / "lib")]


def test_plain_data_is_plain_to_the_bottom() -> None:
    class Liar(int):
        pass

    assert plain(({"a": [1.5, None]},)) == [{"a": [1.5, None]}]
    with pytest.raises(TypeError):
        plain([Liar(1)])


@pytest.mark.parametrize(
    ("missing", "best", "why"),
    [
        (["namespaces"], "landlock", "unshare: Operation not permitted"),
        (["landlock"], "namespaces", "Landlock: Function not implemented"),
        (["namespaces", "landlock"], None, "allow user namespaces"),
    ],
)
def test_a_poorer_machine_reaches_what_it_can(
    missing: list[str], best: str | None, why: str
) -> None:
    in_box(lambda box: box.run("1"), workers=1, level="full")
    command = [sys.executable, "-m", "tests.sandbox.poorer", *missing]
    root = Path(__file__).parents[2]
    told = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert json.loads(told)["name"] == best
    assert why in told
