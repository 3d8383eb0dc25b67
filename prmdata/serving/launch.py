"""Runs vLLM's server in an interpreter that has it, with what its platform needs put in.

A script for that interpreter, which may not have prmdata: the standard library alone.
"""

import importlib.util
import os
import runpy
import sys

MISSING = 77
"""The exit code that says: no vLLM here."""
SERVER = "vllm.entrypoints.openai.api_server"
ON_CPU = ("--enforce-eager", "--no-enable-chunked-prefill")
"""Seeded requests crash the CPU engine where they are prefilled in parts."""


def with_platform(words: "list[str]") -> "list[str]":
    """The words of the command line, and those that a CPU needs where the user has no say on it."""
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return words
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
    said = {word.removeprefix("--no-").removeprefix("--") for word in words}
    wanted = {word.removeprefix("--no-").removeprefix("--"): word for word in ON_CPU}
    return [*words, *(word for name, word in wanted.items() if name not in said)]


def main() -> None:
    sys.path.pop(0)  # this script's own folder
    if importlib.util.find_spec("vllm") is None:
        sys.exit(MISSING)
    sys.argv = [SERVER, *with_platform(sys.argv[1:])]
    print("$ python -m", *sys.argv, flush=True)  # noqa: T201  the first line of the log
    runpy.run_module(SERVER, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
