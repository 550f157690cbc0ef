"""Checkin and registration over HTTP: what Chromium asks before it connects."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mockpush.errors import KeyFormatError, LimitError, NotFoundError
from mockpush.gateways.exchange import USER_AGENT_NAME, read_body
from mockpush.gateways.gcm_device import Device
from mockpush.gateways.gcm_devices import Devices
from mockpush.protocol.gcm import (
    CHECKIN_TYPE,
    Registration,
    checkin_answer,
    read_authorization,
    read_checkin,
    read_registration,
)
from mockpush.protocol.model import new_token
from mockpush.protocol.protobuf import WireError
from mockpush.protocol.user_agents import Refusal
from mockpush.real_clock import real_time

_WIPES: Final = 401
"""At this Chromium forgets its identity and all push subscriptions, and comes as a new browser."""


async def checkin(request: Request, devices: Devices) -> Response:
    """The identity of the browser: a new one, or that which it shows, unless it is not its own."""
    try:
        shown = read_checkin(await read_body(request))
    except WireError as error:
        return PlainTextResponse(f"this is no checkin: {error}\n", 400)
    name = _name(request)
    device = devices.new(name) if shown is None else devices.find(shown, name)
    if device is None:
        return PlainTextResponse("this is not the security_token of this android_id\n", _WIPES)
    answer = checkin_answer(device.identity, now=real_time())
    return Response(answer, media_type=CHECKIN_TYPE)


async def register(request: Request, devices: Devices) -> Response:
    """A token for an application of the browser, or the end of one."""
    identity = read_authorization(request.headers.get("authorization", ""))
    body = await read_body(request)
    device = identity and devices.find(identity, _name(request))
    if device is None:
        return _refused(Refusal.AUTHENTICATION_FAILED)
    try:
        registration, forget = read_registration(body)
    except ValueError:
        return _refused(Refusal.INVALID_PARAMETERS)
    if forget:
        await devices.unsubscribe(device, registration)
        return _granted(registration.subtype or registration.app)
    reached = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    return await _register(device, registration, devices, reached)


async def _register(
    device: Device, registration: Registration, devices: Devices, reached: str
) -> Response:
    if not registration.is_web_push:
        return _granted(new_token())
    try:
        outcome = await devices.subscribe(device, registration, reached=reached)
    except KeyFormatError:
        return _refused(Refusal.INVALID_SENDER)
    except LimitError:
        return _refused(Refusal.TOO_MANY_REGISTRATIONS)
    return _refused(outcome) if isinstance(outcome, Refusal) else _granted(outcome.token)


def _name(request: Request) -> str | None:
    """The id that the URL gives to the user agent; `NotFoundError` if it cannot be one."""
    name: str | None = request.path_params.get("id")
    if name is not None and not re.fullmatch(USER_AGENT_NAME, name):
        raise NotFoundError("this cannot be the id of a user agent")
    return name


def _granted(token: str) -> Response:
    return PlainTextResponse(f"token={token}")


def _refused(reason: Refusal) -> Response:
    """Not by the status: at another than 200 Chromium tries again."""
    return PlainTextResponse(f"Error={reason}")
