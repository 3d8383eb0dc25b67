"""Code steps against what they print; every case is run in the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from prmdata.files import write_traces
from prmdata.records import Step
from prmdata.verifiers.code.printed import agrees, names
from prmdata.verifiers.code.snippets import snippets
from tests.verifiers.boxed import checked, trace_of


def fenced(code: str, word: str = "python") -> str:
    return f"```{word}\n{code}\n```\n"


def shown(code: str, said: str, word: str = "output") -> str:
    return fenced(code) + fenced(said, word)


CASES = [
    (shown("print(6 * 7)", "42"), "right", None),
    (shown("print(6 * 7)", "41"), "wrong", "prints '42', not '41'"),
    (shown("print(2 / 3)", "0.667"), "right", None),
    (shown("print(2 / 3)", "0.66"), "right", None),
    (shown("print(2 / 3)", "0.65"), "wrong", "prints '0.6666666666666666', not '0.65'"),
    (shown("print(10 ** 6)", "1,000,000", "text"), "right", None),
    (shown("print([1, 200])", "[1,200]"), "right", None),
    (shown("print('a')\nprint('b')", "a   b"), "right", None),
    (shown("6 * 7", "42"), "right", None),
    (shown("def f():\n    print('in')\n    return 7\nf()", "in\n7"), "right", None),
    (shown("def f():\n    print('in')\n    return 7\nf()", "in"), "right", None),
    (shown("print({3, 1, 2})", "{3, 1, 2}"), "unknown", None),
    (shown("print('Yes')", "yes"), "unknown", None),
    (shown("1 / 0", "1"), "wrong", "fails: ZeroDivisionError: division by zero"),
    (shown("import sys\nprint(3)\nsys.exit()", "3"), "right", None),
    (shown("print(3", "3"), "wrong", "fails: SyntaxError: '(' was never closed"),
    (shown("import nowhere_to_be_found\nprint(1)", "1"), "unknown", None),
    (shown("import random\nprint(random.random())", "0.5"), "unknown", None),
    (shown("print(list(range(999)))", "[0, 1, ...]"), "unknown", None),
    (shown(">>> 1 + 1\n2", "2"), "unknown", None),
    (fenced("print(6 * 7)"), "unknown", None),
    (fenced("print(1)") + "A table:\n" + fenced("other words", "text"), "unknown", None),
    (fenced("print(1)") + "The output:\n" + fenced("2", ""), "wrong", "prints '1', not '2'"),
    (fenced("print(6 * 7)") + "This prints `42`.", "right", None),
    (fenced("print('sum:', 42)") + "The output is 42.", "right", None),
    (fenced("print(6 * 7)") + "It outputs 43, so we are done.", "wrong", "prints '42', not '43'"),
    (fenced("print(6 * 7)") + "If it prints 43, we are wrong.", "unknown", None),
    (fenced("print(1)\nprint(2)") + "It prints 3.", "unknown", None),
    ("We add 1 and 1 and get 3.", "unknown", None),
]


def test_each_case_in_one_sandbox() -> None:
    found = checked("python", *(trace_of(text) for text, _, _ in CASES))
    for (text, verdict, note), evidence in zip(CASES, found, strict=True):
        assert evidence.verdicts == (verdict,), (text, evidence.notes)
        if note is not None:
            assert evidence.notes == (note,)
        assert evidence.settings["sandbox"] in ("full", "landlock", "namespaces")


def test_a_step_knows_what_the_steps_before_it_defined() -> None:
    first, second = "x = 20\nprint(x)", "print(x + 1)"
    steps = [shown(first, "20"), "So we add one.\n", shown(second, "21"), shown(second, "22")]
    (evidence,) = checked("python", trace_of(*steps))
    assert evidence.verdicts == ("right", "unknown", "right", "wrong")


def test_a_block_that_misses_what_could_not_be_run_is_unknown() -> None:
    steps = [fenced("import nowhere_to_be_found\nx = 1"), shown("print(x)", "1")]
    (evidence,) = checked("python", trace_of(*steps))
    assert evidence.verdicts == ("unknown", "unknown")


def test_steps_of_kind_code_and_observation() -> None:
    code = Step("total = 3 * 4\nprint(total)\n", kind="code")
    steps = [code, Step("12\n", kind="observation"), code, Step("13\n", kind="observation")]
    own = Step("print(5)", kind="code", result="5")
    (evidence,) = checked("python", trace_of(*steps, own))
    assert evidence.verdicts == ("right", "unknown", "wrong", "unknown", "right")


def test_a_block_may_run_across_steps() -> None:
    """As where a text was cut at its blank lines."""
    trace = trace_of("```python\nx = 1\n\n", "print(x)\n```\n\n", "```output\n1\n```\n")
    assert [(s.step, s.code, s.stated) for s in snippets(trace)] == [
        (1, "x = 1\n\nprint(x)\n", "1\n")
    ]
    assert checked("python", trace)[0].verdicts == ("unknown", "right", "unknown")


def test_what_hangs_is_unknown_and_costs_itself_only() -> None:
    hang = trace_of(shown("while True: pass", "1"))
    fine = trace_of(shown("print(1)", "1"))
    found = checked("python", hang, fine, deadline_s=0.5, workers=1)
    assert [e.verdicts for e in found] == [("unknown",), ("right",)]
    assert found[0].notes == ("was ended: timeout",)


def test_code_cannot_talk_itself_right() -> None:
    """A forged report and a good exit change nothing: what was printed is compared."""
    forged = "import os\nos.write(3, b'42')\nos._exit(0)"
    (evidence,) = checked("python", trace_of(shown(forged, "42")))
    assert evidence.verdicts == ("wrong",)


@pytest.mark.parametrize(
    ("said", "printed", "same"),
    [
        ("3", "3.0", True),
        ("3", "3.4", False),
        ("1.50", "1.5", True),
        ("-2", "2", False),
        ("x = 1", "x=1", True),
        ("5-3", "5 - 3", True),
        ("1e-5", "0.00001", True),
        ("<f at 0x7f00aa11>", "<f at 0x7f00bb22>", None),
        ("{1, 2}", "{2, 1}", None),
        ("", "", True),
    ],
)
def test_outputs_agree(said: str, printed: str, same: bool | None) -> None:
    assert agrees(said, printed) is same


def test_a_sentence_names_a_line() -> None:
    assert names("7", "a\n7\nb") is True
    assert names("8", "a\n7\nb") is None
    assert names("8", "") is None
    assert names("`", "8") is None or names("`", "8") is False


def test_a_machine_without_a_level_refuses_in_the_sandboxs_words() -> None:
    write_traces("t.jsonl", [trace_of(shown("print(1)", "1"))])
    poorer = (
        "import sys; from tests.sandbox.poorer import take_away; from prmdata.cli import main; "
        "take_away(['namespaces', 'landlock']); "
        "sys.argv = 'prmdata verify t.jsonl -o v.jsonl --with python'.split(); main()"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", poorer], capture_output=True, text=True, env=env)
    assert done.returncode == 1
    assert "code cannot be run safely here" in done.stderr
    assert "allow user namespaces" in done.stderr
