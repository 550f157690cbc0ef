"""How unmodified browsers are started so that this is their push service: data and a script.

Preferences of Firefox and flags of Chromium are as measured with Debian's `firefox-esr` and
`chromium`; what only keeps the browser quiet and off the network stands below the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

from mockpush.protocol.user_agents import UserAgentKind

Preference = str | int | bool
ALL_HOSTS: Final = "*"
"""In place of names: the browser may resolve all."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the browser finds the service, and how it knows it.

    `http` and `https` are origins, `control` is the path of the control API, `pin` the
    SHA-256 of the certificate's public key, in base64. `endpoints`: the origin that endpoints get,
    None to leave them as the browser makes them.
    `desktop`: the D-Bus address where it shows notifications. `hosts`: names that the browser may
    resolve, besides localhost.
    """

    user_agent: str
    http: str
    https: str
    pin: str
    control: str
    endpoints: str | None = None
    desktop: str | None = None
    hosts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Launch:
    """Arguments, environment and preferences of a browser, and a script for pages and workers.

    The script is to run before their own; empty if none is needed.
    """

    user_agent: str
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    preferences: Mapping[str, Preference] = field(default_factory=dict)
    init_script: str = ""


def launch(kind: UserAgentKind, place: Place) -> Launch:
    """How a browser of this kind is started."""
    return {UserAgentKind.CHROMIUM: _chromium, UserAgentKind.FIREFOX: _firefox}[kind](place)


def _named(place: Place) -> str:
    return "/ua/" + quote(place.user_agent, safe="")


# Chromium

CHROMIUM_PREFERENCES: Final[Mapping[str, Preference]] = {
    "profile.default_content_setting_values.notifications": 1,
}
"""The permission for notifications, of all sites. One that the DevTools grant ends with the run."""

_CHROMIUM_QUIET: Final = ("--no-first-run", "--no-default-browser-check", "--password-store=basic")

_HINT: Final = (
    " (in incognito, as in contexts that Playwright's newContext() makes, Chromium has no push: "
    "use launchPersistentContext())"
)
_INIT_SCRIPT: Final = """(() => {
  const own = url => url?.replace(
    /^https:\\/\\/(fcm\\.googleapis|jmt17\\.google)\\.com(?=\\/)/, () => ORIGIN);
  const {fetch} = globalThis;  // the page may put another
  const tell = (what, body) => fetch(`${CONTROL}/${what}`, {
    method: 'POST', mode: 'no-cors', keepalive: true, body: JSON.stringify(body)}).catch(() => {});
  const done = Symbol.for('mockpush');
  if (globalThis[done]) return;
  Object.defineProperty(globalThis, done, {value: true});

  const subscription = globalThis.PushSubscription?.prototype;
  if (subscription) {
    const {get} = Object.getOwnPropertyDescriptor(subscription, 'endpoint');
    const {toJSON} = subscription;
    Object.defineProperties(subscription, Object.getOwnPropertyDescriptors({
      get endpoint() { return own(get.call(this)); },
      toJSON() { return {...toJSON.call(this), endpoint: this.endpoint}; },
    }));
  }
  const manager = globalThis.PushManager?.prototype;
  if (manager) {
    const {subscribe} = manager;
    Object.defineProperties(manager, Object.getOwnPropertyDescriptors({
      subscribe(options) {
        return subscribe.call(this, options).catch(async error => {
          if (error.name !== 'AbortError' || !error.message.endsWith('permission denied') ||
              await this.permissionState(options) !== 'granted') throw error;
          throw new DOMException(error.message + HINT, error.name);
        });
      },
    }));
  }
  const badging = (globalThis.Navigator ?? globalThis.WorkerNavigator)?.prototype;
  for (const name of ['setAppBadge', 'clearAppBadge']) {
    const native = badging?.[name];
    if (native) badging[name] = {async [name](...given) {
      const result = await native.apply(this, given);
      const count = given[0] === undefined ? undefined : Math.trunc(given[0]);
      const cleared = name === 'clearAppBadge' || count === 0;
      await tell('badge', cleared ? {} : {count: count ?? 0});
      return result;
    }}[name];
  }
  if ('onpushsubscriptionchange' in globalThis) {
    addEventListener('pushsubscriptionchange', event => tell('subscription-changes', {
      old: event.oldSubscription?.endpoint, new: event.newSubscription?.endpoint}));
  }
})();
"""
"""For pages and workers.

The origin of an endpoint is built into Chromium, only the token is ours: this puts another. The
service is told of badges, which nobody sees on Linux, and of `pushsubscriptionchange` events.
"""


def _chromium(place: Place) -> Launch:
    gcm = f"{place.http}{_named(place)}/gcm"
    mcs = place.https.replace("//localhost", "//127.0.0.1")
    return Launch(
        place.user_agent,
        (
            f"--gcm-checkin-url={gcm}/checkin",
            f"--gcm-registration-url={gcm}/register3",
            f"--gcm-mcs-endpoint={mcs}",
            f"--ignore-certificate-errors-spki-list={place.pin}",
            *_resolver_rules(place),
            *_CHROMIUM_QUIET,
        ),
        {} if place.desktop is None else {"DBUS_SESSION_BUS_ADDRESS": place.desktop},
        CHROMIUM_PREFERENCES,
        _init_script(place),
    )


def _init_script(place: Place) -> str:
    if place.endpoints is None:
        return ""
    control = f"{place.http}{place.control}/user-agents/{quote(place.user_agent, safe='')}"
    values = {"ORIGIN": place.endpoints, "CONTROL": control, "HINT": _HINT}
    return re.sub("|".join(values), lambda name: json.dumps(values[name[0]]), _INIT_SCRIPT)


def _resolver_rules(place: Place) -> tuple[str, ...]:
    """No name but these is resolved, so that nothing of the browser leaves the machine."""
    if ALL_HOSTS in place.hosts:
        return ()
    reached = (urlsplit(each).hostname or "" for each in (place.http, place.https))
    names = dict.fromkeys(("localhost", "*.localhost", "127.0.0.1", *reached, *place.hosts))
    excluded = ", ".join(f"EXCLUDE {each}" for each in names)
    return (f"--host-resolver-rules=MAP * ~NOTFOUND , {excluded}",)


# Firefox

FIREFOX_ENVIRONMENT: Final = {
    "MOZ_CRASHREPORTER_DISABLE": "1",
    "MOZ_REMOTE_SETTINGS_DEVTOOLS": "1",  # without it services.settings.server has no effect
}
FIREFOX_PREFERENCES: Final[Mapping[str, Preference]] = {
    "dom.push.testing.allowInsecureServerURL": True,
    "dom.push.connection.enabled": True,  # WebDriver's drivers turn it off
    "permissions.default.desktop-notification": 1,
    "alerts.useSystemBackend": False,  # with it showNotification() fails in headless
    "dom.push.maxQuotaPerSubscription": 1_000_000,
    "dom.push.retryBaseInterval": 200,
    "dom.push.requestTimeout": 3000,
    "network.proxy.type": 0,
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.activity-stream.feeds.topsites": False,
    "browser.preonboarding.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.topsites.contile.enabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "geo.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "startup.homepage_welcome_url": "about:blank",
    "termsofuse.bypassNotification": True,
    "toolkit.telemetry.server": "",
}


def _firefox(place: Place) -> Launch:
    url = place.http.replace("http", "ws", 1) + _named(place)
    preferences = {"dom.push.serverURL": url, **FIREFOX_PREFERENCES}
    return Launch(place.user_agent, env=FIREFOX_ENVIRONMENT, preferences=preferences)
