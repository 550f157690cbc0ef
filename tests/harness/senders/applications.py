"""An application that keeps subscriptions, and one subclass for each mistake that they make.

Each is built around a sender of `mistaken`, which makes the single push.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from threading import Timer
from urllib.parse import urlsplit

import requests


def seconds(retry_after: str | None, default: float) -> float:
    """How long Retry-After asks to wait."""
    if retry_after is None:
        return default
    if retry_after.isdecimal():
        return float(retry_after)
    return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())


ALL = ["send", "subscribe", "notify", "subscriptions", "reset"]


class Right:
    """Makes no mistake, and tries nothing again."""

    ops = ALL
    gone = (404, 410)
    """what it forgets a subscription for; 0: there was no answer"""
    unseen = ()
    """what it takes for success although it is none"""
    threads = 8

    def __init__(self, sender) -> None:
        self.sender = sender
        self.kept: list[dict] = []

    def __call__(self, job: dict) -> dict:
        return getattr(self, job["op"])(job)

    def hello(self, job: dict) -> dict:
        return {"name": type(self).__name__, "ops": self.ops, "language": "Python"}

    def send(self, job: dict) -> dict:
        return self.sender(job)

    def subscribe(self, job: dict) -> dict:
        if job["subscription"] not in [each["subscription"] for each in self.kept]:
            self.kept.append({"subscription": job["subscription"], "vapid": job["vapid"]})
        return {"ok": True}

    def subscriptions(self, job: dict) -> dict:
        return {"endpoints": [each["subscription"]["endpoint"] for each in self.kept]}

    def reset(self, job: dict) -> dict:
        self.kept.clear()
        return {"ok": True}

    def notify(self, job: dict) -> dict:
        jobs = [{**job, **each} for each in self.kept]
        for each in jobs:
            self.sender.authorization(each)  # one token for all, before threads need it
        with ThreadPoolExecutor(self.threads) as threads:
            statuses = list(threads.map(self.push, jobs))
        pairs = zip(self.kept, statuses, strict=True)
        self.kept = [each for each, status in pairs if status not in self.gone]
        sent = sum(self.succeeded(status) for status in statuses)
        return {"ok": True, "sent": sent, "failed": len(statuses) - sent}

    def succeeded(self, status: int) -> bool:
        return 200 <= status < 300 or status in self.unseen

    def push(self, job: dict) -> int:
        """The status, 0 if there is none."""
        try:
            return self.answer(self.sender.post(job), job)
        except requests.RequestException:
            return self.unanswered(job)

    def answer(self, response: requests.Response, job: dict) -> int:
        return response.status_code

    def unanswered(self, job: dict) -> int:
        return 0


class TriesAgain(Right):
    """Makes no mistake, and tries again."""

    retries = 5
    pause = 0.3

    def answer(self, response: requests.Response, job: dict) -> int:
        for _ in range(self.retries):
            if response.status_code not in (429, 503):
                break
            time.sleep(self.wait(response))
            response = self.sender.post(job)
        return response.status_code

    def wait(self, response: requests.Response) -> float:
        return seconds(response.headers.get("Retry-After"), self.pause)


class CannotForget(Right):
    """Makes no mistake, but cannot be told to forget."""

    ops = ALL[:-1]


class ReplacesWhatItSendsAgain(Right):
    """Makes no mistake, and sends again what may have arrived, with a topic."""

    def push(self, job: dict) -> int:
        return super().push({**job, "topic": job["topic"] or "news"})

    def unanswered(self, job: dict) -> int:
        return self.sender.post(job).status_code


# Subscriptions


class Keeps404(Right):
    gone = (410,)


class Keeps410(Right):
    gone = (404,)


class HidesWhatItKeeps(Keeps410):
    """Does not list what it goes on to push to."""

    def subscriptions(self, job: dict) -> dict:
        return {"endpoints": []}


class ListsWhatIsGone(Right):
    """Does not push to what is gone, but says that it keeps it."""

    def __init__(self, sender) -> None:
        super().__init__(sender)
        self.listed: list[str] = []

    def subscribe(self, job: dict) -> dict:
        self.listed.append(job["subscription"]["endpoint"])
        return super().subscribe(job)

    def subscriptions(self, job: dict) -> dict:
        return {"endpoints": self.listed}


def prunes_on(status: int) -> type[Right]:
    return type(f"PrunesOn{status}", (Right,), {"gone": (404, 410, status)})


# The fan-out


class OneByOne(Right):
    threads = 1


class RemovesWhileItIterates(Right):
    def notify(self, job: dict) -> dict:
        sent = failed = 0
        for each in self.kept:
            status = self.push({**job, **each})
            sent, failed = (sent + 1, failed) if self.succeeded(status) else (sent, failed + 1)
            if status in self.gone:
                self.kept.remove(each)
        return {"ok": True, "sent": sent, "failed": failed}


class KeepsDuplicates(Right):
    def subscribe(self, job: dict) -> dict:
        self.kept.append({"subscription": job["subscription"], "vapid": job["vapid"]})
        return {"ok": True}


class OneKeyForAll(Right):
    """Signs everything with the newest key."""

    def subscribe(self, job: dict) -> dict:
        for each in self.kept:
            each["vapid"] = job["vapid"]
        return super().subscribe(job)


class OneKeyForAllAndSaysNothing(OneKeyForAll):
    unseen = (403,)


class CountsRefusals(Right):
    unseen = (400,)


class CountsTwice(Right):
    """Counts a subscription that is gone twice."""

    def notify(self, job: dict) -> dict:
        before = len(self.kept)
        told = super().notify(job)
        return {**told, "failed": told["failed"] + before - len(self.kept)}


class ForgetsOnlyWhenItIsTold(Right):
    gone = ()


class ForgetsNothing(ForgetsOnlyWhenItIsTold):
    ops = ALL[:-1]


# Retries


class HidesThrottling(Right):
    unseen = (429,)


class PrunesAllByHost(Right):
    """Forgets all subscriptions of a push service when one of them is gone."""

    def notify(self, job: dict) -> dict:
        before = self.kept
        told = super().notify(job)
        gone = {self.host(each) for each in before if each not in self.kept}
        self.kept = [each for each in self.kept if self.host(each) not in gone]
        return told

    def host(self, kept: dict) -> str | None:
        return urlsplit(kept["subscription"]["endpoint"]).hostname


class StopsAtAFailure(Right):
    """Goes on after 404 and 410, and after nothing else."""

    def notify(self, job: dict) -> dict:
        statuses = []
        for each in self.kept:
            statuses.append(self.push({**job, **each}))
            if not self.succeeded(statuses[-1]) and statuses[-1] not in self.gone:
                break
        failed = len(self.kept) - sum(map(self.succeeded, statuses))
        statuses += [0] * (len(self.kept) - len(statuses))
        pairs = zip(self.kept, statuses, strict=True)
        self.kept = [each for each, status in pairs if status not in self.gone]
        return {"ok": True, "sent": sum(map(self.succeeded, statuses)), "failed": failed}


class OneKeyOfUserAgentsForAll(Right):
    """Encrypts for the first subscription only."""

    def push(self, job: dict) -> int:
        keys = self.kept[0]["subscription"]["keys"]
        return super().push({**job, "subscription": {**job["subscription"], "keys": keys}})


class FirstKeyForAll(Right):
    """Signs everything with the key of its first subscription."""

    def subscribe(self, job: dict) -> dict:
        return super().subscribe({**job, "vapid": (self.kept or [job])[0]["vapid"]})


class SetsItsTtl(Right):
    def push(self, job: dict) -> int:
        return super().push({**job, "ttl": 2419200})


class SetsItsUrgency(Right):
    def push(self, job: dict) -> int:
        return super().push({**job, "urgency": "high"})


class SetsItsTopic(Right):
    def push(self, job: dict) -> int:
        return super().push({**job, "topic": "news"})


class RepeatsWhatIsRefused(Right):
    def answer(self, response: requests.Response, job: dict) -> int:
        return response.status_code if response.ok else self.again(response, job)

    def again(self, response: requests.Response, job: dict) -> int:
        if response.status_code in (400, 401, 403, 413):
            response = self.sender.post(job)
        return response.status_code


class TriesAgainInTheBackground(Right):
    """Has answered when it does, too early."""

    def answer(self, response: requests.Response, job: dict) -> int:
        if "Retry-After" in response.headers:
            Timer(0.1, self.sender.post, [job]).start()
        return response.status_code


class IgnoresRetryAfter(TriesAgain):
    def wait(self, response: requests.Response) -> float:
        return self.pause


class RetriesAtOnce(TriesAgain):
    retries = 1

    def wait(self, response: requests.Response) -> float:
        return seconds(response.headers.get("Retry-After"), 0.0)


class NeverGivesUp(TriesAgain):
    retries = 6


class SendsAgain(Right):
    def unanswered(self, job: dict) -> int:
        return self.sender.post(job).status_code


# What no application should do


class SendsNothing(Right):
    def notify(self, job: dict) -> dict:
        return {"ok": False, "sent": 0, "failed": len(self.kept), "error": "no network"}


class TakesNoSubscriptions(Right):
    def subscribe(self, job: dict) -> dict:
        return {"ok": False, "error": "the database is read-only"}


class CannotCount(Right):
    def notify(self, job: dict) -> dict:
        return {**super().notify(job), "sent": None}


class HasNoTopics(Right):
    def notify(self, job: dict) -> dict:
        return {"unsupported": "topic"}
