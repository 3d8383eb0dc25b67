"""No wrong program is graded right, whatever it does; right ones are, however tests are written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from prmdata.errors import SandboxError
from prmdata.grading.suite import Suite, suite_of
from prmdata.sandbox import Sandbox
from tests.grading.forgeries import TESTS, forgeries

RIGHT = "import math\ndef area(r):\n    return math.pi * r * r\n"


SEARCH = """
import ctypes, gc
gc.unfreeze()
needle = bytes(reversed(b'paeh-eht-ni-eldeen'))
seen = [o for o in gc.get_objects()]
pages = {id(o) & ~0xFFF for o in seen}
pages |= {id(o) & ~0xFFF for d in seen if type(d) is dict for pair in list(d.items()) for o in pair}
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p
end = libc.sbrk(0)
low = [p for p in pages if end - (256 << 20) < p < end]
hits = sum(ctypes.string_at(p, 4096).count(needle) for p in pages)
start = min(low) if low else end
whole = ctypes.string_at(start, end - start)
hits += whole.count(needle)
hits
"""
"""Reads the heap, and every page that holds a live object."""


class Box:
    def __init__(self, runner: asyncio.Runner, box: Sandbox) -> None:
        self._runner, self.box = runner, box

    def outcome(self, program: str, suite: Suite | None) -> str:
        assert suite is not None
        return self._runner.run(suite.outcome(program, self.box, cpu_s=2.0))

    def value(self, code: str) -> Any:
        return self._runner.run(self.box.run(code)).value


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    sandbox = Sandbox(workers=1)
    with asyncio.Runner() as runner:
        try:
            runner.run(sandbox.__aenter__())
        except SandboxError as error:
            pytest.skip(str(error))
        yield Box(runner, sandbox)
        runner.run(sandbox.close())


@pytest.mark.slow
def test_no_forged_verdict_passes(box: Box) -> None:
    suite = suite_of({"tests": list(TESTS)})
    assert box.outcome(RIGHT, suite) == "pass"
    made = forgeries()
    assert len(made) >= 100
    assert len({name.rpartition(" ")[0] for name in made}) >= 10
    assert [name for name, program in made.items() if box.outcome(program, suite) == "pass"] == []


@pytest.mark.slow
def test_a_test_alone_is_no_easier_to_forge(box: Box) -> None:
    """A single boolean: whoever could write the verdict would need to know nothing."""
    suite = suite_of({"tests": list(TESTS[:1])})
    passed = [
        name for name, program in forgeries().items() if box.outcome(program, suite) == "pass"
    ]
    assert passed == []


def test_a_run_finds_nothing_of_another_in_its_memory(box: Box) -> None:
    needle = "needle-" + "in-the-heap"
    suite = Suite("", (f"SECRET = {needle!r}\nassert area(3) == SECRET",))
    for _ in range(20):
        box.outcome(f"def area(r):\n    print({needle!r})\n    return {needle!r}", suite)
        box.value(f"x = {needle!r}\nprint(x * 3)\nx")
    assert box.value(SEARCH) <= 1  # what it searches for is in its memory, after all


@pytest.mark.parametrize(
    ("context", "program"),
    [
        ({"tests": ["assert f([3, 1]) == [1, 3]"]}, "def f(x):\n    return sorted(x)"),
        ({"tests": ["assert f(2) == (1, 2)"]}, "def f(x):\n    return 1, x"),
        ({"tests": ["assert f('a') == {'a': {1, 2}}"]}, "def f(x):\n    return {x: {1, 2}}"),
        ({"tests": ["assert all(f(i) == i * i for i in range(9))"]}, "def f(x):\n    return x * x"),
        ({"tests": ["for i in range(3):\n    assert f(i) == i"]}, "def f(x):\n    return x"),
        ({"tests": ["assert f(P(1, 2), 2) == 3"]}, "class P:\n    def __init__(s, a, b): s.a = a\ndef f(p, n):\n    return p.a + n"),
        ({"tests": ["p = P(4)\nassert p.get() == 4 and p.a == 4"]}, "class P:\n    def __init__(s, a): s.a = a\n    def get(s): return s.a"),
        ({"tests": ["assert isclose(f(1), 0.1 + 0.2)"]}, "from math import isclose\ndef f(x):\n    return 0.3"),
        ({"tests": ["assert math.isclose(f(1), 0.3)"]}, "import math\ndef f(x):\n    return 0.3"),
        ({"tests": ["try:\n    f(-1)\n    assert False\nexcept ValueError:\n    pass"]}, "def f(x):\n    raise ValueError('no')"),
        ({"tests": ["assert list(f(3)) == [0, 1, 2]"]}, "def f(n):\n    yield from range(n)"),
        ({"tests": ["assert Counter(f('aab')) == Counter('aab')"]}, "from collections import Counter\ndef f(x):\n    return Counter(x)"),
        ({"tests": ["assert f(1) == Fraction(1, 2)"], "setup": "from fractions import Fraction"}, "def f(x):\n    return Fraction(1, 2)"),
        ({"tests": ["assert sum(1, 2) == 3"], "entry_point": "sum"}, "x = 1"),
        ({"test": "def near(a, b): return abs(a - b) < 1\ndef check(candidate):\n    for i in range(3):\n        assert near(candidate(i), i)\n", "entry_point": "f"}, "def f(x):\n    return x + .5"),
    ],
)  # fmt: skip
def test_right_programs_pass_tests_of_many_forms(
    box: Box, context: dict[str, Any], program: str
) -> None:
    if context.get("entry_point") == "sum":
        assert box.outcome(program, suite_of(context)) == "fail"
        return
    assert box.outcome(program, suite_of(context)) == "pass"
    broken = program.replace("return", "return None and").replace("yield from", "yield")
    broken = broken.replace("raise ValueError", "raise KeyError")
    if broken != program:
        assert box.outcome(broken, suite_of(context)) == "fail"


def test_tests_that_say_nothing_grade_nothing() -> None:
    for context in (
        {},
        {"tests": ["f(1)"]},
        {"tests": ["assert ("]},
        {"test": "def check(c): pass"},
    ):
        assert suite_of({"entry_point": "f", **context}) is None
