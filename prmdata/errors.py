"""Everything that can go wrong and that a user can put right.

    PrmdataError             what was wrong, where, and what to try
    ├── UsageError           the command line or a setting (exit code 2)
    │   └── SettingsChanged  an output holds a run with other settings
    ├── InputError           a record, a file, a line that cannot be read
    │   └── StreamCut        the stage before this one in a pipe died: what it said is not all
    ├── OutputError          a target that cannot be written
    ├── SamplerError         a model or server that does not start or answer
    │   └── ItemError        one request that can never succeed (too long, refused)
    │       └── EnvironmentFailure   an environment that died, hung or answered garbage
    ├── GuardError           a judge that lets through what solves nothing
    ├── GraderError          a user's grader that crashes or answers garbage
    ├── SandboxError         a machine on which code cannot be run safely
    ├── StoreError           a rollout store that is damaged
    ├── TooManyErrors        more failed items than `--max-errors` allows
    ├── BudgetReached        the run has spent the tokens it was given
    └── Interrupted          Ctrl-C, or the signal to end (exit code 130)

They are caught once, in `prmdata.cli.main`; anything else keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PrmdataError(Exception):
    """A failure that the person at the keyboard can mend."""

    exit_code = 1


class UsageError(PrmdataError):
    exit_code = 2


class SettingsChanged(UsageError):
    pass


class InputError(PrmdataError):
    pass


class StreamCut(InputError):
    pass


class OutputError(PrmdataError):
    pass


class SamplerError(PrmdataError):
    pass


class ItemError(SamplerError):
    pass


class EnvironmentFailure(ItemError):
    pass


class GuardError(PrmdataError):
    pass


class GraderError(PrmdataError):
    pass


class SandboxError(PrmdataError):
    pass


class StoreError(PrmdataError):
    pass


class TooManyErrors(PrmdataError):
    pass


class BudgetReached(PrmdataError):
    pass


class Interrupted(PrmdataError):
    exit_code = 130


def unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a misspelt name, with the nearest right one."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"
    return UsageError(f"unknown {what} '{name}'; {hint}")
