"""What the documentation says is run, not believed."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import importlib.util
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer

from prmdata.cli import COMMANDS, app
from prmdata.corrections import CORRECTIONS
from prmdata.credit import FORMS
from prmdata.exports import FORMATS
from prmdata.grading import Grader
from prmdata.labellers import LABELLERS
from prmdata.records import Labels, Problem, Step, Trace
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.export import Exporting, run_export
from prmdata.verifiers import VERIFIERS
from tests.policy import Policy
from tests.warm import command as command_line
from tests.write_docs import BLOCK, DOCS, GENERATED, block, pages

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def worked_example(document: Path, name: str, folder: Path) -> types.ModuleType:
    """The module that stands in a document under that name."""
    text = document.read_text(encoding="utf-8")
    found = re.search(rf"<!-- test: {name} -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    (folder / f"{name}.py").write_text(found[1], encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"worked_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_method_in_contributing_works(
    tmp_path: Path, traces: list[Trace], policy: Policy
) -> None:
    module = worked_example(ROOT / "CONTRIBUTING.md", "method", tmp_path)
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


EXTENDING = DOCS / "extending.md"


def test_the_format_in_the_documents_writes_a_dataset(tmp_path: Path, traces: list[Trace]) -> None:
    module = worked_example(EXTENDING, "format", tmp_path)
    trace = traces[0]
    wrong = dataclasses.replace(trace, labels=Labels("x", 1), id="w/0")
    right = dataclasses.replace(trace, labels=Labels("x", None), id="w/1")
    request = Exporting("first-errors", module.FirstErrors(base=1))
    run_export(request, str(tmp_path / "d"), overwrite=True, traces=[wrong, right])
    (shard,) = (tmp_path / "d").rglob("*.parquet")
    table = pq.read_table(shard)
    assert table["error"].to_pylist() == [2]
    assert (
        "| `error` | int64 | the first wrong step |" in (tmp_path / "d" / "README.md").read_text()
    )


def test_the_verifier_in_the_documents_finds_a_repetition(tmp_path: Path) -> None:
    module = worked_example(EXTENDING, "verifier", tmp_path)
    steps = tuple(Step(f"{text} is a sentence to repeat.") for text in ("This", "That", "This"))
    trace = Trace("p/0", Problem("p", "?"), steps)
    found = asyncio.run(module.Repeats().verify(trace))
    assert [finding.verdict for finding in found] == ["unknown", "unknown", "wrong"]


def test_the_layout_in_the_documents_reads_a_row(tmp_path: Path) -> None:
    module = worked_example(EXTENDING, "layout", tmp_path)
    row = {"q": "What is 2 + 2?", "gold": "4", "lines": ["2 + 2 = 5", "So 5."], "bad": 0}
    assert module.Lines.fits(row)
    (trace,) = module.Lines().traces(row, "here")
    assert trace.text == "2 + 2 = 5\nSo 5."
    assert trace.evidence[0].kind == "truth"
    assert trace.labels is not None
    assert trace.labels.first_error == 0


def test_every_subcommand_is_in_the_readme_and_helps() -> None:
    for commands in COMMANDS.values():
        for command in commands:
            name = command.__name__.rstrip("_")
            assert f"prmdata {name}" in README
            done = command_line(name, "--help")
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


def test_every_method_verifier_form_and_format_has_its_part_of_a_page() -> None:
    found = {
        name
        for path in DOCS.rglob("*.md")
        for _, _, name in GENERATED.findall(path.read_text(encoding="utf-8"))
    }
    assert found == {"all", *LABELLERS, *VERIFIERS, *FORMATS, *FORMS, *CORRECTIONS}


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


def test_messages_in_the_documents_are_in_the_program() -> None:
    texts = [
        node.value
        for path in (ROOT / "prmdata").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    program = "\n".join(texts)
    messages = re.findall(r"^\*\*`(.*?)`\*\*", (DOCS / "faq.md").read_text(), re.MULTILINE)
    assert len(messages) > 10
    for message in messages:
        parts = re.split(r"[…:;]|'[^']*'|\(.*?\)|[\w:]*\d[\d.,]*|\b\w+\.(?:jsonl|txt)\b", message)
        longest = max((part.strip() for part in parts), key=len)
        assert longest in program, message


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
