"""Templates that mean harm: each costs a message after a while, and none the run or the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from prmdata.errors import InputError, SamplerError
from prmdata.records import Message
from prmdata.sampler.models import jinja_process
from prmdata.sampler.models.rendering import ChatTemplate

MESSAGES: list[Message] = [{"role": "user", "content": "Hi"}]
DEEP = "{% for a in range(90000) %}" * 4 + "x" + "{% endfor %}" * 4
HOSTILE = {
    "loops": DEEP,
    "silent loops": DEEP.replace("x", ""),
    "power": "{{ 10 ** (10 ** 9) }}",
    "long text": "{{ 'x' * (10 ** 10) }}",
    "doubling": "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}"
    "{% endfor %}{{ n.x }}",
    "centre": "{{ 'x' | center(9999999999) }}",
    "format": "{{ '%9999999999d' | format(1) }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "lists": "{{ range(99999) | list | batch(1) | list | string * 99999 }}",
    "large prompt": "{{ 'x' * (10 ** 8) }}",
    "deep source": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "attribute": "{{ ''.__class__.__mro__ }}{{ cycler.__init__.__globals__ }}",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_one_message(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    with pytest.raises(SamplerError, match="chat template fails"):
        ChatTemplate(HOSTILE[name]).open_turn(MESSAGES)
    assert time.monotonic() - started < jinja_process.LONGEST_S + 5
    assert ChatTemplate("{{ messages[0].content }}!").open_turn(MESSAGES) == "Hi!"


def test_what_a_template_refuses_is_the_inputs_fault() -> None:
    with pytest.raises(InputError, match="refuses these messages: no system"):
        ChatTemplate("{{ raise_exception('no system') }}").open_turn(MESSAGES)


def test_a_prompt_of_any_characters_arrives_as_it_is() -> None:
    text = "line\nline\r\n\u2028 \x00 \U0001f600 'quotes\" \\n"
    told: list[Message] = [{"role": "user", "content": text}]
    assert ChatTemplate("{{ messages[0].content }}").open_turn(told) == text


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
def test_no_process_outlives_the_one_that_asked() -> None:
    """Also where it is killed, and the template never ends."""
    code = (
        "from prmdata.sampler.models import jinja_process as j, rendering as r; import os, threading\n"
        "r.ChatTemplate('{{ 1 }}').open_turn([]); print(j._process.pid, flush=True)\n"
        f"r.ChatTemplate({DEEP!r}).open_turn([])"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env
    ) as asking:
        assert asking.stdout is not None
        child = int(asking.stdout.readline())
        time.sleep(0.5)
        asking.kill()
    ends = time.monotonic() + jinja_process.LONGEST_S + 5
    while Path(f"/proc/{child}").exists() and time.monotonic() < ends:
        time.sleep(0.1)
    assert not Path(f"/proc/{child}").exists()
