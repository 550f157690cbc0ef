"""VAPID in every form that senders send, against the RFC's example, PyJWT and py_vapid."""

from __future__ import annotations

import base64
import json

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from py_vapid import Vapid01, Vapid02

from mockpush.protocol import jwt, vapid
from mockpush.protocol.findings import REGISTRY
from mockpush.protocol.headers import NO_PARAMETERS, DraftParameters
from mockpush.protocol.keys import generate_key_pair, load_private_key
from mockpush.protocol.model import base64url_decode, base64url_encode

NOW = 1_800_000_000
ORIGIN = "https://localhost:8031"
CLAIMS = {"aud": ORIGIN, "exp": NOW + 43_200, "sub": "mailto:push@example.com"}
SCALAR, POINT = generate_key_pair()
OTHER_SCALAR, OTHER_POINT = generate_key_pair()
KEY = base64url_encode(POINT)
TOKEN = jwt.sign(CLAIMS, SCALAR)

# RFC 8292, Section 2.4
RFC_T = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0"
    "NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuC"
    "GSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA"
)
RFC_K = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
RFC_ORIGIN, RFC_EXP = "https://push.example.net", 1_453_523_768


def read(field, parameters=NO_PARAMETERS):
    """What the field (or several) says, and the codes of what is wrong in itself."""
    findings = []
    lines = [field] if isinstance(field, str | bytes) else field
    encoded = [line.encode() if isinstance(line, str) else line for line in lines]
    found = vapid.read_vapid(encoded, parameters, findings)
    return found, [finding.code for finding in findings]


def check(field, *, parameters=NO_PARAMETERS, origins=(ORIGIN,), now=NOW, key=POINT):
    """All codes, and the seconds until exp."""
    found, codes = read(field, parameters)
    findings = []
    exp_in = vapid.check_vapid(
        found, findings, origins=origins, now=now, application_server_key=key
    )
    assert {finding.code for finding in findings} <= REGISTRY.keys()
    for finding in findings:
        assert finding.expected is not None
        assert finding.actual
    return [*codes, *(finding.code for finding in findings)], exp_in


def header(token=TOKEN, key=KEY):
    return f"vapid t={token}, k={key}"


def signed(claims: str | dict, scalar=SCALAR, head='{"typ":"JWT","alg":"ES256"}', sign=None) -> str:
    """A token over any text, signed without the code under test."""
    text = claims if isinstance(claims, str) else json.dumps(claims)
    parts = ".".join(base64url_encode(part.encode()) for part in (head, text))
    key = load_private_key(scalar)
    der = key.sign(parts.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(der)
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{parts}.{base64url_encode(sign(signature, der) if sign else signature)}"


def codes_with(**claims):
    """The codes of a token with these claims changed; None takes one out."""
    changed = {**CLAIMS, **claims}
    return check(header(signed({k: v for k, v in changed.items() if v is not None})))[0]


# What the field says


def test_the_example_of_the_rfc_is_right_until_it_expires():
    field = f"vapid t={RFC_T}, k={RFC_K}"
    key = base64url_decode(RFC_K)
    codes, exp_in = check(field, origins=(RFC_ORIGIN,), now=RFC_EXP - 3600, key=key)
    assert (codes, exp_in) == ([], 3600)
    assert check(field, origins=(RFC_ORIGIN,), now=RFC_EXP + 1, key=key)[0] == ["vapid.exp.past"]
    found, _ = read(field)
    assert found.verified
    assert found.scheme is vapid.Scheme.VAPID
    assert found.claims == {"aud": RFC_ORIGIN, "exp": RFC_EXP, "sub": "mailto:push@example.com"}


@pytest.mark.parametrize(
    "field",
    [
        f"vapid t={TOKEN}, k={KEY}",
        f"vapid t={TOKEN},k={KEY}",
        f"vapid t={TOKEN} ,\tk={KEY}",
        f"vapid k={KEY}, t={TOKEN}",
        f'vapid t="{TOKEN}", k="{KEY}"',
        f"vapid t = {TOKEN}, k\t=\t{KEY}",
        f"VAPID T={TOKEN}, K={KEY}",
        f"Vapid   t={TOKEN}, k={KEY}  ",
        f"vapid ,,t={TOKEN},, k={KEY},",
        f'vapid realm="a, b", t={TOKEN}, k={KEY}',
        f'vapid t={TOKEN}, k={KEY}, x="a;b"',
        f'vapid t={TOKEN}, k={KEY}, x="a, k=1, t=2"',
        f'vapid x="\\", k=1", t={TOKEN}, k={KEY}',
        f"vapid v=2, t={TOKEN}, k={KEY}, tk=1, kt=2, x",
    ],
)
def test_the_vapid_scheme_is_read_in_any_legal_spelling(field):
    assert check(field) == ([], 43_200)


@pytest.mark.parametrize("scheme", ["WebPush", "webpush", "Bearer", "bearer"])
@pytest.mark.parametrize("space", [" ", "   "])
def test_the_schemes_of_the_drafts_have_their_key_in_crypto_key(scheme, space):
    parameters = DraftParameters(p256ecdsa=KEY.encode(), has_crypto_key=True)
    codes, exp_in = check(f"{scheme}{space}{TOKEN} ", parameters=parameters)
    assert (codes, exp_in) == ([f"vapid.scheme.{scheme.lower()}"], 43_200)


@pytest.mark.parametrize(
    ("field", "codes"),
    [
        ("", ["vapid.scheme.unknown", "vapid.token.missing"]),
        ("  ", ["vapid.scheme.unknown", "vapid.token.missing"]),
        ("Basic YTpi", ["vapid.scheme.unknown"]),
        ("key=AAAAserver-key", ["vapid.scheme.unknown", "vapid.token.missing"]),
        (TOKEN, ["vapid.scheme.unknown", "vapid.token.missing"]),
        (b"\xff\xfe t=a, k=b", ["vapid.scheme.unknown"]),
        (f"vapidt={TOKEN},k={KEY}", ["vapid.scheme.unknown", "vapid.token.missing"]),
        *(
            (
                field,
                ["vapid.authorization.malformed", "vapid.token.missing", "vapid.key.missing"],
            )
            for field in ("vapid", f"vapid {TOKEN}", "vapid t, k", "vapid x=1", "vapid , ,=")
        ),
        (f"vapid t={TOKEN}", ["vapid.key.missing"]),
        (f"vapid k={KEY}", ["vapid.token.missing"]),
        (f"vapid t=, k={KEY}", ["vapid.token.missing"]),
        (f'vapid t="", k={KEY}', ["vapid.token.missing"]),
        (f"vapid t={TOKEN}, k=", ["vapid.key.empty"]),
        (f"vapid t={TOKEN}; k={KEY}", ["vapid.separator.semicolon"]),
        (f"vapid t={TOKEN};k={KEY}", ["vapid.separator.semicolon"]),
        (f"vapid t={TOKEN}, t={TOKEN}, k={KEY}", ["vapid.parameter.doubled"]),
        (f"vapid t={TOKEN}, k={KEY}, K={KEY}", ["vapid.parameter.doubled"]),
        ([header()] * 2, ["vapid.authorization.doubled"]),
        (
            "vapid t=a, k=b",
            ["vapid.token.malformed", "vapid.key.not_base64url"],
        ),
        (f"vapid t=a.b.c.d, k={KEY}", ["vapid.token.malformed"]),
        (f"WebPush {TOKEN}", ["vapid.scheme.webpush", "vapid.p256ecdsa.missing"]),
        (
            "WebPush",
            ["vapid.scheme.webpush", "vapid.p256ecdsa.missing", "vapid.token.missing"],
        ),
        (header(key=KEY + "="), ["vapid.key.padded"]),
        (header(key=base64.b64encode(b"\x04" * 63).decode()), ["vapid.key.length"]),
    ],
)
def test_what_is_wrong_with_a_field_has_its_codes(field, codes):
    found, seen = read(field)
    assert seen == codes
    if found.token is None:
        assert found.claims == {}
    if found.token is None or found.key is None:
        assert not found.verified


def test_of_a_doubled_field_the_first_counts_and_of_a_doubled_parameter_too():
    found, codes = read([header(), "vapid t=x, k=y"])
    assert (found.verified, codes) == (True, ["vapid.authorization.doubled"])
    found, codes = read(f"vapid t={TOKEN}, k={KEY}, t=x, k=y")
    assert found.verified
    assert codes == ["vapid.parameter.doubled"] * 2


# The signature


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (signed(CLAIMS, OTHER_SCALAR), "vapid.signature.invalid"),
        (signed(CLAIMS, sign=lambda raw, der: der), "vapid.signature.der"),
        (signed(CLAIMS, sign=lambda raw, der: raw[1:]), "vapid.signature.length"),
        (signed(CLAIMS, sign=lambda raw, der: raw + b"\0"), "vapid.signature.length"),
        (signed(CLAIMS, sign=lambda raw, der: b""), "vapid.signature.length"),
        (signed(CLAIMS, sign=lambda raw, der: bytes(64)), "vapid.signature.invalid"),
        (signed(CLAIMS, sign=lambda raw, der: raw[32:] + raw[:32]), "vapid.signature.invalid"),
        (signed(CLAIMS, head='{"typ":"JWT","alg":"none"}'), "vapid.algorithm"),
        (signed(CLAIMS, head='{"typ":"JWT","alg":"none"}', sign=lambda *_: b""), "vapid.algorithm"),
        (signed(CLAIMS, head='{"typ":"JWT","alg":"es256"}'), "vapid.algorithm"),
        (signed(CLAIMS, head='{"typ":"JWT","alg":["ES256"]}'), "vapid.algorithm"),
        (signed(CLAIMS, head='{"typ":"JWT"}'), "vapid.algorithm"),
        (pyjwt.encode(CLAIMS, KEY, algorithm="HS256"), "vapid.algorithm"),
        (
            pyjwt.encode(CLAIMS, ec.generate_private_key(ec.SECP384R1()), algorithm="ES384"),
            "vapid.algorithm",
        ),
    ],
)
def test_only_es256_by_the_key_that_is_sent_verifies(token, code):
    found, codes = read(header(token))
    assert not found.verified
    assert codes == [code]


@pytest.mark.parametrize("head", ['{"alg":"ES256"}', '{"alg":"ES256","typ":1}'])
def test_a_missing_type_is_only_information(head):
    found, codes = read(header(signed(CLAIMS, head=head)))
    assert found.verified
    assert codes == ["vapid.typ"]
    assert read(header(signed(CLAIMS, head='{"alg":"ES256","typ":"jwt"}')))[1] == []


def test_another_key_than_that_of_the_subscription_is_a_mismatch():
    field = header(signed(CLAIMS, OTHER_SCALAR), base64url_encode(OTHER_POINT))
    assert check(field)[0] == ["vapid.key.mismatch"]
    assert check(field, key=None)[0] == []


def test_the_subscriptions_key_behind_another_key_is_recognised():
    codes, _ = check(header(TOKEN, base64url_encode(OTHER_POINT)))
    assert codes == ["vapid.signature.invalid", "vapid.key.mismatch", "vapid.signature.other_key"]


def test_a_key_in_another_form_is_the_same_key():
    public = load_private_key(SCALAR).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert check(header(key=base64url_encode(der)))[0] == ["vapid.key.der"]


# What is wrong in the token itself


@pytest.mark.parametrize("exp", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_what_is_no_json_number_makes_no_token(exp):
    codes, exp_in = check(header(signed(f'{{"aud":"{ORIGIN}","exp":{exp},"sub":"mailto:a@b.c"}}')))
    assert (codes, exp_in) == (["vapid.token.malformed"], None)


def test_claims_of_the_senders_own_are_fine():
    assert codes_with(iat=NOW, jti="1", scope=["a", {"b": None}]) == []


@pytest.mark.parametrize(("size", "codes"), [(1000, []), (1001, ["vapid.claims.large"])])
def test_a_field_gets_large_at_1000_octets(size, codes):
    field = header()
    assert read(field + " " * (size - len(field)))[1] == codes


def test_a_contact_is_checked_too():
    assert codes_with(sub=None) == ["vapid.sub.missing"]


# The cache


class CountingKey:
    """A public key that counts what it is asked to verify."""

    def __init__(self, key, calls):
        self._key = key
        self._calls = calls

    def verify(self, *arguments):
        self._calls.append(arguments)
        self._key.verify(*arguments)


@pytest.fixture
def verifications(monkeypatch):
    """What the cryptography package is asked to verify."""
    calls = []
    load = jwt.load_public_key
    monkeypatch.setattr(jwt, "load_public_key", lambda point: CountingKey(load(point), calls))
    vapid._read.cache_clear()
    return calls


def test_a_signature_is_verified_once_per_field_and_times_on_each_request(verifications):
    exp = CLAIMS["exp"]
    answers = [check(header(), now=now)[0] for now in (NOW, NOW + 10, exp + 1, exp - 60)]
    assert answers == [[], [], ["vapid.exp.past"], ["vapid.exp.soon"]]
    assert len(verifications) == 1
    check(header(signed(CLAIMS)))
    assert len(verifications) == 2


def test_a_refused_signature_is_not_tried_again_either(verifications):
    field = header(TOKEN, base64url_encode(OTHER_POINT))
    assert "vapid.signature.invalid" in check(field, key=None)[0]
    tried = len(verifications)  # one in 256 looks like DER at first, and is tried as that too
    for _ in range(2):
        assert "vapid.signature.invalid" in check(field, key=None)[0]
    assert len(verifications) == tried


def test_the_same_token_with_another_key_in_crypto_key_is_read_again():
    field = f"WebPush {TOKEN}"
    keys = (KEY, base64url_encode(OTHER_POINT))
    seen = [
        read(field, DraftParameters(p256ecdsa=key.encode(), has_crypto_key=True))[0].verified
        for key in keys
    ]
    assert seen == [True, False]


# Other people's libraries


def test_a_header_of_py_vapid_is_right():
    claims = {"sub": "mailto:push@example.com", "aud": ORIGIN, "exp": NOW + 43_200}
    signer = Vapid02.from_raw(base64url_encode(SCALAR).encode())
    assert check(signer.sign(claims)["Authorization"]) == ([], 43_200)


def test_the_older_header_of_py_vapid_is_right_but_for_its_scheme():
    claims = {"sub": "mailto:push@example.com", "aud": ORIGIN, "exp": NOW + 43_200}
    fields = Vapid01.from_raw(base64url_encode(SCALAR).encode()).sign(claims)
    name, _, key = fields["Crypto-Key"].partition("=")
    assert name == "p256ecdsa"
    parameters = DraftParameters(p256ecdsa=key.encode(), has_crypto_key=True)
    assert check(fields["Authorization"], parameters=parameters)[0] == ["vapid.scheme.webpush"]


def test_a_token_of_pyjwt_is_right():
    token = pyjwt.encode(CLAIMS, load_private_key(SCALAR), algorithm="ES256")
    assert check(header(token)) == ([], 43_200)


def test_others_verify_an_authorization_of_ours():
    field = vapid.authorization({**CLAIMS, "exp": 2**33}, SCALAR)
    assert Vapid02.verify(field.replace(", ", ","))
    scheme, t, k = field.replace(",", "").split()
    assert (scheme, k) == ("vapid", f"k={KEY}")
    key = load_private_key(SCALAR).public_key()
    claims = pyjwt.decode(t.removeprefix("t="), key, algorithms=["ES256"], audience=CLAIMS["aud"])
    assert claims["sub"] == CLAIMS["sub"]
    assert check(vapid.authorization(CLAIMS, SCALAR)) == ([], 43_200)


# Whatever comes

FRAGMENTS = ["vapid ", "WebPush ", "t=", "k=", *',;" \t.=\\x\xff', TOKEN, KEY]
fragments = st.sampled_from([fragment.encode("latin-1") for fragment in FRAGMENTS])
fields = st.binary(max_size=60) | st.lists(fragments, max_size=10).map(b"".join)


@given(fields, st.none() | fields)
def test_no_octets_make_the_reader_raise(field, p256ecdsa):
    parameters = DraftParameters(p256ecdsa=p256ecdsa, has_crypto_key=p256ecdsa is not None)
    codes, _ = check(field, parameters=parameters)
    found, _ = read(field, parameters)
    assert set(codes) <= REGISTRY.keys()
    if found.verified:
        assert (found.key, found.claims) == (POINT, CLAIMS)
