"""What the documentation says is run, not believed."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from prmdata.cli import COMMANDS, app
from prmdata.grading import Grader
from prmdata.records import Trace
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from tests.policy import Policy
from tests.write_docs import BLOCK, block

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_method_in_contributing_works(
    tmp_path: Path, traces: list[Trace], policy: Policy
) -> None:
    found = re.search(r"<!-- test: method -->\n```python\n(.*?)```", CONTRIBUTING, re.DOTALL)
    assert found is not None
    (tmp_path / "walk.py").write_text(found[1], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("walk", tmp_path / "walk.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["walk"] = module
    spec.loader.exec_module(module)
    walk = module.Walk(rollouts_per_step=8)
    assert dataclasses.is_dataclass(walk)
    rollouts = Rollouts(policy, Grader(), RolloutSettings())
    for trace in asyncio.run(walk.apply(traces[:16], rollouts)):
        assert trace.labels is not None
        if trace.correct is False:
            values = trace.evidence[0].values
            first = trace.labels.first_error
            assert first is not None
            assert all(v for v in values[:first])
            assert values[first] == 0 or first == len(trace.steps) - 1


def test_every_subcommand_is_in_the_readme_and_helps() -> None:
    for commands in COMMANDS.values():
        for command in commands:
            name = command.__name__.rstrip("_")
            assert f"prmdata {name}" in README
            words = [sys.executable, "-m", "prmdata", name, "--help"]
            done = subprocess.run(words, capture_output=True, text=True)
            assert done.returncode == 0
            assert (command.__doc__ or "").split(".")[0].split(",")[0] in done.stdout


def test_every_argument_and_option_says_what_it_does() -> None:
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        silent = [p.name for p in command.params if not getattr(p, "help", None)]
        assert [found for found in silent if found != "help"] == [], name


def test_the_makefile_runs_what_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    modules = set(re.findall(r"python -m (tests[\w.]*)", makefile))
    assert {"tests.write_docs", "tests.bench"} <= modules
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_the_demo_in_the_readme_is_what_a_terminal_shows() -> None:
    found = BLOCK.search(README)
    assert found is not None
    commands = re.findall(r"^    \$ prmdata (\w+) .*\n    (\w+): ", found[0], re.MULTILINE)
    assert commands == [("generate",) * 2, ("label",) * 2, ("export",) * 2]
    said = "$ prmdata label x\nlabel: 8/16 traces · 2.5 traces/s · 1 min left\nlabel: 16 traces → y"
    assert block(said, "\np/0  \n") == (
        "    $ prmdata label x\n    label: 16 traces → y\n\n    p/0\n"
    )


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_documents_speak_of_the_project_alone(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"(?<!\w)/(work|root|tmp|home)/", text)


def test_heavy_libraries_wait_until_they_are_needed() -> None:
    heavy = "torch pyarrow transformers datasets sympy math_verify numpy rich msgspec tokenizers"
    code = (
        "import sys, prmdata.cli\n"
        f"print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
