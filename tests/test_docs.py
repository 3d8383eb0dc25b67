"""What the documentation says is run, not believed."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from prmdata.cli import COMMANDS, app
from prmdata.exports import FORMATS
from prmdata.grading import Grader
from prmdata.labellers import LABELLERS
from prmdata.records import Trace
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.verifiers import VERIFIERS
from tests.policy import Policy
from tests.write_docs import BLOCK, DOCS, GENERATED, block, pages

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


PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def test_the_pages_hold_what_the_program_says() -> None:
    stale = [path.name for path, text in pages() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run: python -m tests.write_docs pages"


def test_every_method_verifier_and_format_has_its_part_of_a_page() -> None:
    found = {
        name
        for path in DOCS.rglob("*.md")
        for _, _, name in GENERATED.findall(path.read_text(encoding="utf-8"))
    }
    assert found == {"all", *LABELLERS, *VERIFIERS, *FORMATS}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_in_documents_parse(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = path.read_text(encoding="utf-8")
    for toml in re.findall(r"`run.toml`:\n\n```toml\n(.*?)```", text, re.DOTALL):
        (tmp_path / "run.toml").write_text(toml, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for words in commands_in(text):
        commands[words[0]].make_context(words[0], words[1:])


def commands_in(text: str) -> Iterator[list[str]]:
    """The words of each `prmdata …` that stands in an indented line, pipes and shell around it."""
    for line in re.findall(r"^    (?:\$ )?(?! )(.*\bprmdata .*)$", text, re.MULTILINE):
        for part in re.split(r" \| | && |; |\$\(|  +#|=\$\(", line):
            found = re.match(r"(?:\w+=\S+ )*prmdata (.*?)\)?$", part.strip())
            if found and not re.search(r"[A-Z…]{4,}|[\[<]", found[1]):
                yield shlex.split(found[1])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_in_documents_lead_to_files(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_documents_speak_of_the_project_alone(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?<!\w)/(work|root|tmp|home)/", text)


def test_heavy_libraries_wait_until_they_are_needed() -> None:
    heavy = "torch pyarrow transformers datasets sympy math_verify numpy rich msgspec tokenizers"
    code = (
        "import sys, prmdata.cli\n"
        f"print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
