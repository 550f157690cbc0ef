"""The servers that `accept.py` measures, each in a process of its own.

Prints one line of JSON when it is ready: the port, and what is needed to push to it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys

import uvicorn
from starlette.types import Receive, Scope, Send

from mockpush.event_loop import run
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import SubscriptionKeys, base64url_encode
from mockpush.server import Server
from mockpush.service import InspectionMode, PushService, ServiceOptions

AUTH = bytes(16)


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """The least that a push service does: reads the body and answers 201."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send(
        {"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"0")]}
    )
    await send({"type": "http.response.body", "body": b""})


def run_bare() -> None:
    """Stock uvicorn, with the options that ours has."""
    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(bare, access_log=False, log_level="warning", lifespan="off")
    print(json.dumps({"port": sock.getsockname()[1]}), flush=True)
    uvicorn.Server(config).run(sockets=[sock])


async def run_mockpush(mode: InspectionMode) -> None:
    """The real server with one managed, restricted subscription."""
    service = PushService(ServiceOptions(inspection=mode))
    async with Server(service) as server:
        private_key, p256dh = generate_key_pair()
        vapid_private, vapid_public = generate_key_pair()
        subscription = await service.subscribe(
            application_server_key=vapid_public, keys=SubscriptionKeys(p256dh, AUTH, private_key)
        )
        ready = {
            "port": int(server.url.rpartition(":")[2]),
            "endpoint": subscription.endpoint,
            "p256dh": base64url_encode(p256dh),
            "auth": base64url_encode(AUTH),
            "private_key": base64url_encode(private_key),
            "vapid_private": base64url_encode(vapid_private),
        }
        print(json.dumps(ready), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    if sys.argv[1] == "bare":
        run_bare()
    else:
        run(run_mockpush(InspectionMode(sys.argv[1])))
