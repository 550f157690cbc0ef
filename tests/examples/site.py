"""A site that tells its visitors when an order has been shipped."""

import json
import os

from pywebpush import webpush
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

PAGE = """<!doctype html>
<title>Shop</title>
<button onclick="subscribe()">Keep me informed</button>
<button onclick="fetch('/ship', {method: 'POST'})">Ship</button>
<output></output>
<script>
async function subscribe() {
  await navigator.serviceWorker.register('/worker.js');
  const registration = await navigator.serviceWorker.ready;
  const options = {userVisibleOnly: true, applicationServerKey: 'VAPID_PUBLIC_KEY'};
  const subscription = await registration.pushManager.subscribe(options);
  await fetch('/subscriptions', {method: 'POST', body: JSON.stringify(subscription)});
  document.querySelector('output').value = 'We will.';
}
</script>
"""
WORKER = """
self.addEventListener('push', event => {
  const actions = [{action: 'track', title: 'Track it'}];
  event.waitUntil(self.registration.showNotification(event.data.json().title, {actions}));
});
self.addEventListener('notificationclick', event => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow('/orders?' + (event.action || 'all')));
});
"""
subscribers = []


async def page(request: Request) -> Response:
    return HTMLResponse(PAGE.replace("VAPID_PUBLIC_KEY", os.environ["VAPID_PUBLIC_KEY"]))


async def worker(request: Request) -> Response:
    return Response(WORKER, media_type="text/javascript")


async def subscribe(request: Request) -> Response:
    subscribers.append(await request.json())
    return Response(status_code=201)


async def ship(request: Request) -> Response:
    for subscriber in subscribers:
        await run_in_threadpool(
            webpush,
            subscriber,
            json.dumps({"title": "Your order is on its way"}),
            ttl=3600,
            vapid_private_key=os.environ["VAPID_PRIVATE_KEY"],
            vapid_claims={"sub": "mailto:shop@example.com"},
        )
    return Response(status_code=204)


site = Starlette(
    routes=[
        Route("/", page),
        Route("/orders", page),
        Route("/worker.js", worker),
        Route("/subscriptions", subscribe, methods=["POST"]),
        Route("/ship", ship, methods=["POST"]),
    ]
)
