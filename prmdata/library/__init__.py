"""The stages as functions, for notebooks and scripts. They hold their traces in memory.

    import prmdata

    traces = prmdata.generate("abacus:20", samples=4)
    labelled = prmdata.label(traces)
    prmdata.export(labelled, to="stepwise", output="dataset")

A function is called as its command; an underscore stands behind the name where Python has it
already (`import_`) or a part of the package has (`credit_`, `truth_`, `report_`). Traces are
records or the file that holds them. For what does not fit in memory, or takes a night, use the
commands: they stream and resume.
"""

from prmdata.library.choosing import choose, credit_, merge, thoughts
from prmdata.library.correcting import intervene, repair
from prmdata.library.datasets import export, publish, read, write
from prmdata.library.labelling import estimate, fit, label
from prmdata.library.looking import audit_sample, report_, score, show, stats
from prmdata.library.making import generate, import_, mutate
from prmdata.library.telling import grade, judge, truth_, verify

__all__ = [
    "audit_sample",
    "choose",
    "credit_",
    "estimate",
    "export",
    "fit",
    "generate",
    "grade",
    "import_",
    "intervene",
    "judge",
    "label",
    "merge",
    "mutate",
    "publish",
    "read",
    "repair",
    "report_",
    "score",
    "show",
    "stats",
    "thoughts",
    "truth_",
    "verify",
    "write",
]
