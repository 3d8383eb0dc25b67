"""vLLM's own server as a process of ours: started, waited for, told about, stopped."""

from __future__ import annotations

from prmdata.serving.plan import Plan, free_port
from prmdata.serving.record import Record, recorded
from prmdata.serving.server import Server, stop

__all__ = ["Plan", "Record", "Server", "free_port", "recorded", "stop"]
