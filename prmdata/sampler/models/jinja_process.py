"""Templates of models, rendered in a process that dies where one takes too long or too much.

A line of JSON in is a template with its variables, a line out what became of it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping

from prmdata.sampler.models.jinja import TemplateFailure, TemplateRefusal, render

LONGEST_S = 10
MOST_BYTES = 1 << 30
"""Of memory."""
MOST_CHARACTERS = 1 << 26

_lock = threading.Lock()
_process: subprocess.Popen[bytes] | None = None


def render_apart(source: str, variables: Mapping[str, object]) -> str:
    request = json.dumps([source, variables]).encode() + b"\n"
    with _lock:
        answer = _asked(request)
        if not answer.endswith(b"\n"):
            _end()
    if not answer.endswith(b"\n"):
        raise TemplateFailure(
            f"it took longer than {LONGEST_S} s or more than {MOST_BYTES >> 30} GB; "
            "try --template raw"
        )
    how, text = json.loads(answer)
    if how == "refused":
        raise TemplateRefusal(text)
    if how == "failed":
        raise TemplateFailure(text)
    return str(text)


def _asked(request: bytes) -> bytes:
    global _process
    if _process is None or _process.poll() is not None:
        _end()
        _process = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    assert _process.stdin is not None
    assert _process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        _process.stdin.write(request)
        _process.stdin.flush()
    return _process.stdout.readline()


@atexit.register
def _end() -> None:
    global _process
    if _process is not None:
        _process.kill()
        _process.communicate()
        _process = None


def serve() -> None:
    """Answer until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    for line in sys.stdin.buffer:
        signal.alarm(LONGEST_S)  # ends this process, whatever it does
        answer = json.dumps(_answer(*json.loads(line))).encode() + b"\n"
        signal.alarm(0)
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


def _answer(source: str, variables: Mapping[str, object]) -> tuple[str, str]:
    try:
        text = render(source, variables)
    except TemplateRefusal as refusal:
        return "refused", str(refusal)[:1000]
    except TemplateFailure as failure:
        return "failed", str(failure)[:1000]
    except Exception as error:  # noqa: BLE001  a template may bring about any
        return "failed", f"{type(error).__name__}: {error}"[:1000]
    if len(text) > MOST_CHARACTERS:
        return "failed", f"a prompt of {len(text):,} characters"
    return "rendered", text
