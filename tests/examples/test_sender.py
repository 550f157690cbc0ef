import base64

import pytest
from pywebpush import WebPushException, webpush

LONGEST = 3993  # octets that fit into one record at every push service


class Sender:
    """How the application pushes, behind the jobs of the judge."""

    def __call__(self, job):
        return getattr(self, job["op"])(job)

    def hello(self, job):
        return {"name": "shop", "ops": ["send"]}

    def send(self, job):
        payload = base64.b64decode(job["payload"] or "")
        if len(payload) > LONGEST:
            return {"ok": False, "error": f"{len(payload)} octets are too many"}
        asked = {"Urgency": job["urgency"], "Topic": job["topic"]}
        try:
            answer = webpush(
                job["subscription"],
                payload,
                vapid_private_key=job["vapid"]["private_key"],
                vapid_claims={"sub": job["vapid"]["subject"]},
                ttl=job["ttl"],
                headers={name: value for name, value in asked.items() if value},
                timeout=5,
            )
        except WebPushException as error:
            return {"ok": False, "status": error.status_code, "error": str(error)}
        return {"ok": True, "status": answer.status_code}


@pytest.fixture(scope="session")
def push_sender():
    return Sender()


@pytest.mark.mockpush(cases=["rfc8030/5.*", "rfc8291/*", "rfc8292/*"])
def test_sender(push_case):
    push_case.check()
