"""The demo from end to end, in real browsers: its page, its worker, its application server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mockpush.client import browsers
from mockpush.client.browsers.browser import Browser
from mockpush.client.control import Control
from mockpush.client.demo.running import new_server
from mockpush.client.transports.http import HttpTransport
from mockpush.protocol.model import MessageState
from mockpush.settings import Settings

pytestmark = pytest.mark.needs_browsers

PATIENCE = 30.0


class Demo:
    """The running demo, and a browser that has its page open."""

    def __init__(self, control: Control, browser: Browser) -> None:
        self.control = control
        self.browser = browser
        self.page = control.transport.url.replace("127.0.0.1", "localhost") + "/"

    def open(self) -> None:
        self.browser.open(self.page)
        self.until("document.body?.dataset.ready")

    def until(self, condition: str) -> None:
        """Returns when a JavaScript expression is true in the page; it is asked in the page."""
        function = f"""async () => {{
          const end = Date.now() + {PATIENCE * 1000};
          while (!({condition})) {{
            if (Date.now() > end) return document.body.innerText;
            await new Promise(requestAnimationFrame);
          }}
          return null;
        }}"""
        seen = self.browser.call(function)
        assert seen is None, f"never {condition}; the page: {seen}"

    def press(self, button: str) -> None:
        self.browser.call("id => document.getElementById(id).click()", button)

    def subscribe(self) -> None:
        self.press("subscribe")
        self.until("document.getElementById('state').textContent === 'active'")

    def send(self, **members: str) -> None:
        """Fills in the form and sends it; returns when the page has the outcome."""
        self.browser.call(
            """async members => {
              const form = document.getElementById('form');
              for (const name in members) form.elements[name].value = members[name];
              const button = form.querySelector('button');
              form.requestSubmit(button);
              while (button.disabled) await new Promise(resolve => setTimeout(resolve, 10));
            }""",
            members,
        )

    def push(self, **members: object) -> list[str]:
        """Pushes without the page; what became of it at each subscription."""
        push = {"id": "without-page", "title": "A push", "ttl": 86400, **members}
        answer = httpx.post(f"{self.control.transport.url}/api/push", json=push)
        return [each["fate"] for each in answer.raise_for_status().json()["items"]]

    def kept(self) -> int:
        """How many subscriptions the application server has."""
        answer = httpx.get(f"{self.control.transport.url}/api/subscriptions")
        return len(answer.raise_for_status().json()["items"])

    def shows(self, identifier: str, text: str) -> None:
        """Waits until an element of the page has this text."""
        self.until(f"document.getElementById({identifier!r}).textContent === {text!r}")

    def reached(self, step: str) -> None:
        """Waits until the newest push in the log has come so far."""
        steps = "document.querySelector('.push').querySelectorAll('.done')"
        self.until(f"[...{steps}].some(each => each.textContent === {step!r})")


@pytest.fixture
def control() -> Iterator[Control]:
    server = new_server(Settings(port=0, https_port=0), kept="kept.json")
    with server.running(), HttpTransport(server.url) as transport:
        yield Control(transport)


@pytest.fixture
def picture(request):
    """Keeps a picture of the page in the directory of `--pictures`, if there is one."""
    directory = request.config.getoption("--pictures")

    def picture(demo: Demo) -> None:
        if directory is not None:
            demo.until("!document.getAnimations().length && !document.querySelector('.moving')")
            demo.browser.call(
                """() => {
                  document.documentElement.style.scrollbarWidth = 'none';
                  scrollTo(0, innerWidth < 1000 ? 205 : 0);
                }"""
            )
            file = Path(directory) / f"demo-{demo.browser.kind}.png"
            file.write_bytes(demo.browser.screenshot())

    return picture


@pytest.fixture(params=["Firefox", "Chromium"])
def demo(control, request) -> Iterator[Demo]:
    """A demo of its own, and a browser that nobody has used before."""
    with getattr(browsers, request.param)(control) as browser:
        demo = Demo(control, browser)
        demo.open()
        browser.permission = "granted"
        yield demo


def test_from_the_subscription_to_its_end(demo):
    browser, control = demo.browser, demo.control
    demo.subscribe()
    assert demo.kept() == 1

    # a push with everything
    demo.send(title="Your order is on its way", topic="orders", urgency="high")
    (notification,) = browser.wait_notifications()
    message = control.wait()
    assert (message.topic, message.urgency, message.ttl) == ("orders", "high", 3600)
    assert (notification.title, notification.message) == ("Your order is on its way", message.id)
    assert [each["title"] for each in notification.actions] == ["Open", "Mark as read"]
    pushed = json.loads(browser.received[0].text())
    assert pushed["topic"] == "orders"
    demo.reached("shown")
    demo.shows("unread", "1 unread")
    assert browser.badge == (1 if browser.kind == "chromium" else None)

    # a click opens the page, and the notification counts as read
    browser.open("about:blank")
    browser.click(notification)
    browser.wait_page(f"{demo.page}?message={pushed['id']}")
    demo.until("document.body?.dataset.ready && document.getElementById('unread').hidden")
    events = [each["event"] for each in control.message(message.id).timeline]
    assert events.index("notification_shown") < events.index("notification_clicked")

    # the browser is closed, a night passes, and of each topic there is one notification
    browser.stop()
    assert demo.push(title="1 new message", topic="inbox") == ["accepted"]
    assert demo.push(title="2 new messages", topic="inbox") == ["accepted"]
    assert demo.push(title="too late", ttl=3600) == ["accepted"]
    control.clock.advance("8h")
    browser.start()
    (notification,) = browser.wait_notifications()
    assert notification.title == "2 new messages"
    assert [message.state for message in control.messages[1:]] == [
        MessageState.REPLACED,
        MessageState.ACKNOWLEDGED,
        MessageState.EXPIRED,
    ]

    # the user takes the permission back, and the application server forgets the subscription
    demo.open()
    browser.permission = "denied"
    assert demo.push() == ["gone"]
    assert [each.status for each in control.refused] == [410]
    assert demo.kept() == 0


def test_a_click_leads_to_the_page_that_is_open_and_a_button_nowhere(demo):
    browser = demo.browser
    demo.subscribe()
    for button in ("Mark as read", "Open", None):
        demo.send()
        demo.reached("shown")  # the one before may still be closing
        demo.shows("unread", "1 unread")
        browser.click(browser.wait_notifications()[-1], button)
        demo.until("document.getElementById('unread').hidden")
        demo.reached("clicked")
        assert browser.pages == [demo.page]


def test_what_the_buttons_of_the_page_do(demo, picture):
    """Offline and online, the clock, and an end that the browser does not hear of."""
    browser, control = demo.browser, demo.control
    demo.subscribe()
    demo.press("presence-switch")
    demo.shows("presence", "offline")
    demo.send(title="1 new message", topic="inbox")
    demo.send(title="2 new messages", topic="inbox")
    assert browser.notifications == []
    demo.press("presence-switch")
    assert [each.title for each in browser.wait_notifications()] == ["2 new messages"]
    demo.shows("unread", "1 unread")
    picture(demo)

    demo.press("advance")
    demo.shows("clock", "clock: 8 h ahead")
    demo.press("expire")
    demo.shows("state", "expired")
    demo.send()
    demo.shows("kept", "0 subscriptions")
    assert [each.status for each in control.refused] == [410]
    demo.press("subscribe")
    demo.shows("state", "active")
    demo.shows("kept", "1 subscription")


def test_a_subscription_that_firefox_renews_takes_the_place_of_the_old_one(demo):
    """By `pushsubscriptionchange`, which Chromium does not fire, so that it has no such button."""
    demo.subscribe()
    before = demo.browser.call("() => document.getElementById('endpoint').textContent")
    if demo.browser.kind == "chromium":
        demo.until("document.getElementById('forget').hidden")
        return
    demo.press("forget")
    demo.until(f"document.getElementById('endpoint').textContent.replace({before!r}, '') !== ''")
    demo.shows("state", "active")
    assert demo.kept() == 1
    assert demo.push() == ["accepted"]
    assert len(demo.browser.subscription_changes) == 1


ODD = [
    "null",
    "[]",
    "7",
    '"text"',
    '{"title": {}, "body": null}',
    '{"actions": 7}',
    '{"actions": [1]}',
]


def test_whatever_is_pushed_is_shown(demo):
    """Browsers blame a page whose worker shows nothing."""
    demo.subscribe()
    show = "text => show(read({json: () => JSON.parse(text), text: () => text})).then(() => null)"
    for count, payload in enumerate(ODD, 1):
        demo.browser.call_worker(show, payload)
        assert len(demo.browser.wait_notifications(count)) == count


def test_who_uses_the_keyboard_stays_where_the_button_was(demo):
    focused = "document.activeElement.id"
    demo.until("document.getElementById('subscribe').focus() ?? true")
    demo.subscribe()
    demo.until(f"{focused} === 'unsubscribe'")
    demo.press("unsubscribe")
    demo.until(f"{focused} === 'subscribe'")
    demo.browser.permission = "denied"
    demo.press("subscribe")
    demo.until("document.querySelector('#h-subscribe ~ #hint:not([hidden])') !== null")
    demo.send()
    demo.until("document.querySelector('#h-push ~ #hint:not([hidden])') !== null")


def test_the_page_comes_back_with_the_push_service():
    """In Firefox: a Chromium ends with the desktop on which it shows notifications."""
    first = new_server(Settings(port=0, https_port=0), kept="kept.json")
    with first.running(), HttpTransport(first.url) as transport:
        ports = [int(url.rpartition(":")[2]) for url in (first.url, first.https_url)]
        browser = browsers.Firefox(Control(transport))
        demo = Demo(Control(transport), browser)
        browser.start()
        demo.open()
        demo.press("emulate")
        demo.shows("state", "active")
    try:
        demo.shows("link", "push service away")
        second = new_server(Settings(port=ports[0], https_port=ports[1]), kept="kept.json")
        with second.running():
            demo.shows("link", "live")
            demo.shows("state", "unknown to the push service")
    finally:
        browser.close()
