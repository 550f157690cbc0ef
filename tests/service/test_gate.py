"""The gate: what push services that must take every push would have refused."""

from __future__ import annotations

import pytest

from mockpush.errors import ConfigurationError, InvalidRequestError

LOCAL = {"sub": "mailto:me@localhost"}


def mistakes(service) -> dict[str, int]:
    """How often each mistake was made."""
    found = service.gate.tally.as_json()["mistakes"]
    return {each["finding"]["code"]: each["count"] for each in found}


async def push(sender, tenant="default", **claims):
    await sender.push(await sender.subscribe(tenant), claims=claims)


@pytest.fixture
def gated(make_service, make_sender):
    service = make_service(require=("apple",))
    return service, make_sender(service)


async def test_nothing_is_judged_unless_something_is_required(service, sender):
    await push(sender, **LOCAL)
    assert service.gate.tally.requests == 0


async def test_what_a_required_push_service_would_refuse_is_counted(gated):
    service, sender = gated
    await push(sender)
    await push(sender, "other", **LOCAL)
    assert (service.gate.tally.requests, service.gate.tally.refused) == (2, 1)
    assert mistakes(service) == {"vapid.sub.local_host": 1}


async def test_it_stays_counted_when_the_tenant_is_gone(gated):
    service, sender = gated
    await push(sender, **LOCAL)
    await service.reset("default")
    await service.storage.delete_tenant("default")
    assert mistakes(service) == {"vapid.sub.local_host": 1}


async def test_a_tenant_can_require_less_or_more(gated):
    service, sender = gated
    service.gate.require("less", [])
    service.gate.require("more", ["apple", "fcm"])
    assert service.gate.required("less") == ()
    assert service.gate.required("more") == ("apple", "fcm")
    assert service.gate.required("default") == ("apple",)
    await push(sender, "less", **LOCAL)
    assert service.gate.tally.requests == 0


async def test_one_tenant_is_enough_to_judge(service, sender):
    service.gate.require("strict", ["apple"])
    await push(sender, "default", **LOCAL)
    await push(sender, "strict", **LOCAL)
    assert mistakes(service) == {"vapid.sub.local_host": 1}
    service.gate.forget("strict")
    assert not service.gate.watches
    await push(sender, "strict", **LOCAL)
    assert mistakes(service) == {"vapid.sub.local_host": 1}


async def test_tenants_of_long_ago_give_way(gated, monkeypatch):
    service, _ = gated
    monkeypatch.setattr("mockpush.gate._MOST", 2)
    for name in ("a", "b", "c"):
        service.gate.require(name, [])
    assert [service.gate.required(name) for name in ("a", "b", "c")] == [("apple",), (), ()]


async def test_limits_of_our_own_are_not_theirs(make_service, make_sender):
    service = make_service(require=("apple",), max_body=100)
    sender = make_sender(service)
    subscription = await sender.subscribe()
    answer = await sender.push(subscription, b"x" * 200)
    assert answer.status == 413
    assert (service.gate.tally.requests, service.gate.tally.refused) == (1, 0)


def test_only_profiles_that_there_are_can_be_required(make_service, service):
    names = "there is no profile 'aple'; there is: rfc, fcm, mozilla, apple, wns"
    with pytest.raises(ConfigurationError, match=names):
        make_service(require=("apple", "aple"))
    with pytest.raises(InvalidRequestError, match=names):
        service.gate.require("default", ["aple"])
