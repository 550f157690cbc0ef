"""The clocks of tenants: what becomes due on the way happens, and time never goes back."""

from __future__ import annotations

import pytest

from mockpush.errors import InvalidRequestError
from mockpush.service import PushService


async def test_a_clock_shows_real_time_until_it_is_put_forward(service, real_clock):
    assert await service.now("default") == real_clock.time
    clock = await service.advance("default", 8 * 86_400)
    assert await service.now("default") == clock.now(real_clock.time)
    assert await service.now("default") == real_clock.time + 8 * 86_400
    real_clock.time += 5
    assert await service.now("default") == real_clock.time + 8 * 86_400


async def test_a_frozen_clock_stands_and_runs_on_from_there(service, real_clock):
    start = real_clock.time
    await service.freeze("default")
    real_clock.time += 1000
    assert await service.now("default") == start
    await service.advance("default", 60)
    assert await service.now("default") == start + 60
    await service.resume("default")
    real_clock.time += 1
    assert await service.now("default") == start + 61


async def test_each_tenant_has_its_own_clock(service, real_clock):
    await service.advance("a", 60)
    await service.freeze("b")
    real_clock.time += 1
    times = [await service.now(tenant) - real_clock.time for tenant in ("a", "b", "c")]
    assert times == [60, -1, 0]


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e12])
async def test_time_goes_forward_only(service, real_clock, seconds):
    with pytest.raises(InvalidRequestError, match="forward"):
        await service.advance("default", seconds)
    assert await service.now("default") == real_clock.time


async def test_all_that_became_due_has_happened_in_order_when_advance_returns(
    service, sender, observer, real_clock
):
    start = real_clock.time
    kept = await sender.subscribe(online=False)
    short = await sender.subscribe(online=False, expires_at=start + 50)
    for subscription, ttl in ((kept, "60"), (short, "3600"), (kept, "30"), (kept, "7200")):
        assert (await sender.push(subscription, headers={"TTL": ttl})).status == 201
    last = (await service.storage.events("default"))[-1].sequence
    await service.advance("default", 3600)
    events = await service.storage.events("default", after=last)
    assert [(event.kind.value, event.at - start) for event in events] == [
        ("message.expired", 30),
        ("subscription.expired", 50),
        ("message.dropped", 50),
        ("message.expired", 60),
        ("clock.advanced", 3600),
    ]
    assert await observer.states() == ["expired", "dropped", "expired", "pending"]
    assert (await sender.push(short)).status == 410


@pytest.mark.parametrize(("passed", "state"), [(59.9, "pending"), (60, "expired")])
async def test_a_message_lives_as_long_as_its_ttl(
    service, sender, observer, real_clock, passed, state
):
    await sender.push(await sender.subscribe(online=False))
    real_clock.time += passed
    await service.now("default")
    assert await observer.states() == [state]


async def test_setting_a_clock_is_an_event_at_its_time(service, observer, real_clock):
    await service.advance("default", 10)
    await service.freeze("default")
    real_clock.time += 5
    await service.resume("default")
    events = await service.storage.events("default")
    assert [(event.kind.value, event.at) for event in events] == [
        ("clock.advanced", real_clock.time + 5),
        ("clock.frozen", real_clock.time + 5),
        ("clock.resumed", real_clock.time + 5),
    ]


async def test_clocks_are_kept_in_storage(service, real_clock):
    await service.advance("default", 60)
    other = PushService(storage=service.storage)
    assert await other.now("default") == real_clock.time + 60
