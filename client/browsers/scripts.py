"""JavaScript that all browsers run, and what comes back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mockpush import errors

_CALL: Final = """(async () => {
  try {
    const value = await (%s)(...%s);
    return JSON.stringify({value: value ?? null});
  } catch (error) {
    return JSON.stringify({thrown: {
      name: String(error?.name ?? 'Error'), message: String(error?.message ?? error)}});
  }
})()"""

_REGISTRATION: Final = """await new Promise((resolve, reject) => {
    if (!navigator.serviceWorker) throw new Error(
      `${location.href} has no service workers: the page has to be of https or of localhost`);
    setTimeout(async () => {
      const known = await navigator.serviceWorker.getRegistration();
      reject(new Error(`no service worker is active for ${location.href} within ${seconds} s: ` + (
        known ? `that of ${known.scope} is ${known.installing ? 'installing' : 'waiting'}`
        : 'the page has registered none')));
    }, seconds * 1000);
    navigator.serviceWorker.ready.then(resolve, reject);
  })"""

SUBSCRIBE: Final = f"""async (key, seconds) => {{
  const {{pushManager}} = {_REGISTRATION};
  const restriction = key === null ? {{}} : {{applicationServerKey: key}};
  return (await pushManager.subscribe({{userVisibleOnly: true, ...restriction}})).toJSON();
}}"""

SUBSCRIPTION: Final = """async () => {
  const registration = await navigator.serviceWorker?.getRegistration();
  return (await registration?.pushManager?.getSubscription())?.toJSON();
}"""

UNSUBSCRIBE: Final = """async () => {
  const registration = await navigator.serviceWorker?.getRegistration();
  const subscription = await registration?.pushManager?.getSubscription();
  return subscription ? subscription.unsubscribe() : false;
}"""

_REJECTIONS: Final[Mapping[str, type[errors.PushManagerError]]] = {
    each.__name__: each for each in errors.PushManagerError.__subclasses__()
}


def calling(function: str, arguments: Sequence[Any]) -> str:
    """An expression whose promise always resolves, to the text that `value` reads."""
    return _CALL % (function, json.dumps(arguments))


def value(text: str) -> Any:
    """What the function has returned; `errors.ScriptError` if it has thrown."""
    answer = json.loads(text)
    if "thrown" in answer:
        raise errors.ScriptError("{name}: {message}".format(**answer["thrown"]))
    return answer["value"]


def push_manager_error(error: errors.ScriptError) -> errors.MockpushError:
    """What `PushManager.subscribe()` has rejected with, by the name that the W3C gives it."""
    name, _, message = str(error).partition(": ")
    kind = _REJECTIONS.get(name)
    return error if kind is None else kind(message)
