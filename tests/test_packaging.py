"""How prmdata comes to people: its metadata, its container, its workflow, and where it runs."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import prmdata
from prmdata import platforms
from prmdata.version import VERSION

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CORE = PROJECT["project"]["dependencies"]
INSTRUCTIONS = {"FROM", "COPY", "RUN", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def test_the_container_is_built_from_what_is_here() -> None:
    found = instructions()
    assert {word for word, _ in found} <= INSTRUCTIONS
    stages = {rest.split(" AS ")[1] for word, rest in found if word == "FROM" and " AS " in rest}
    for word, rest in found:
        if word == "COPY":
            assert (ROOT / rest.split()[0]).exists(), rest
        assert set(re.findall(r"from=(\w+)", rest)) <= stages


def test_the_container_does_not_run_as_root() -> None:
    words = [word for word, _ in instructions()]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert dict(instructions())["ENTRYPOINT"] == '["prmdata"]'


def test_the_core_needs_no_torch() -> None:
    assert not {"torch", "transformers"} & {re.split(r"[\[>=<]", need)[0] for need in CORE}
    assert any(
        need.startswith("torch") for need in PROJECT["project"]["optional-dependencies"]["local"]
    )


@pytest.mark.parametrize("need", CORE)
def test_every_core_dependency_is_pinned(need: str) -> None:
    name = re.split(r"[\[>=<]", need)[0]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    assert re.search(rf"^{re.escape(name)}==", pins, re.MULTILINE)
    assert name in {package["name"] for package in lock["package"]}


def test_the_lock_is_of_this_project() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    [own] = [package for package in lock["package"] if package["name"] == "prmdata"]
    wanted = {re.split(r"[\[>=<]", need)[0] for need in CORE}
    assert {need["name"] for need in own["dependencies"]} == wanted
    assert set(own["optional-dependencies"]) == set(PROJECT["project"]["optional-dependencies"])


def test_publishing_is_trusted_and_the_tag_is_the_version() -> None:
    text = (ROOT / ".github/workflows/publish.yml").read_text(encoding="utf-8")
    assert "id-token: write" in text
    assert "password" not in text
    assert "make package" in text
    path = PROJECT["tool"]["hatch"]["version"]["path"]
    assert path in text
    assert f'VERSION = "{VERSION}"' in (ROOT / path).read_text(encoding="utf-8")


def test_a_system_without_locks_is_told_of_at_once() -> None:
    code = (
        "import sys, importlib.util as util\n"
        "found = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'fcntl' else found(name, *more)\n"
        "sys.modules['fcntl'] = sys.modules['resource'] = None\n"
        "from prmdata.cli import main\n"
        "sys.argv[1:] = ['stats', 'no.jsonl']\n"
        "main()\n"
    )
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert "WSL 2" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_library_says_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    platforms.check()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(prmdata.PrmdataError, match="WSL 2"):
        _ = prmdata.label
