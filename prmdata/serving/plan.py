"""What will be served, where, with which words."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prmdata.errors import UsageError
from prmdata.sampler.folders import model_folder

HOST = "127.0.0.1"
DEFAULTS = {"enable-prefix-caching": "true", "generation-config": "vllm"}
"""Without the second one the model's own sampling defaults would mix with what a run asks for."""
ABACUS = {"max-model-len": "1024", "dtype": "bfloat16", "max-num-seqs": "256"}


@dataclass(frozen=True, slots=True)
class Plan:
    model: str
    """As the user named it, and as the server will."""
    port: int
    engine: Mapping[str, str] = field(default_factory=dict)
    """vLLM's own arguments, which win over ours."""
    python: str = sys.executable

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v1"

    def words(self) -> list[str]:
        chosen = {
            "model": str(self._folder()),
            "served-model-name": self.model,
            **DEFAULTS,
            **(ABACUS if self.model == "abacus" else {}),
            **{name.replace("_", "-"): value for name, value in self.engine.items()},
            "host": HOST,
            "port": str(self.port),
        }
        launch = Path(__file__).parent / "launch.py"
        options = [word for name, value in chosen.items() for word in _option(name, value)]
        return [_interpreter(self.python), str(launch), *options]

    def environment(self) -> dict[str, str]:
        """Ours, without what belongs to this interpreter alone."""
        kept = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
        return {"VLLM_NO_USAGE_STATS": "1", "PYTHONUNBUFFERED": "1", **kept}

    def _folder(self) -> Path:
        return model_folder(self.model, self.model)


def _option(name: str, value: str) -> list[str]:
    if value.lower() == "false":
        return [f"--no-{name}"]
    return [f"--{name}"] if value.lower() == "true" else [f"--{name}", value]


def _interpreter(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UsageError(f"--python {name}: there is no such interpreter")
    return found


def free_port(asked: int | None) -> int:
    """A port that nobody has: the one that was asked for, or any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, asked or 0))
        except OSError as error:
            raise UsageError(
                f"port {asked} cannot be had ({os.strerror(error.errno or 0).lower()}); name "
                "another one, or leave --port out and a free one is taken (prmdata serve --status "
                "lists yours)"
            ) from None
        port: int = probe.getsockname()[1]
        return port
