"""Subscriptions: made, ended, and the presence of their user agents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mockpush.errors import InvalidRequestError, LimitError, NotFoundError
from mockpush.protocol.model import SubscriptionState, base64url_decode
from mockpush.storage.base import Keep, Limits


async def test_an_endpoint_is_the_origin_the_prefix_and_an_unguessable_token(service):
    service.origins = ("https://localhost:8031", "http://127.0.0.1:8030")
    made = [await service.subscribe() for _ in range(50)]
    for each in made:
        assert each.endpoint == f"https://localhost:8031/push/{each.token}"
        assert each.origins == ("https://localhost:8031",)
        assert len(base64url_decode(each.token)) * 8 >= 120
    assert len({each.token for each in made} | {each.id for each in made}) == 100


async def test_an_origin_of_its_own_stands_in_for_those_of_the_service(service):
    made = await service.subscribe(origin="https://push.test")
    assert made.endpoint.startswith("https://push.test/push/")
    assert made.origins == ("https://push.test",)


OF_VENDORS = {
    "fcm": "https://fcm.googleapis.com/fcm/send/",
    "mozilla": "https://updates.push.services.mozilla.com/wpush/v2/",
    "apple": "https://web.push.apple.com/",
    "wns": "https://wns2-par02p.notify.windows.com/w/?token=",
    "rfc": "https://localhost/push/",
}


@pytest.mark.parametrize("profile", OF_VENDORS)
async def test_endpoints_of_vendors_look_as_their_own(service, make_service, profile):
    always = make_service(vendor_hosts=True)
    key = b"\x04" * 65
    for made in (
        await service.subscribe(profile=profile, origin="vendor", application_server_key=key),
        await always.subscribe(profile=profile, application_server_key=key),
    ):
        assert made.endpoint == OF_VENDORS[profile] + made.token
        assert made.origins == ("/".join(OF_VENDORS[profile].split("/")[:3]),)


async def test_another_host_of_the_vendor_has_the_vendors_paths_and_any_other_has_ours(service):
    made = await service.subscribe(profile="apple", origin="https://api.push.apple.com")
    assert made.endpoint == f"https://api.push.apple.com/{made.token}"
    for origin in ("https://push.test", "https://fcm.googleapis.com"):
        made = await service.subscribe(profile="apple", origin=origin)
        assert made.endpoint == f"{origin}/apple/{made.token}"


async def test_an_origin_that_is_asked_for_wins_over_the_vendors(make_service):
    made = await make_service(vendor_hosts=True).subscribe(profile="fcm", origin="https://a.test")
    assert made.origins == ("https://a.test",)


async def test_a_subscription_is_as_it_was_asked_for(service, real_clock):
    made = await service.subscribe(
        "mine",
        subscription_id="s",
        application_server_key=b"\x04" * 65,
        expires_at=real_clock.time + 60,
        online=False,
        held=True,
    )
    found = await service.subscription("mine", "s")
    assert found == made
    assert (made.id, made.tenant, made.profile, made.state) == ("s", "mine", "rfc", "active")
    assert (made.created_at, made.expires_at) == (real_clock.time, real_clock.time + 60)
    assert (made.online, made.held, made.managed) == (False, True, False)
    assert made.application_server_key == b"\x04" * 65


async def test_only_who_has_the_private_key_can_read(service, sender):
    managed = await sender.subscribe()
    assert managed.managed
    assert not (await service.subscribe(keys=replace(managed.keys, private_key=None))).managed
    assert not (await service.subscribe()).managed


async def test_an_unknown_profile_is_refused_with_the_known_ones(service):
    with pytest.raises(InvalidRequestError, match=r"'netscape'.*there is: rfc"):
        await service.subscribe(profile="netscape")
    assert await service.storage.tenants() == []


async def test_an_id_or_a_place_that_is_taken_is_refused(make_service):
    service = make_service(limits=Limits(subscriptions=1))
    await service.subscribe(subscription_id="s")
    with pytest.raises(InvalidRequestError, match="'s'"):
        await service.subscribe(subscription_id="s")
    with pytest.raises(LimitError, match="--max-subscriptions"):
        await service.subscribe()


async def test_a_subscription_belongs_to_its_tenant(service):
    made = await service.subscribe("mine")
    with pytest.raises(NotFoundError):
        await service.subscription("other", made.id)


async def test_a_subscription_expires_by_the_clock_of_its_tenant(service, sender, real_clock):
    made = await sender.subscribe(expires_at=real_clock.time + 60)
    assert (await sender.push(made)).status == 201
    await service.advance("default", 60)
    assert (await service.subscription("default", made.id)).state is SubscriptionState.EXPIRED
    assert (await sender.push(made)).status == 410


async def test_who_asks_for_a_subscription_sees_that_it_has_just_expired(service, real_clock):
    made = await service.subscribe(expires_at=real_clock.time + 60)
    real_clock.time += 60
    assert (await service.subscription("default", made.id)).state is SubscriptionState.EXPIRED


async def test_a_push_to_what_has_just_expired_comes_too_late(sender, observer, real_clock):
    made = await sender.subscribe(expires_at=real_clock.time + 60, online=False)
    await sender.push(made, headers={"TTL": "600"})
    real_clock.time += 60
    assert (await sender.push(made)).status == 410
    assert await observer.states() == ["dropped"]


@pytest.mark.parametrize("state", [SubscriptionState.EXPIRED, SubscriptionState.REMOVED])
@pytest.mark.parametrize(("asked", "status"), [(None, 410), (410, 410), (404, 404)])
async def test_what_has_ended_is_gone_for_senders(service, sender, problem, state, asked, status):
    made = await sender.subscribe()
    await service.end_subscription(made, state=state, gone_status=asked)
    answer = await sender.push(made)
    assert answer.status == status
    assert problem(answer)["code"] == "subscription.expired" + (f".{asked}" if asked else "")


async def test_under_strict_what_has_ended_was_never_there(make_service, make_sender):
    service = make_service(strict=True)
    sender = make_sender(service)
    made = await sender.subscribe()
    await service.end_subscription(made, state=SubscriptionState.EXPIRED)
    assert (await sender.push(made)).status == 404


async def test_coming_online_returns_after_delivery(service, sender, observer):
    made = await sender.subscribe(online=False)
    await sender.push(made)
    assert await observer.states() == ["pending"]
    await service.set_presence(made, online=True)
    assert await observer.states() == ["acknowledged"]
    await service.set_presence(made, online=False)
    await sender.push(made)
    assert await observer.states() == ["acknowledged", "pending"]


async def test_a_user_agent_whose_connection_broke_is_offline_until_it_is_back(service, observer):
    made = await service.subscribe(held=True)
    await service.connection_lost(made)
    assert not (await service.subscription("default", made.id)).online
    await service.connection_made(made)
    assert (await service.subscription("default", made.id)).online
    assert await observer.kinds(after=1) == ["subscription.offline", "subscription.online"]


async def test_a_new_connection_does_not_undo_an_offline_on_purpose(service):
    made = await service.subscribe(held=True)
    await service.set_presence(made, online=False)
    await service.connection_lost(made)
    await service.connection_made(made)
    assert not (await service.subscription("default", made.id)).online
    await service.connection_lost(replace(made, token="forgotten"))


async def test_going_offline_on_purpose_counts_after_a_broken_connection_too(service):
    made = await service.subscribe(held=True)
    await service.connection_lost(made)
    await service.set_presence(made, online=False)
    await service.connection_made(made)
    assert not (await service.subscription("default", made.id)).online


async def test_a_reset_empties_the_tenant_and_its_clock(service, sender, observer, real_clock):
    made = await sender.subscribe()
    await sender.push(made)
    await service.advance("default", 60)
    await service.reset("default")
    assert await observer.messages() == []
    assert await service.now("default") == real_clock.time
    assert (await sender.push(made)).status == 404


async def test_a_reset_leaves_what_is_to_be_kept(service, sender, observer):
    made = await sender.subscribe()
    await sender.push(made)
    await service.reset("default", keep=frozenset({Keep.SUBSCRIPTIONS}))
    assert await observer.messages() == []
    assert (await sender.push(made)).status == 201


async def test_broken_connections_are_remembered_within_bounds(make_service):
    service = make_service(limits=Limits(subscriptions=1))
    first = await service.subscribe("a", held=True)
    second = await service.subscribe("b", held=True)
    for each in (first, second):
        await service.connection_lost(each)
        await service.connection_lost(each)
    for each in (first, second):
        await service.connection_made(each)
    assert not (await service.subscription("a", first.id)).online
    assert (await service.subscription("b", second.id)).online
