"""The least that a push service does, under stock uvicorn: reads the body and answers 201.

Prints its port as a line of JSON when it is ready.
"""

from __future__ import annotations

import json
import socket

import uvicorn
from starlette.types import Receive, Scope, Send


async def bare(_: Scope, receive: Receive, send: Send) -> None:
    """An ASGI application."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(bare, access_log=False, log_level="warning", lifespan="off")
    print(json.dumps({"http": f"http://127.0.0.1:{sock.getsockname()[1]}"}), flush=True)
    uvicorn.Server(config).run(sockets=[sock])
