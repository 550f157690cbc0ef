"""More mistakes: about who answers, where it goes, what is remembered, and what must stay."""

import base64
import os
import re
import socket
import ssl
import time
from http.client import HTTPException, HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from itertools import count
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec
from mistaken import Right, b64, unb64
from requests.adapters import HTTPAdapter
from urllib3._collections import HTTPHeaderDict


class LooksAtNoCertificate(Right):
    def __init__(self, ca_file=None):
        super().__init__(ca_file)
        self.session.verify = False

    def post(self, job):
        urllib3.disable_warnings()
        return super().post(job)


class GoesWithoutTls(Right):
    """Where it does not come through with it."""

    def post(self, job):
        try:
            return super().post(job)
        except requests.exceptions.SSLError:
            endpoint = job["subscription"]["endpoint"].replace("https:", "http:")
            return self.session.post(endpoint, self.body(job), timeout=self.patience)


class LooksAtNoHostName(Right):
    def __init__(self, ca_file=None):
        super().__init__(ca_file)
        self.session.mount("https://", _AnyHost())


class _AnyHost(HTTPAdapter):
    def cert_verify(self, conn, url, verify, cert):
        super().cert_verify(conn, url, verify, cert)
        conn.assert_hostname = False


class SaysItTwice(Right):
    """Adds a field where it has been set before."""

    def __init__(self, ca_file=None):
        super().__init__(ca_file)
        self.session.auth = self.doubled

    def doubled(self, request):
        lines = [*request.headers.items(), *[("Content-Type", "application/octet-stream")] * 2]
        request.headers = HTTPHeaderDict(lines)
        return request


class WritesFieldsItself(Right):
    """And does not look at what it writes."""

    def post(self, job):
        body, endpoint = self.body(job), urlsplit(job["subscription"]["endpoint"])
        target = endpoint._replace(scheme="", netloc="").geturl()
        fields = {**self.headers(job, body), "Content-Length": str(len(body))}
        lines = [f"{name}: {value}" for name, value in fields.items() if value]
        head = [f"POST {target} HTTP/1.1", f"Host: {endpoint.netloc}", "Connection: close", *lines]
        octets = "\r\n".join([*head, "", ""]).encode() + body
        try:
            return self.exchange(endpoint.hostname, endpoint.port, octets)
        except (OSError, HTTPException) as error:
            raise requests.ConnectionError(str(error)) from error

    def exchange(self, host, port, octets):
        context = ssl.create_default_context(cafile=self.session.verify)
        with (
            socket.create_connection((host, port), timeout=self.patience) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            connection.sendall(octets)
            with HTTPResponse(connection) as answer:
                answer.begin()
                response = requests.Response()
                response.status_code, response._content = answer.status, answer.read()
                return response


class OtherHost(Right):
    def headers(self, job, body):
        return {**super().headers(job, body), "Host": "localhost"}


class _OtherEndpoint(Right):
    def post(self, job):
        subscription = job["subscription"]
        endpoint = self.endpoint(subscription["endpoint"])
        return super().post({**job, "subscription": {**subscription, "endpoint": endpoint}})


class DropsTheQuery(_OtherEndpoint):
    def endpoint(self, given):
        return given.partition("?")[0]


class Decodes(_OtherEndpoint):
    def endpoint(self, given):
        return unquote(given)


class AudienceWithPath(Right):
    def claims(self, job):
        endpoint = job["subscription"]["endpoint"]
        return {**super().claims(job), "aud": endpoint.split("/push/")[0]}


class RecordsOf4096(Right):
    def record_size(self, payload):
        return self.rs


class CutsOff(Right):
    def payload(self, job):
        return (super().payload(job) or b"")[:3993]


class SkipsWhatIsLong(Right):
    def __call__(self, job):
        long = len(job.get("payload") or "") > 4 * 3993 / 3
        return {"ok": True} if long else super().__call__(job)


class KeepsTheUrgency(Right):
    last = None

    def urgency(self, job):
        self.last = job["urgency"] or self.last
        return self.last


class KeepsTheTtl(Right):
    last = 0

    def ttl(self, job):
        self.last = self.last or job["ttl"]
        return str(self.last)


class KeepsThePayload(Right):
    last = None

    def payload(self, job):
        given = super().payload(job)
        self.last = self.last if given is None else given
        return self.last


class OtherAlphabet(Right):
    """That of standard base64."""

    def claims(self, job):
        return {**super().claims(job), "note": "?????"}

    def token(self, job):
        header, claims, _ = super().token(job).split(".")
        signed = f"{header}.{claims}".replace("-", "+").replace("_", "/")
        signature = base64.b64encode(self.signature(signed.encode(), job)).decode()
        return f"{signed}.{signature.rstrip('=')}"


class OwnContact(Right):
    def claims(self, job):
        return {**super().claims(job), "sub": "mailto:author@example.org"}


class FourWeeks(Right):
    def ttl(self, job):
        return str(min(job["ttl"], 28 * 24 * 3600))


class CutsTopics(Right):
    def topic(self, job):
        return job["topic"] and job["topic"][:32]


class CleansTopics(Right):
    def topic(self, job):
        return job["topic"] and re.sub(r"[^\w-]", "", job["topic"])[:32]


class FillsTopics(Right):
    """For Apple's sake."""

    def topic(self, job):
        topic = job["topic"]
        return topic and topic + "_" * (len(topic) % 4 == 1)


class ReplacesOnce(Right):
    """As JavaScript's `replace` with a string does."""

    def encrypt(self, payload, job):
        keys = {
            name: b64(base64.b64decode(f"{text.replace('-', '+', 1).replace('_', '/', 1)}=="))
            for name, text in job["subscription"]["keys"].items()
        }
        return super().encrypt(payload, {**job, "subscription": {"keys": keys}})


class OnlyBase64url(Right):
    def encrypt(self, payload, job):
        if any("=" in text for text in job["subscription"]["keys"].values()):
            raise ValueError("this is not base64url")
        return super().encrypt(payload, job)


class KnowsAllMembers(Right):
    def post(self, job):
        if job["subscription"].keys() != {"endpoint", "expirationTime", "keys"}:
            raise ValueError("what is this?")
        return super().post(job)


class SkipsWhatIsOver(Right):
    def __call__(self, job):
        ends = job.get("subscription", {}).get("expirationTime")
        return {"ok": True} if ends and ends / 1000 < time.time() else super().__call__(job)


class CorruptsTheTenth(Right):
    sent = 0

    def body(self, job):
        body = super().body(job)
        self.sent += 1
        return body if self.sent % 10 else body[:-1] + bytes([body[-1] ^ 1])


class KeepsSaltsForAWhile(Right):
    salts = ()

    def salt(self):
        if not self.salts:
            self.salts = [os.urandom(16)] * 2 + [os.urandom(16) for _ in range(5)]
        return self.salts.pop()


class CountsSalts(Right):
    numbers = count(1)

    def salt(self):
        return next(self.numbers).to_bytes(16, "big")


class FewKeys(Right):
    """It makes some in advance, and takes them in turn."""

    def __init__(self, ca_file=None):
        super().__init__(ca_file)
        self.keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(20)]
        self.numbers = count()

    def key(self, job):
        return self.keys[next(self.numbers) % len(self.keys)]


class HurriesWhatIsNowOrNever(Right):
    def urgency(self, job):
        return super().urgency(job) if job["ttl"] else "high"


class StripsMark(Right):
    def payload(self, job):
        return (super().payload(job) or b"").removeprefix(b"\xef\xbb\xbf")


class StripsNul(Right):
    def payload(self, job):
        return (super().payload(job) or b"").rstrip(b"\0")


class SendsNoZero(Right):
    """What is false is nothing."""

    def payload(self, job):
        payload = super().payload(job)
        return None if payload == b"0" else payload


class LeaksItsKeyInTheToken(Right):
    def claims(self, job):
        return {**super().claims(job), "key": unb64(job["vapid"]["private_key"]).hex().upper()}


class LeaksTheAuthSecret(Right):
    def headers(self, job, body):
        auth = unb64(job["subscription"]["keys"]["auth"])
        return {**super().headers(job, body), "X-Auth": base64.b64encode(auth).decode()}


class LeaksThePayload(Right):
    def headers(self, job, body):
        return {**super().headers(job, body), "X-Preview": job["payload"] and job["payload"][:100]}


class KeepsCookies(Right):
    def __init__(self, ca_file=None):
        super().__init__(ca_file)
        self.session.cookies.set_policy(DefaultCookiePolicy())


# What is unusual and right


class LeastRecordSize(Right):
    def record_size(self, payload):
        return len(payload) + 18


class Chunks(Right):
    """Sends the body in pieces (RFC 9112, Section 7.1)."""

    def body(self, job):
        body = super().body(job)
        return iter((body[:50], body[50:])) if body else b""


class Expects(Right):
    """Asks first whether it may send the body (RFC 9110, Section 10.1.1)."""

    def headers(self, job, body):
        return {**super().headers(job, body), "Expect": "100-continue" if body else None}


class Quotes(Right):
    """Parameters may be in quotes, in any order (RFC 9110, Section 11.2)."""

    def new_authorization(self, job):
        return f'VAPID k="{self.public_key(job)}",t="{self.token(job)}"'


class SaysMore(Right):
    def claims(self, job):
        now = int(time.time())
        return {**super().claims(job), "iat": now, "nbf": now - 60, "jti": str(now)}

    def headers(self, job, body):
        return {**super().headers(job, body), "Content-Type": "application/json", "X-Id": "7"}


class RefusesAllThatIsOdd(Right):
    def post(self, job):
        topic, ends = job["topic"], job["subscription"].get("expirationTime")
        odd = (
            topic and (len(topic) % 4 == 1 or not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", topic)),
            job["ttl"] > 28 * 24 * 3600,
            len(self.payload(job) or b"") > 3993,
            ends and ends / 1000 < time.time(),
        )
        if any(odd):
            raise ValueError("this is odd")
        return super().post(job)
