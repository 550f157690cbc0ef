"""Fault plans in storage: counted, limited, and struck once where two requests come at once."""

from __future__ import annotations

import asyncio

import pytest

from mockpush.errors import LimitError
from mockpush.faults import Action, Fault, Match, Push, Span
from mockpush.profiles import PROFILES
from mockpush.protocol.fault_kinds import FaultKind
from mockpush.storage.base import Keep

START = 1_800_000_000.0
PUSH = Push("s", PROFILES["rfc"], None)


def plan(*, times: int | None = None, action: Action | None = None, **match) -> Fault:
    return Fault(START, Match(**match), action or Action(status=503), times)


async def strike(bench, *, request: int = 1, tenant: str = "t") -> str | None:
    fault = await bench.storage.strike(tenant, PUSH, request=request, now=START)
    return None if fault is None else fault.id


async def hits(bench) -> list[tuple[str, int, int]]:
    return [(each.id, each.seen, each.hits) for each in await bench.storage.faults("t")]


async def test_times_is_never_exceeded_by_requests_that_come_at_once(bench):
    await bench.add()
    await bench.storage.add_fault("t", plan(times=3))
    struck = await asyncio.gather(*(strike(bench, request=each) for each in range(8)))
    assert sorted(map(str, struck)) == ["None"] * 5 + ["f1"] * 3
    assert await hits(bench) == [("f1", 8, 3)]


async def test_two_who_add_get_two_ids_and_of_two_who_clear_one_does(bench):
    await bench.add()
    added = await asyncio.gather(*(bench.storage.add_fault("t", plan()) for _ in range(2)))
    assert sorted(each.id for each in added) == ["f1", "f2"]
    cleared = [bench.storage.forget_faults("t", lambda _: True) for _ in range(2)]
    assert sorted(await asyncio.gather(*cleared)) == [0, 2]
    assert (await bench.storage.add_fault("t", plan())).id == "f3"


async def test_the_oldest_that_strikes_decides_and_all_count(bench):
    await bench.add()
    for fault in (plan(nth=Span(2, 2)), plan(times=1), plan()):
        await bench.storage.add_fault("t", fault)
    assert [await strike(bench) for _ in range(3)] == ["f2", "f1", "f3"]
    assert await hits(bench) == [("f1", 3, 1), ("f2", 3, 1), ("f3", 3, 1)]


async def test_a_strike_is_an_event(bench):
    await bench.add()
    await bench.storage.add_fault("t", plan(times=1))
    before = (await bench.storage.events("t"))[-1].sequence
    await strike(bench, request=7)
    await strike(bench, request=8)
    (event,) = await bench.storage.events("t", after=before)
    assert (event.kind, event.subscription, event.request, event.detail) == (
        "fault.injected",
        "s",
        7,
        "f1 (answer)",
    )


async def test_the_number_of_plans_is_limited_and_they_are_never_given_up(make):
    bench = make(faults=2)
    for _ in range(2):
        await bench.storage.add_fault("t", plan(times=1))
    await strike(bench)
    with pytest.raises(LimitError, match=r"2 fault plans already.*--max-faults"):
        await bench.storage.add_fault("t", plan())
    assert await bench.storage.forget_faults("t", lambda each: each.id == "f1") == 1
    assert (await bench.storage.add_fault("t", plan())).id == "f3"


async def test_plans_belong_to_their_tenant_and_go_with_a_reset_unless_they_are_kept(bench):
    await bench.add()
    await bench.add(tenant="u")
    await bench.storage.add_fault("t", plan())
    assert await strike(bench, tenant="u") is None
    assert await bench.storage.faults("u") == []
    await bench.storage.reset("t", keep=frozenset((Keep.FAULTS,)), now=START)
    assert len(await bench.storage.faults("t")) == 1
    await bench.storage.reset("t", keep=frozenset(), now=START)
    assert await bench.storage.faults("t") == []


async def test_a_tenant_that_is_not_there_has_none(bench):
    assert await bench.storage.faults("nobody") == []
    assert await bench.storage.forget_faults("nobody", lambda _: True) == 0


async def test_an_arrival_tells_of_plans(bench):
    await bench.add()
    arrivals = [await bench.storage.arrive("token-t-s")]
    await bench.storage.add_fault("t", plan())
    arrivals.append(await bench.storage.arrive("token-t-s"))
    assert [each.faulty for each in arrivals] == [False, True]


@pytest.mark.parametrize(
    ("action", "at_once"),
    [
        (Action(status=429), True),
        (Action(location="/x"), True),
        (Action(status=429, delay=1.0), False),
        (Action(kind=FaultKind.RESET), False),
    ],
)
async def test_only_plans_that_take_time_or_the_connection_keep_pushes_waiting(
    bench, action, at_once
):
    """And only those of their tenant."""
    await bench.add()
    await bench.add(tenant="u")
    await bench.storage.add_fault("t", plan(action=action))
    tokens = ("token-t-s", "token-u-s", "unknown")
    assert [bench.storage.answers_at_once(each) for each in tokens] == [at_once, True, True]
    await bench.storage.forget_faults("t", lambda _: True)
    assert bench.storage.answers_at_once("token-t-s")


async def test_a_deleted_tenant_leaves_nobody_waiting(bench):
    await bench.add()
    await bench.storage.add_fault("t", plan(action=Action(kind=FaultKind.RESET)))
    await bench.storage.delete_tenant("t")
    await bench.add()
    assert bench.storage.answers_at_once("token-t-s")
