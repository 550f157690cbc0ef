"""What holds for every vendor's profile, and where they differ beyond their known answers."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mockpush.errors import ConfigurationError
from mockpush.options import ServiceOptions
from mockpush.profiles import PROFILES, STRICT
from mockpush.protocol.judging import Codes

from .pushes import KEY, OTHER_KEY, Bench, Push, base64url, encrypted, point

VENDORS = [name for name in PROFILES if name != "rfc"]
MOZILLA = PROFILES["mozilla"]


def header(name: str, value: str | None) -> Push:
    return Push(headers=((name, value),))


async def statuses(bench: Bench, push: Push) -> dict[str, int]:
    """What each profile answers."""
    return {name: (await bench.push(name, push)).status_code for name in PROFILES}


def answers(rfc=201, fcm=201, mozilla=201, apple=201, wns=201) -> dict[str, int]:
    return {"rfc": rfc, "fcm": fcm, "mozilla": mozilla, "apple": apple, "wns": wns}


DRAFT = encrypted("aesgcm")
DRAFT_PUSH = Push(
    scheme="WebPush",
    body=DRAFT["body"],
    headers=(
        ("Content-Encoding", "aesgcm"),
        ("Encryption", f"salt={DRAFT['salt'].decode()}"),
        ("Crypto-Key", f"dh={DRAFT['crypto_key'].decode()};p256ecdsa={base64url(point(KEY))}"),
    ),
)
HEAD = bytes(16) + (5000).to_bytes(4, "big") + b"A" + point(OTHER_KEY)
"""That of a body of one record."""
FOR_ANOTHER = Push(body=encrypted(key=ec.generate_private_key(ec.SECP256R1()))["body"])

ALIKE_AND_NOT = {
    "nothing is wrong": (Push(), answers()),
    "it cannot be decrypted": (FOR_ANOTHER, answers()),
    "the subscription is gone": (Push(ended=None), answers(410, 410, 410, 410, 410)),
    "gone with 404, as asked for": (Push(ended=404), answers(404, 404, 404, 404, 404)),
    "gone with 410, as asked for": (Push(ended=410), answers(410, 410, 410, 410, 410)),
    "another method": (Push(method="PUT"), answers(405, 405, 405, 405, 405)),
    "another key": (
        Push(signer=OTHER_KEY, key=base64url(point(OTHER_KEY))),
        answers(403, 403, 401, 400, 401),
    ),
    "no key at all": (
        replace(header("Authorization", None), restricted=False),
        answers(201, 403, 201, 403, 401),
    ),
    "a bad token where none is asked for": (
        Push(restricted=False, exp_in=-3600),
        answers(201, 403, 401, 403, 401),
    ),
    "no TTL": (header("TTL", None), answers(400, 400, 400, 400, 201)),
    "TTL 0": (header("TTL", "0"), answers(wns=400)),
    "TTL 0 without keeping": (
        Push(headers=(("TTL", "0"), ("X-WNS-Cache-Policy", "no-cache"))),
        answers(),
    ),
    "no contact": (Push(claims=(("sub", None),)), answers(apple=403)),
    "a contact with brackets": (Push(claims=(("sub", "mailto: <a@b.de>"),)), answers(apple=403)),
    "a contact at home": (Push(claims=(("sub", "mailto:a@localhost"),)), answers(apple=403)),
    "a contact that is a number": (Push(claims=(("sub", 7),)), answers(mozilla=401, apple=403)),
    "aud is a list": (Push(claims=(("aud", ["https://localhost"]),)), answers(mozilla=401)),
    "aud has a slash": (
        Push(claims=(("aud", "https://localhost/"),)),
        answers(403, 403, 401, 403, 401),
    ),
    "exp is far away": (Push(exp_in=90_000), answers(403, 403, 401, 403, 401)),
    "a topic of 9 characters": (header("Topic", "new_event"), answers(apple=400)),
    "a padded topic": (header("Topic", "dXA="), answers(rfc=400, apple=400)),
    "an urgency that is none": (header("Urgency", "urgent"), answers(rfc=400, apple=400)),
    "4097 octets": (Push(body=HEAD + b"x" * (4097 - len(HEAD))), answers(413, 413, 201, 413, 201)),
    "the draft": (DRAFT_PUSH, answers(apple=403)),
    "the draft's coding alone": (replace(DRAFT_PUSH, scheme="vapid"), answers(apple=400)),
    "t and k after a semicolon": (
        Push(authorization="vapid t=a.b.c; k=AAAA"),
        answers(403, 403, 401, 403, 401),
    ),
}
"""One push and what each of the five says to it."""


@pytest.mark.parametrize("case", ALIKE_AND_NOT)
async def test_five_services_answer_one_push(bench: Bench, case):
    push, expected = ALIKE_AND_NOT[case]
    assert await statuses(bench, push) == expected


async def test_a_fraction_in_exp_is_what_mozilla_refuses(bench: Bench):
    push = Push(claims=(("exp", int(time.time()) + 3600.5),))
    assert await statuses(bench, push) == answers(mozilla=401)


async def test_semicolons_are_one_parameter_to_mozilla(bench: Bench):
    field = Push().fields("https://localhost")["Authorization"]
    push = Push(authorization=field.replace(",", ";"))
    assert await statuses(bench, push) == answers(mozilla=401)


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("name", PROFILES)
async def test_a_push_without_asgi_is_answered_alike(bench: Bench, name, restricted):
    push = Push(restricted=restricted)
    answer = await bench.push(name, push)
    target = bench.subscription.endpoint.removeprefix("https://localhost").encode()
    fields = push.fields("https://localhost")
    lines = [(field.lower().encode(), value.encode()) for field, value in fields.items()]
    body = encrypted()["body"]
    at_once = bench.app.at_once(target, lines, body)
    if name == "wns":  # the token is in the query, and nowhere else
        path = f"/w/{bench.subscription.token}"
        assert (at_once, bench.app.at_once(path.encode(), lines, body)) == (None, None)
        answer = await bench.send("POST", f"https://localhost{path}", body, fields)
        assert answer.status_code == 404
    else:
        assert at_once.status == answer.status_code
        assert {field.decode() for field, _ in at_once.headers} == answer.headers.keys()


@pytest.mark.parametrize("name", VENDORS)
def test_real_services_have_no_port_to_miss(name):
    assert "vapid.aud.port_missing" not in PROFILES[name].named_codes


async def test_strict_changes_no_vendor(make_bench):
    push = Push(claims=(("sub", "me@example.com"),))
    assert STRICT.keys() == {"rfc"}
    assert await statuses(make_bench(strict=True), push) == answers(rfc=403, apple=403)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_profile_says_where_each_row_comes_from(profile):
    marks = r"[DSOU](, [DSOU])*([:;]|$)"
    if profile.name == "rfc":
        marks = r"RFC |what all vendors|asked for by the test"
    assert [row for row in profile.rows if not re.match(marks, row.evidence)] == []
    assert {row.variant for row in profile.rows} - {None} <= profile.variants.keys()


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_every_profile_can_be_throttled_and_unavailable(profile):
    statuses = {name: profile.named_answers[name].status for name in ("throttled", "unavailable")}
    assert statuses == {"throttled": 406 if profile.name == "wns" else 429, "unavailable": 503}
    assert all(template.status >= 400 for template in profile.named_answers.values())


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_no_row_is_shadowed_by_those_before(profile):
    """A row that can never decide would be a fact that nobody sees."""
    for at, row in enumerate(profile.rows):
        if isinstance(row.when, Codes) and row.variant is None:
            before = [
                other.when.codes
                for other in profile.rows[:at]
                if isinstance(other.when, Codes)
                and other.scope in ("any", row.scope)
                and other.variant is None
                and not other.when.unless
            ]
            assert not row.when.codes <= frozenset().union(*before), row


UNSIGNED = ".".join([base64url(b'{"typ":"JWT","alg":"none"}'), base64url(b"{}"), "AAAA"])
WITHOUT_SALT = replace(DRAFT_PUSH, headers=(*DRAFT_PUSH.headers, ("Encryption", None)))
WITHOUT_DH = replace(
    DRAFT_PUSH,
    headers=(*DRAFT_PUSH.headers, ("Crypto-Key", f"p256ecdsa={base64url(point(KEY))}")),
)
FORM = "authorization header had invalid format"

WORDS = [
    ("fcm", Push(authorization="Basic AAAA"), 403, FORM),
    ("fcm", Push(authorization=f"vapid k={base64url(point(KEY))}"), 403, FORM),
    ("fcm", Push(scheme="WebPush", key=""), 403, "crypto-key header had empty public"),
    ("fcm", Push(scheme="WebPush", key="!"), 403, "in crypto-key header must be base64"),
    ("fcm", Push(claims=(("exp", "soon"),)), 403, "invalid JWT provided"),
    ("mozilla", Push(key="!"), 401, "Invalid VAPID public key"),
    ("mozilla", Push(text="a.b"), 401, "InvalidToken"),
    ("mozilla", Push(text=UNSIGNED), 401, "InvalidAlgorithm"),
    ("mozilla", Push(key=base64url(point(KEY)[1:])), 401, "InvalidSignature"),
    ("mozilla", Push(claims=(("aud", None),)), 401, "Missing required aud"),
    (
        "mozilla",
        header("Encryption", "salt=AAAA"),
        400,
        "Do not include 'salt' header in aes128gcm",
    ),
    ("mozilla", WITHOUT_SALT, 400, "Missing Encryption header"),
    ("mozilla", WITHOUT_DH, 400, "Missing dh value in Crypto-Key header"),
    ("mozilla", header("Topic", "x" * 33), 400, "topic: Topic must be no greater than 32"),
    ("apple", Push(body=b"x" * 20), 400, "BadWebPushRequest"),
    ("wns", header("TTL", "-1"), 400, ""),
]
"""What each says beyond its known answers."""


@pytest.mark.parametrize(("name", "push", "status", "words"), WORDS)
async def test_a_vendor_has_words_for_what_is_seldom_wrong(bench, name, push, status, words):
    answer = await bench.push(name, push)
    assert answer.status_code == status
    assert words in answer.text


async def test_padding_is_refused_by_fcm_in_the_fields_of_the_draft_alone(bench: Bench):
    padded = base64url(point(KEY)) + "="
    assert (await bench.push("fcm", Push(key=padded))).status_code == 201
    assert (await bench.push("fcm", Push(key=padded, scheme="Bearer"))).status_code == 403


async def test_apple_does_not_look_into_what_is_opaque(bench: Bench):
    push = Push(body=b"x" * 20, opaque=True)
    assert (await bench.push("apple", push)).status_code == 201


# Mozilla

STEPS = {
    "404 token": {"at": "nowhere"},
    "401 authorization": {"authorization": "key AAAA"},
    "401 key mismatch": {"signer": OTHER_KEY, "key": base64url(point(OTHER_KEY))},
    "410 no subscription": {"ended": None},
    "413 body": {"body": b"x" * 6000},
    "400 Missing TTL": {"headers": (("TTL", None),)},
    "400 Missing Content-Encoding": {"headers": (("Content-Encoding", None),)},
    "400 Topic": {"headers": (("Topic", "a b"),)},
}
"""What goes wrong at each step, in the order in which autopush looks."""


def both(first: dict, second: dict) -> Push:
    headers = first.get("headers", ()) + second.get("headers", ())
    return Push(**{**second, **first, "headers": headers})


@pytest.mark.parametrize(("first", "second"), [*itertools.combinations(STEPS, 2)])
async def test_mozilla_tells_the_first_thing_that_goes_wrong(bench: Bench, first, second):
    alone = await bench.push("mozilla", Push(**STEPS[first]))
    answer = await bench.push("mozilla", both(STEPS[first], STEPS[second]))
    assert (answer.status_code, answer.content) == (alone.status_code, alone.content)
    assert f"{answer.status_code}" == first[:3]


async def test_mozilla_keeps_nothing_for_longer_than_30_days(bench: Bench):
    answer = await bench.push("mozilla", header("TTL", "9999999"))
    assert answer.headers["ttl"] == "2592000"


async def test_mozilla_has_another_endpoint_without_a_key(bench: Bench):
    await bench.push("mozilla", Push())
    assert bench.subscription.endpoint.startswith("https://localhost/wpush/v2/")
    await bench.push("mozilla", Push(restricted=False))
    subscription = bench.subscription
    assert subscription.endpoint.startswith("https://localhost/wpush/v1/")
    fields = Push().fields("https://localhost")
    answer = await bench.send(
        "POST", f"https://localhost/wpush/{subscription.token}", headers=fields
    )
    assert answer.status_code == 201


@pytest.mark.parametrize(("name", "again"), [("mozilla", 204), ("rfc", 404)])
async def test_deleting_a_message_again(bench: Bench, name, again):
    location = (await bench.push(name, Push())).headers["location"]
    await bench.service.end_subscription(bench.subscription, state="removed")
    assert [(await bench.send("DELETE", location)).status_code for _ in range(2)] == [again] * 2
    assert (await bench.send("DELETE", "https://localhost/m/nowhere")).status_code == 404


@pytest.mark.parametrize("scheme", ["WebPush", "Bearer"])
async def test_mozilla_tells_a_missing_field_from_a_missing_parameter(bench: Bench, scheme):
    messages = {
        value: (
            await bench.push("mozilla", Push(scheme=scheme, headers=(("Crypto-Key", value),)))
        ).json()["message"]
        for value in (None, "keyid=a")
    }
    assert messages == {
        None: "Missing Crypto-Key header",
        "keyid=a": "Missing p256ecdsa in Crypto-Key header",
    }


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("key=AAAA", "Missing VAPID token"),
        ("key AAAA", "Unknown auth scheme"),
        ("vapid a.b.c", "Missing VAPID public key"),
        ("vapid t=a.b.c", "Missing VAPID public key"),
        (f"vapid k={base64url(point(KEY))}", "Missing VAPID token"),
        ("Bearer ", "Missing VAPID token"),
    ],
)
async def test_mozilla_tells_what_of_the_authorization_is_missing(
    bench: Bench, authorization, message
):
    answer = await bench.push("mozilla", Push(authorization=authorization))
    assert (answer.status_code, answer.json()["message"]) == (401, message)


async def test_without_a_body_mozilla_does_not_look_at_the_coding(bench: Bench):
    for body, status in ((b"", 201), (None, 400)):
        push = Push(body=body, headers=(("Content-Encoding", "gzip"),))
        assert (await bench.push("mozilla", push)).status_code == status


async def test_a_padded_topic_of_mozilla_replaces(bench: Bench):
    await bench.push("mozilla", header("Topic", "dXA="))
    (message,) = await bench.service.storage.messages("default")
    assert message.topic == "dXA="


# Variants


async def test_mozilla_as_documented_has_a_body_with_404(make_bench):
    bench = make_bench(variants=("mozilla.documented_404",))
    answer = await bench.push("mozilla", Push(at="nowhere"))
    assert (answer.status_code, answer.json()["errno"]) == (404, 102)


async def test_a_phone_behind_mozilla_takes_less(make_bench):
    bench = make_bench(variants=("mozilla.bridged", "mozilla.documented_404"))
    assert (await bench.push("mozilla", Push(body=b"x" * 3072))).status_code == 201
    answer = await bench.push("mozilla", Push(body=b"x" * 3073))
    assert answer.status_code == 413
    assert answer.json()["message"].endswith("too long by 2 bytes")
    assert (await bench.push("mozilla", Push(at="nowhere"))).json()["errno"] == 102


async def test_apple_as_documented_refuses_ttl_0(make_bench):
    bench = make_bench(variants=("apple.ttl_zero_refused",))
    assert (await bench.push("apple", header("TTL", "0"))).json() == {"reason": "BadTtl"}
    assert (await bench.push("apple", Push())).status_code == 201


def test_a_limit_of_the_user_goes_with_a_variant():
    profiles = ServiceOptions(max_body=100, variants=("wns.success_200",)).profiles()
    assert profiles["wns"].success.status == 200
    assert {profile.limits["body"] for profile in profiles.values()} == {100}


@pytest.mark.parametrize("variant", ["fcm.nothing", "nobody.bridged", "bridged", ""])
def test_an_unknown_variant_is_told_with_those_that_there_are(variant):
    with pytest.raises(ConfigurationError, match=r"fcm\.too_large_400, mozilla\.documented_404"):
        ServiceOptions(variants=(variant,)).profiles()
