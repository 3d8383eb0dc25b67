"""Lines in other words: they differ only where they say so, and mean what they say."""

from __future__ import annotations

import ast

import pytest

from prmdata.verifiers.code.rewrites import Rewrite, rewrites

PROGRAM = '''\
def settle(items, n):  # 1 <= n
    """Adds 1 to 2."""
    found, most = [], 0
    for i in range(n):   # never more
        if items[-1] != 'é' and len(items) == 0 or not most:
            found += [i*2]
        most = most + (n - 1) * (i or 2) ** 2
        while most<10:
            most   *= 3
    total = sum(
        x + 1 for x in found
    )
    return found[:n] if total > most else f"{total + 1}"
'''


def of_kind(kind: str, program: str = PROGRAM, count: int = 99) -> list[Rewrite]:
    counts = {"mutation": 0, "refactoring": 0, kind: count}
    return rewrites(program, ast.parse(program), "seed", counts)


@pytest.mark.parametrize("kind", ["mutation", "refactoring"])
def test_only_one_line_differs_and_the_program_still_parses(kind: str) -> None:
    lines = PROGRAM.split("\n")
    made = of_kind(kind)
    assert len(made) >= 12
    assert len({(rewrite.line, rewrite.text) for rewrite in made}) == len(made)
    for rewrite in made:
        program = rewrite.applied(lines)
        ast.parse(program)
        pairs = zip(lines, program.split("\n"), strict=True)
        assert [at for at, (a, b) in enumerate(pairs, 1) if a != b] == [rewrite.line]
        assert rewrite.text.split("#")[1:] == lines[rewrite.line - 1].split("#")[1:]
        assert rewrite.line != 2, "a docstring is no code"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("if a < b: c = 1", {"if b > a: c = 1", "if not a >= b: c = 1"}),
        ("c += a", {"c = c + a"}),
        ("c = c + a", {"c += a", "c = a + c"}),
        ("c = a * 2", {"c = a + a", "c = 2 * a"}),
        ("c = (a + b) * 3", {"c = (b + a) * 3", "c = 3 * (a + b)"}),
        ("c = len(a) == 0", {"c = 0 == len(a)", "c = not len(a)"}),
        ("c = a and b", {"c = not (not a or not b)"}),
        ("c = []", {"c = list()"}),
        ("c = dict()", {"c = {}"}),
        ("for c in range(a): pass", {"for c in range(0, a): pass"}),
        ("c = a[-2]", {"c = a[len(a) - 2]"}),
        ("c = a[:b]", {"c = a[0:b]"}),
        ("c = a if b else 3", {"c = 3 if not b else a"}),
        ("c = x not in a", {"c = not x in a"}),
    ],
)
def test_refactorings(line: str, expected: set[str]) -> None:
    assert {rewrite.text for rewrite in of_kind("refactoring", line)} == expected


def test_conditions_of_every_kind_of_line_are_turned_round() -> None:
    program = "if a:\n    b = 1\nelif c > 2:  # so\n    b = 2\nwhile not d: pass\n"
    found = {rewrite.text for rewrite in of_kind("mutation", program)}
    assert {"if not a:", "elif not c > 2:  # so", "elif c >= 2:  # so", "while d: pass"} <= found


def test_what_binds_less_tightly_gets_brackets() -> None:
    found = {rewrite.text for rewrite in of_kind("mutation", "c = a * b ** d")}
    assert "c = (a + b) ** d" not in found
    assert "c = a + b ** d" in found
    assert "c = a * (b * d)" in found


def test_a_seed_draws_the_same_few_of_each_line() -> None:
    few, again = of_kind("mutation", count=2), of_kind("mutation", count=2)
    assert few == again
    assert max(sum(r.line == line for r in few) for line in range(14)) == 2
    assert {(r.line, r.text) for r in few} < {(r.line, r.text) for r in of_kind("mutation")}


def test_of_a_long_program_a_few_lines_are_drawn() -> None:
    long = PROGRAM + "".join(f"x{n} = {n} + 1\n" for n in range(300))
    counts = {"mutation": 1, "refactoring": 1}
    drawn = rewrites(long, ast.parse(long), "seed", counts, most_lines=5)
    assert len({rewrite.line for rewrite in drawn}) == 5
    assert drawn == rewrites(long, ast.parse(long), "seed", counts, most_lines=5)


def test_programs_that_nobody_would_write_give_nothing_to_worry_about() -> None:
    for program in ("", "x", "x = " + "-" * 80 + "1", "x = " + "(" * 60 + "1" + ")" * 60):
        for rewrite in (*of_kind("mutation", program), *of_kind("refactoring", program)):
            ast.parse(rewrite.applied(program.split("\n")))
