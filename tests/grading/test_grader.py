"""Right, wrong, unparsed, timed out: kept apart, for every kind of answer and any hostile text."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prmdata.errors import GraderError, UsageError
from prmdata.grading import Grade, Grader, canonical, compare
from prmdata.records import Problem

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT.parent / "shared" / "data"


def asking(gold: str | None, kind: str = "math") -> Problem:
    return Problem("p", "How many?", gold, kind)


@pytest.fixture(scope="module")
def grades() -> Iterator[Callable[[str, str], str]]:
    """One grader and its loop for the module: starting a worker costs two seconds."""
    loop, grader = asyncio.new_event_loop(), Grader(timeout_s=5.0)

    def boxed(answer: str, gold: str) -> str:
        work = grader.grade(f"so \\boxed{{{answer}}}", asking(gold))
        return loop.run_until_complete(work).grade.value

    yield boxed
    loop.run_until_complete(grader.close())
    loop.close()


@pytest.mark.parametrize(
    ("answer", "gold", "same", "why"),
    [
        ("1,000", "1000", True, "thousands"),
        ("1{,}000", "1000", True, "LaTeX thousands"),
        ("12", "12.0", True, ""),
        ("-3", "−3", True, "a typographic minus"),
        (r"\frac{1}{2}", "0.5", True, ""),
        (r"\dfrac{9}{7}", "9/7", True, "a bare \\dfrac is a number"),
        (r"\frac97", "9/7", True, ""),
        ("2/4", "1/2", True, ""),
        ("1 1/2", "3/2", True, "mixed numbers"),
        ("1e10", "10000000000", True, "scientific notation is read"),
        (r"1.5 \times 10^3", "1500", True, ""),
        (r"\$12", "12 dollars", True, "a unit only one side gives is understood"),
        ("5 cm", "5 m", False, "units that differ"),
        ("5 meters", "5 meter", True, ""),
        (r"90^\circ", "90", True, ""),
        ("28%", "28", True, "percents asked for"),
        ("28%", "0.28", True, "a share asked for"),
        ("0.28", "28", False, "but no percent sign, no percent"),
        ("(1,2)", "(1, 2)", True, ""),
        ("(1,2)", "(2,1)", False, "tuples are ordered"),
        ("2, 1", "1,2", True, "a bare list is a set of answers"),
        (r"\{1,2\}", r"\{2,1\}", True, "sets are not ordered"),
        (r"\{1,2\}", r"\{1,2,3\}", False, ""),
        ("[0,5)", "(0,5)", False, "an end that belongs to it, and one that does not"),
        ("(0,0.5)", r"(0,\frac12)", True, ""),
        ("x=5", "5", True, ""),
        ("Paris", "paris", True, "words do not mind their case"),
        ("two", "2", False, "words are not numbers"),
        ("12", "2", False, "not by substring"),
        ("2", "12", False, "not by substring"),
    ],
)
def test_what_needs_no_understanding(answer: str, gold: str, same: bool, why: str) -> None:
    assert compare(answer, gold) is same, why


@pytest.mark.parametrize(
    ("answer", "gold", "grade"),
    [
        # what math-verify takes for the same, and is not
        ("1/2^{99}", "1/2^{98}", "wrong"),
        (r"1-1/\mathrm{e}", r"1+1/\mathrm{e}", "wrong"),
        (r"1,2,\ldots,n", r"1,3,5,\ldots", "wrong"),
        ("x=y", "0", "wrong"),
        ("y=2x+2", "y=2x+1", "wrong"),
        ("10_2", "10_3", "wrong"),
        ("3.1415927", r"\pi", "wrong"),
        # what it takes for different, and is the same
        (r"\dfrac{9}{7}", "9/7", "right"),
        ("x>2", r"(2,\infty)", "right"),
        (r"(2,\infty)", "x>2", "right"),
        ("1e10", "10^{10}", "right"),
        ("i", r"\sqrt{-1}", "right"),
        # what it is for
        (r"2\sqrt{3}", r"\sqrt{12}", "right"),
        ("3x+1", "1+3x", "right"),
        (r"\frac{\pi}{2}", r"\pi/2", "right"),
        (r"\binom{5}{2}", "10", "right"),
        ("x^2", "x^3", "wrong"),
    ],
)
def test_what_has_to_be_understood(
    grades: Callable[[str, str], str], answer: str, gold: str, grade: str
) -> None:
    assert grades(answer, gold) == grade


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer",
    ["9**9**9**9", "9^{9^{9^{9}}}", "(" * 100_000, "{" * 1000, "__import__('os').system('touch ran')", "1e" + "9" * 50, "9" * 100_000, r"\frac{1}{0}", "\x00", "∞" * 500],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_hostile_answers_cost_themselves_alone(
    grades: Callable[[str, str], str], answer: str
) -> None:
    assert grades(answer, "3") in ("wrong", "unparsed", "timeout")
    assert not Path("ran").exists()
    assert grades("3x", "x*3") == "right"


@pytest.mark.slow
def test_what_cannot_be_interrupted_is_killed() -> None:
    async def both() -> list[Grade]:
        grader = Grader(timeout_s=1.0)
        hang = r"so \boxed{\binom{10^9}{5\cdot 10^8}}"
        verdicts = [
            await grader.grade(hang, asking("3")),
            await grader.grade(r"\boxed{3x}", asking("x+x+x")),
        ]
        await grader.close()
        return [verdict.grade for verdict in verdicts]

    hung, fine = asyncio.run(both())
    assert hung == Grade.TIMEOUT
    assert fine == Grade.RIGHT


NUMBERS = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.integers(1000, 10**9).map(lambda n: f"{n:,}"),
    st.fractions(-1000, 1000, max_denominator=999).map(
        lambda f: f"\\frac{{{f.numerator}}}{{{f.denominator}}}"
    ),
    st.decimals(-1000, 1000, places=3).map(str),
)


@given(NUMBERS)
def test_a_number_is_itself_and_its_canonical_form(text: str) -> None:
    assert compare(text, text) is True
    assert compare(canonical(text), text) is True
    assert canonical(canonical(text)) == canonical(text)


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_different_numbers_are_different(a: int, b: int) -> None:
    assert compare(str(a), str(b)) is (a == b)
    assert compare(f"{a}/7", f"{b}/7") is (a == b)
    assert compare(f"({a}, {b})", f"({a}, {b + 1})") is False
    assert canonical(str(Fraction(a, 1))) == str(a)


@pytest.mark.skipif(
    not (DATA / "math500.jsonl").exists(), reason="needs MATH-500 beside the project"
)
def test_math_500_golds_are_themselves_and_not_one_another() -> None:
    golds = [
        json.loads(line)["answer"] for line in (DATA / "math500.jsonl").read_text().splitlines()
    ]
    assert [g for g in golds if compare(g, g) is not True] == []
    confused = [
        (a, b)
        for i, a in enumerate(golds)
        for b in golds[i + 1 : i + 40]
        if a != b and compare(a, b) is True
    ]
    for a, b in confused:  # 100 and 100\%, 6 and 6.00: the same by our decisions
        assert canonical(a).rstrip("%") == canonical(b).rstrip("%")


def test_empty_and_missing_are_unparsed() -> None:
    grader = Grader()
    for text, gold in (("nothing said", "3"), (r"\boxed{}", "3"), ("The answer is 3.", None)):
        verdict = grader.grade_now(text, asking(gold))
        assert verdict is not None
        assert verdict.grade == Grade.UNPARSED
    with pytest.raises(GraderError, match="kind 'poem' are not graded"):
        grader.grade_now("x", asking("y", "poem"))
    said = grader.grade_now("The answer is Paris.", asking(" paris ", "text"))
    assert said is not None
    assert said.grade == Grade.RIGHT
    chosen = grader.grade_now("I choose option (B)", asking("B", "choice"))
    assert chosen is not None
    assert chosen.grade == Grade.RIGHT


def own(spec: str, *answers: str, timeout_s: float = 2.0) -> list[str]:
    async def ask() -> list[str]:
        grader = Grader(spec, timeout_s=timeout_s)
        try:
            return [
                (await grader.grade(f"The answer is {a}.", Problem("abc", "?", "abc"))).grade.value
                for a in answers
            ]
        finally:
            await grader.close()

    return asyncio.run(ask())


@pytest.fixture
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.usefixtures("at_root")
def test_a_function_of_ones_own() -> None:
    assert own("tests.grading.graders:by_length", "xyz", "xy") == ["right", "wrong"]
    assert own("tests.grading.graders:by_name", "x") == ["right"]
    assert own("tests.grading.graders:hangs", "hang", "go") == ["timeout", "right"]
    for name, says in (
        ("raises", "ValueError: no such answer"),
        ("babbles", "neither a bool nor"),
    ):
        with pytest.raises(GraderError, match=says):
            own(f"tests.grading.graders:{name}", "x")
    with pytest.raises(UsageError, match="cannot load"):
        own("tests.grading.graders:nowhere", "x")
    with pytest.raises(GraderError, match="crashed on the answer 'crash'"):
        own("tests.grading.graders:crashes", "crash")


PROGRAM = """
import json, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    if asked["answer"] == "hang": time.sleep(60)
    if asked["answer"] == "die": sys.exit("I give up")
    grade = "nonsense" if asked["answer"] == "odd" else "right" if asked["answer"] == asked["gold"] else "wrong"
    print(json.dumps({"grade": grade}), flush=True)
"""


def test_a_command_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "judge.py").write_text(PROGRAM)
    spec = f"command: {sys.executable} {tmp_path / 'judge.py'}"
    assert own(spec, "abc", "x") == ["right", "wrong"]
    hung = own(spec, "abc", "hang", "abc", timeout_s=1.0)
    assert hung == ["right", "timeout", "right"]
    with pytest.raises(GraderError, match="I give up"):
        own(spec, "die")
    with pytest.raises(GraderError, match="must answer"):
        own(spec, "odd")
    with pytest.raises(UsageError, match="cannot start"):
        own("command: /no/such/program", "x")
    with pytest.raises(UsageError, match="No closing quotation"):
        own("command: '", "x")


@pytest.mark.parametrize(
    ("start", "each", "answer"),
    [
        ("time.sleep(1.5)", "", "{}"),
        ("", "print('thinking ' * 20_000, file=sys.stderr)", "{}"),
        ("", "", "{'why': 'well ' * 20_000}"),
    ],
    ids=["starts slowly", "logs much", "answers at length"],
)
def test_a_command_may_take_its_room(tmp_path: Path, start: str, each: str, answer: str) -> None:
    (tmp_path / "judge.py").write_text(
        f"import json, sys, time\n{start}\nfor line in sys.stdin:\n    {each}\n"
        f"    print(json.dumps({{'grade': 'right', **{answer}}}), flush=True)\n"
    )
    spec = f"command: {sys.executable} {tmp_path / 'judge.py'}"
    assert own(spec, "x", "y", timeout_s=1.0) == ["right", "right"]


def test_a_command_that_was_not_heard_out_starts_anew(tmp_path: Path) -> None:
    program = PROGRAM.replace("sleep(60)", "sleep(0.3)")
    (tmp_path / "judge.py").write_text(program)

    async def ask() -> str:
        grader = Grader(f"command: {sys.executable} {tmp_path / 'judge.py'}", timeout_s=20.0)
        await grader.grade("The answer is x.", asking("abc"))
        given_up = asyncio.create_task(grader.grade("The answer is hang.", asking("hang")))
        await asyncio.sleep(0.1)
        given_up.cancel()
        verdict = await grader.grade("The answer is x.", asking("abc"))
        await grader.close()
        await asyncio.sleep(0.05)
        return verdict.grade.value

    assert asyncio.run(ask()) == "wrong"


@pytest.mark.slow
def test_workers_end_with_their_parent() -> None:
    code = (
        "import asyncio, os\n"
        "from prmdata.grading import Grader\n"
        "from prmdata.records import Problem\n"
        "async def go():\n"
        "    grader = Grader(timeout_s=5)\n"
        "    print((await grader.grade('\\\\boxed{3x}', Problem('p', '?', 'x*3'))).grade.value, flush=True)\n"
        "    print(grader._pool._all[0]._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(go())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    grade, pid = done.stdout.split()
    assert grade == "right"
    subprocess.run(["sleep", "0.5"], check=True)
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().split()[2] in "ZX"  # dead, if not yet reaped
