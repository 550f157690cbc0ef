"""An application that keeps subscriptions, and takes the jobs of `mockpush check --app`."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests
from pywebpush import WebPushException, webpush

GONE = (404, 410)
kept = {}  # the job that brought each subscription, by its endpoint
session = requests.Session()
session.trust_env = False  # or variables of the environment say whom to trust, not `hello`


def hello(job):
    session.verify = job["ca_file"]
    return {"name": "example", "ops": ["subscribe", "notify", "subscriptions", "reset"]}


def subscribe(job):
    kept[job["subscription"]["endpoint"]] = job
    return {"ok": True}


def subscriptions(job):
    return {"endpoints": list(kept)}


def reset(job):
    kept.clear()
    return {"ok": True}


def notify(job):
    endpoints = list(kept)
    with ThreadPoolExecutor(10) as threads:
        statuses = list(threads.map(lambda endpoint: push(kept[endpoint], job), endpoints))
    for endpoint, status in zip(endpoints, statuses, strict=True):
        if status in GONE:
            del kept[endpoint]
    sent = statuses.count(201)
    return {"ok": True, "sent": sent, "failed": len(statuses) - sent}


def push(subscriber, job):
    """The status, None if there is none."""
    try:
        return webpush(
            subscriber["subscription"],
            base64.b64decode(job["payload"] or ""),
            vapid_private_key=subscriber["vapid"]["private_key"],
            vapid_claims={"sub": subscriber["vapid"]["subject"]},
            ttl=job["ttl"],
            headers={name: job[name.lower()] for name in ("Urgency", "Topic") if job[name.lower()]},
            timeout=5,
            requests_session=session,
        ).status_code
    except WebPushException as error:
        return error.status_code
    except requests.RequestException:
        return None


OPERATIONS = {each.__name__: each for each in (hello, subscribe, subscriptions, reset, notify)}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps(OPERATIONS[job["op"]](job)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}/push", flush=True)
    server.serve_forever()
