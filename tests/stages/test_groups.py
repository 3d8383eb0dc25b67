from __future__ import annotations

from prmdata.files import Unreadable
from prmdata.records import Problem, Trace
from prmdata.stages.groups import GroupStage, of_shard

BROKEN = Unreadable("t.jsonl:3", "t.jsonl:3: not JSON")


class Passing(GroupStage):
    def items(self) -> list[list[Trace]]:
        return []

    async def work_on(self, traces: list[Trace]) -> list[Trace]:
        return traces


def test_problems_and_their_groups_fall_to_the_same_shard() -> None:
    problems = [Problem(str(n), "?") for n in range(20)]
    groups = [[Trace(f"{p.id}/0", p)] for p in problems]
    found = [list(of_shard(problems, index, 3)) for index in (1, 2, 3)]
    assert all(found)
    assert sorted(p.id for shard in found for p in shard) == sorted(p.id for p in problems)
    for index, shard in enumerate(found, 1):
        assert [group[0].problem for group in of_shard(groups, index, 3)] == shard
    assert [item for index in (1, 2, 3) for item in of_shard([BROKEN], index, 3)] == [BROKEN]


def test_what_failed_before_keeps_its_reason_and_is_not_counted_again() -> None:
    sound, lost = Trace("p/0", Problem("p", "?")), Trace("p/1", Problem("p", "?"), error="lost")
    stage = Passing()
    assert [trace.error for trace in stage.failed([sound, lost], "gone")] == ["gone", "lost"]
    assert stage.failed_before([sound, lost]) == {"p/1"}
    assert [trace.error for trace in stage.failed(BROKEN, "gone")] == ["t.jsonl:3: not JSON"]
    assert stage.failed_before(BROKEN) == frozenset()
