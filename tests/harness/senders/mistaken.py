"""A sender built from other people's parts, and one subclass for each mistake that senders make."""

import base64
import json
import os
import time
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import http_ece
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    text = text.replace("+", "-").replace("/", "_").rstrip("=")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def origin(job: dict) -> str:
    parts = urlsplit(job["subscription"]["endpoint"])
    return f"{parts.scheme}://{parts.netloc}"


class Right:
    """Makes no mistake."""

    method = "POST"
    rs = 4096
    follows = False
    patience = 3.0

    def __init__(self, ca_file: str | None = None) -> None:
        self.authorizations: dict[tuple[str, str], str | None] = {}
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = ca_file or os.environ["SSL_CERT_FILE"]
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def __call__(self, job: dict) -> dict:
        if job["op"] == "hello":
            return {"name": type(self).__name__, "ops": ["send"], "language": "Python"}
        try:
            response = self.post(job)
        except (ValueError, requests.RequestException) as error:
            return {"ok": False, "error": str(error)}
        return self.report(response)

    def post(self, job: dict) -> requests.Response:
        body = self.body(job)
        endpoint = job["subscription"]["endpoint"]
        headers = {name: value for name, value in self.headers(job, body).items() if value}
        return self.session.request(
            self.method,
            endpoint,
            data=body,
            headers=headers,
            allow_redirects=self.follows,
            timeout=self.patience,
        )

    def report(self, response: requests.Response) -> dict:
        if response.status_code // 100 == 2:
            return {"ok": True, "status": response.status_code}
        return {
            "ok": False,
            "status": response.status_code,
            "retry_after": response.headers.get("Retry-After"),
            "error": self.reason(response),
        }

    def reason(self, response: requests.Response) -> str:
        said = response.headers.get("X-WNS-Error-Description") or self.text(response)
        return f"{response.status_code} {response.reason}: {said}"

    def text(self, response: requests.Response) -> str:
        """The body, or what a vendor says in its JSON."""
        try:
            members = response.json()
        except ValueError:
            return response.text[:500]
        members = members if isinstance(members, dict) else {}
        return str(members.get("reason") or members.get("message"))

    # The body

    def payload(self, job: dict) -> bytes | None:
        return None if job["payload"] is None else base64.b64decode(job["payload"])

    def body(self, job: dict) -> bytes:
        payload = self.payload(job)
        return self.encrypt(payload, job) if payload else b""

    def encrypt(self, payload: bytes, job: dict) -> bytes:
        keys = job["subscription"]["keys"]
        return http_ece.encrypt(
            payload,
            salt=self.salt(),
            private_key=self.key(job),
            dh=unb64(keys["p256dh"]),
            auth_secret=unb64(keys["auth"]),
            rs=self.record_size(payload),
        )

    def record_size(self, payload: bytes) -> int:
        """One record for the payload, its delimiter and the tag, and one octet more."""
        return max(self.rs, len(payload) + 18)

    def salt(self) -> bytes:
        return os.urandom(16)

    def key(self, job: dict) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    # The fields

    def headers(self, job: dict, body: bytes) -> dict[str, str | None]:
        return {
            "TTL": self.ttl(job),
            "Topic": self.topic(job),
            "Urgency": self.urgency(job),
            "Content-Encoding": self.coding(body),
            "Authorization": self.authorization(job),
        }

    def ttl(self, job: dict) -> str | None:
        return str(job["ttl"])

    def topic(self, job: dict) -> str | None:
        return job["topic"]

    def urgency(self, job: dict) -> str | None:
        return job["urgency"]

    def coding(self, body: bytes) -> str | None:
        return "aes128gcm" if body else None

    # The token

    def authorization(self, job: dict) -> str | None:
        """One for all messages to an origin, as long as it is signed with the same key."""
        to = (origin(job), job["vapid"]["private_key"])
        if to not in self.authorizations:
            self.authorizations[to] = self.new_authorization(job)
        return self.authorizations[to]

    def new_authorization(self, job: dict) -> str | None:
        return f"vapid t={self.token(job)}, k={self.public_key(job)}"

    def public_key(self, job: dict) -> str:
        return job["vapid"]["public_key"]

    def token(self, job: dict) -> str:
        header = {"typ": "JWT", "alg": "ES256"}
        parts = (json.dumps(each).encode() for each in (header, self.claims(job)))
        signed = ".".join(map(b64, parts))
        return f"{signed}.{b64(self.signature(signed.encode(), job))}"

    def claims(self, job: dict) -> dict:
        endpoint = urlsplit(job["subscription"]["endpoint"])
        return {
            "aud": f"{endpoint.scheme}://{endpoint.netloc}",
            "exp": int(time.time()) + 12 * 3600,
            "sub": job["vapid"]["subject"],
        }

    def signature(self, signed: bytes, job: dict) -> bytes:
        der = self.signing_key(job).sign(signed, ec.ECDSA(hashes.SHA256()))
        return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))

    def signing_key(self, job: dict) -> ec.EllipticCurvePrivateKey:
        return load_pem_private_key(job["vapid"]["private_key_pem"].encode(), None)


class Cautious(Right):
    """Tries three times, waits where it is told to, and sends nothing that is malformed."""

    def post(self, job):
        if len(self.payload(job) or b"") > 3993:
            raise ValueError("the payload is too long")
        for _ in range(2):
            pause, response = self.attempt(job)
            if pause is None:
                return response
            time.sleep(pause)
        return super().post(job)

    def attempt(self, job):
        """The seconds after which to try again, or None, and the answer if there was one."""
        try:
            response = super().post(job)
        except requests.Timeout:
            raise
        except requests.ConnectionError:
            return 0.01, None
        again = response.status_code == 429 or response.status_code >= 500
        return self.pause(response.headers.get("Retry-After")) if again else None, response

    def pause(self, retry_after):
        if retry_after is None:
            return 0.25
        seconds = (
            float(retry_after)
            if retry_after.isdigit()
            else parsedate_to_datetime(retry_after).timestamp() - time.time()
        )
        return max(0.0, seconds) if seconds <= 5 else None


class Gets(Right):
    method = "GET"


class SendsTwice(Right):
    def post(self, job):
        super().post(job)
        return super().post(job)


class SendsNothing(Right):
    def post(self, job):
        response = requests.Response()
        response.status_code = 201
        return response


class GivesUp(SendsNothing):
    def report(self, response):
        return {"ok": False, "error": "the payload is too long"}


class AlwaysFails(Right):
    def report(self, response):
        return {"ok": False, "error": "no Location"}


class AlwaysSucceeds(Right):
    def report(self, response):
        return {"ok": True}


class HandsOverTheStatus(Right):
    def report(self, response):
        return {"ok": True, "status": response.status_code}


class HidesTheReason(Right):
    def report(self, response):
        return {"ok": response.ok, "error": "failed"}


class SaysGone(Right):
    def report(self, response):
        return {"ok": response.ok, "gone": response.status_code in (404, 410)}


class OnlyCreated(Right):
    """Takes 201 alone for success."""

    def report(self, response):
        created = response.status_code == 201
        return {"ok": created, "status": response.status_code}


class PrunesWhatIsRefused(Right):
    def report(self, response):
        return {**super().report(response), "gone": 400 <= response.status_code < 500}


class PrunesWhatFails(Right):
    def __call__(self, job):
        result = super().__call__(job)
        return {**result, "gone": True} if "error" in result else result


class Crashes(Right):
    """Does not expect that an error has no reason, or not in this form."""

    def report(self, response):
        if response.ok:
            return super().report(response)
        return {"ok": False, "error": response.json()["reason"]}


class NeverGivesUp(Right):
    """Ends without a result, as one does that is ended when its time is over."""

    patience = 0.2

    def post(self, job):
        try:
            return super().post(job)
        except requests.Timeout:
            raise TimeoutError("the time is over") from None


class DoesNotSeeItBreak(Right):
    """Waits for the rest of an answer that broke off until its time is over."""

    def post(self, job):
        try:
            return super().post(job)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            raise TimeoutError("the time is over") from None


class TriesAgain(Right):
    """Repeats at once, whatever was wrong."""

    def post(self, job):
        while True:
            try:
                response = super().post(job)
            except requests.ConnectionError:
                continue
            if response.ok:
                return response


class TriesOnceMore(Right):
    """With a new token, where a token was refused."""

    def post(self, job):
        response = super().post(job)
        if response.status_code in (401, 403):
            self.authorizations.clear()
            response = super().post(job)
        return response


class TriesOnceMoreAsItWas(Right):
    def post(self, job):
        response = super().post(job)
        return super().post(job) if response.status_code == 413 else response


class Follows(Right):
    """As most HTTP clients do: a POST becomes a GET by 301 and 302, and stays one by 307, 308."""

    follows = True


class FollowsWithItsToken(Follows):
    def __init__(self, ca_file=None):
        super().__init__(ca_file)
        self.session.rebuild_auth = lambda request, response: None


class FollowsForEver(Follows):
    def __init__(self, ca_file=None):
        super().__init__(ca_file)
        self.session.max_redirects = 1000


class NoTtl(Right):
    def ttl(self, job):
        return None


class TtlPlusOne(Right):
    def ttl(self, job):
        return str(job["ttl"] + 1)


class NoZeroTtl(Right):
    def ttl(self, job):
        return str(job["ttl"] or 60)


class LongTtl(Right):
    def ttl(self, job):
        return str(28 * 24 * 3600)


class ShortTtl(Right):
    def ttl(self, job):
        return "60"


class Urgent(Right):
    def urgency(self, job):
        return "urgent"


class NoUrgency(Right):
    def urgency(self, job):
        return None


class AlwaysHigh(Right):
    def urgency(self, job):
        return "high"


class PaddedTopic(Right):
    def topic(self, job):
        return job["topic"] and job["topic"] + "="


class ShortTopic(Right):
    def topic(self, job):
        return job["topic"] and job["topic"][:8]


class NoTopic(Right):
    def topic(self, job):
        return None


class OneTopic(Right):
    def topic(self, job):
        return "news-001"


class WithoutTopics(Right):
    def __call__(self, job):
        return {"unsupported": "topic"} if job.get("topic") else super().__call__(job)


class Nothing(bytes):
    """Of this http_ece writes a record, where it writes none of no octets."""

    def __len__(self):
        return 1


class EncryptsNothing(Right):
    def body(self, job):
        return self.encrypt(self.payload(job) or Nothing(), job)


class EncryptsNull(Right):
    def body(self, job):
        return self.encrypt(self.payload(job) or b"null", job)


class Pads(Right):
    def body(self, job):
        return super().body(job) + b"\0"


class Gzip(Right):
    def coding(self, body):
        return "gzip"


class Draft(Right):
    def __call__(self, job):
        self.now = self.salt(), self.key(job)
        return super().__call__(job)

    def encrypt(self, payload, job):
        keys = job["subscription"]["keys"]
        salt, key = self.now
        return http_ece.encrypt(
            payload,
            salt=salt,
            private_key=key,
            dh=unb64(keys["p256dh"]),
            auth_secret=unb64(keys["auth"]),
            version="aesgcm",
        )

    def headers(self, job, body):
        salt, key = self.now
        numbers = key.public_key().public_numbers()
        point = b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        draft = {"Encryption": f"salt={b64(salt)}", "Crypto-Key": f"dh={b64(point)}"}
        return {**super().headers(job, body), **draft}

    def coding(self, body):
        return "aesgcm"


class DraftFields(Right):
    def headers(self, job, body):
        key = f"p256ecdsa={self.public_key(job)}"
        return {**super().headers(job, body), "Crypto-Key": key}


class TinyRecordSize(Right):
    def body(self, job):
        body = super().body(job)
        return body[:16] + (10).to_bytes(4, "big") + body[20:]


class SeveralRecords(Right):
    def record_size(self, payload):
        return 200


class Corrupts(Right):
    def body(self, job):
        body = super().body(job)
        return body[:-1] + bytes([body[-1] ^ 1])


class SendsPlainText(Right):
    def encrypt(self, payload, job):
        return payload


class FreshTokens(Right):
    def authorization(self, job):
        return self.new_authorization(job)


class LooksAtNoKey(Right):
    """As one whose arithmetic does not notice: http_ece would."""

    def encrypt(self, payload, job):
        keys = {**job["subscription"]["keys"], "p256dh": job["vapid"]["public_key"]}
        return super().encrypt(payload, {**job, "subscription": {"keys": keys}})


class SwallowsErrors(Right):
    def __call__(self, job):
        result = super().__call__(job)
        return {"ok": True} if "error" in result else result


class OneSalt(Right):
    def salt(self):
        return b"0123456789abcdef"


class OneKey(Right):
    always = ec.generate_private_key(ec.SECP256R1())

    def key(self, job):
        return self.always


class Capitals(Right):
    def payload(self, job):
        return super().payload(job).upper()


class Reformats(Right):
    def payload(self, job):
        payload = super().payload(job)
        if payload is None or not payload.startswith(b"{"):
            return payload
        return json.dumps(json.loads(payload), indent=2).encode()


class Ascii(Right):
    def payload(self, job):
        return super().payload(job).decode("ascii", "ignore").encode()


class Strips(Right):
    def payload(self, job):
        return super().payload(job).strip()


class Empties(Right):
    def payload(self, job):
        return b""


class Truncates(Right):
    def payload(self, job):
        return super().payload(job)[:2000]


class PaddedToken(Right):
    def token(self, job):
        return super().token(job) + "=="


class DerSignature(Right):
    def signature(self, signed, job):
        return self.signing_key(job).sign(signed, ec.ECDSA(hashes.SHA256()))


class NoPort(Right):
    def claims(self, job):
        host = urlsplit(job["subscription"]["endpoint"]).hostname
        return {**super().claims(job), "aud": f"https://{host}"}


class OneAudience(Right):
    first = None

    def claims(self, job):
        self.first = self.first or super().claims(job)
        return self.first


class LivesTooLong(Right):
    def claims(self, job):
        return {**super().claims(job), "exp": int(time.time()) + 48 * 3600}


class BareAddress(Right):
    def claims(self, job):
        return {**super().claims(job), "sub": "push@example.com"}


class ManyClaims(Right):
    def claims(self, job):
        return {**super().claims(job), "note": "x" * 3000}


class Anonymous(Right):
    def authorization(self, job):
        return None


class WebPushScheme(Right):
    def authorization(self, job):
        return f"WebPush {self.token(job)}"


class PaddedKey(Right):
    def public_key(self, job):
        return super().public_key(job) + "="


class OtherKey(Right):
    pair = ec.generate_private_key(ec.SECP256R1())

    def signing_key(self, job):
        return self.pair

    def public_key(self, job):
        numbers = self.pair.public_key().public_numbers()
        return b64(b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big"))


class OneKeyForAll(Right):
    def key(self, job):
        return self.signing_key(job)


class LeaksItsKey(Right):
    def headers(self, job, body):
        return {**super().headers(job, body), "X-Debug": f"key={job['vapid']['private_key']}"}


class LeaksItsKeyInTheBody(Right):
    def body(self, job):
        return job["vapid"]["private_key"].encode()


# Several messages, and rare keys


class LosesEveryThird(Right):
    """Says that it was sent."""

    count = 0

    def post(self, job):
        self.count += 1
        return super().post(job) if self.count % 3 else SendsNothing.post(self, job)


class Holds(Right):
    """Keeps each message until there is another one, and sends that in its place."""

    held = None

    def payload(self, job):
        held, self.held = self.held, super().payload(job)
        return held or self.held


class Hurries(Right):
    """Asks for a minute, whatever it is asked for."""

    def ttl(self, job):
        return str(min(job["ttl"], 60))


class KeepsItsOptions(Right):
    """Has one dict of fields for all messages."""

    def __init__(self, ca_file=None):
        super().__init__(ca_file)
        self.kept = {}

    def headers(self, job, body):
        given = super().headers(job, body)
        self.kept |= {name: value for name, value in given.items() if value}
        return self.kept


class KeepsKeysByOrigin(Right):
    def __init__(self, ca_file=None):
        super().__init__(ca_file)
        self.keys = {}

    def encrypt(self, payload, job):
        keys = self.keys.setdefault(origin(job), job["subscription"]["keys"])
        return super().encrypt(payload, {**job, "subscription": {"keys": keys}})


class KeepsTokensByOrigin(Right):
    def __init__(self, ca_file=None):
        super().__init__(ca_file)
        self.tokens = {}

    def authorization(self, job):
        return self.tokens.setdefault(origin(job), self.new_authorization(job))


class KeepsTokensByHost(Right):
    """Does not look at the port."""

    def __init__(self, ca_file=None):
        super().__init__(ca_file)
        self.tokens = {}

    def authorization(self, job):
        host = urlsplit(job["subscription"]["endpoint"]).hostname
        key = (host, job["vapid"]["private_key"])
        return self.tokens.setdefault(key, self.new_authorization(job))


class AsksForReceipts(Right):
    def headers(self, job, body):
        return {**super().headers(job, body), "Prefer": "respond-async"}


class InventsReceipts(AsksForReceipts):
    def headers(self, job, body):
        link = '</receipts/1>; rel="urn:ietf:params:push:receipt"'
        return {**super().headers(job, body), "Link": link}


class DropsZeros(Right):
    """Takes a point for two numbers, and writes them as short as they are."""

    def encrypt(self, payload, job):
        point = unb64(job["subscription"]["keys"]["p256dh"])
        short = b"\4" + point[1:33].lstrip(b"\0") + point[33:].lstrip(b"\0")
        keys = {**job["subscription"]["keys"], "p256dh": b64(short)}
        return super().encrypt(payload, {**job, "subscription": {"keys": keys}})


class StripsTheSecret(Right):
    def encrypt(self, payload, job):
        keys = job["subscription"]["keys"]
        keys = {**keys, "auth": b64(unb64(keys["auth"]).strip(b"\0"))}
        return super().encrypt(payload, {**job, "subscription": {"keys": keys}})


class DropsZerosOfItsKey(Right):
    def public_key(self, job):
        point = unb64(super().public_key(job))
        return b64(b"\4" + point[1:33].lstrip(b"\0") + point[33:].lstrip(b"\0"))


class LosesOneInEight(Right):
    """As one whose numbers are shorter now and then."""

    count = 0

    def body(self, job):
        self.count += 1
        body = super().body(job)
        return body if self.count % 8 else body[:-1] + bytes([body[-1] ^ 1])


class LosesTheLong(Right):
    """As one whose padding does not go so far."""

    longest = 45

    def body(self, job):
        body = super().body(job)
        long = len(self.payload(job)) > self.longest
        return body[:-1] + bytes([body[-1] ^ 1]) if long else body


class RefusesTheLong(LosesTheLong):
    def body(self, job):
        if len(self.payload(job)) > self.longest:
            raise ValueError("the payload is too long")
        return super().body(job)


class SignsBadlyNowAndThen(Right):
    count = 0

    def signature(self, signed, job):
        self.count += 1
        whole = super().signature(signed, job)
        return whole if self.count % 8 else b"\0" + whole[:31] + whole[32:]


def answer(job: dict) -> dict:
    """The right sender as a callable for `--python`; its trust comes from the environment."""
    return Right()(job)
