// What the push service saw: one entry for each push, with its steps, and one line for all else.
import { control } from './service.js';

const MOST = 60;
const QUIET = 50; // milliseconds
const STEPS = {
  accepted: 'accepted', delivered: 'delivered', acknowledged: 'acknowledged',
  decrypted: 'decrypted', shown: 'shown', clicked: 'clicked',
};
const OF_BROWSER = ['decrypted', 'shown', 'clicked'];
const MESSAGE = {
  'message.accepted': 'accepted', 'message.delivered': 'delivered', 'message.acknowledged': 'acknowledged',
  'message.decrypted': 'decrypted', 'message.notification_shown': 'shown', 'message.notification_clicked': 'clicked',
};
const ENDS = {
  'message.expired': 'expired: its TTL is over', 'message.replaced': 'replaced: a newer push has this topic',
  'message.dropped': 'dropped', 'message.cancelled': 'cancelled',
  'message.released': 'the browser went away before it acknowledged', 'message.not_decrypted': 'could not be decrypted',
  'message.rejected': 'the worker’s push handler failed', 'message.notification_closed': 'the notification was closed',
};
const LINES = {
  'subscription.created': 'A browser has subscribed', 'subscription.expired': 'A subscription has expired: pushes to it are answered 410',
  'subscription.removed': 'A browser has unsubscribed: pushes to it are answered 410', 'subscription.online': 'The browser is online: what waited is delivered',
  'subscription.offline': 'The browser is offline: messages wait', 'clock.advanced': 'The clock was put forward',
  'clock.frozen': 'The clock was stopped', 'clock.resumed': 'The clock runs again',
  'fault.injected': 'A fault struck', 'tenant.reset': 'Everything was forgotten',
};
const VENDORS = { apple: 'Apple', fcm: 'Google', mozilla: 'Mozilla', wns: 'Microsoft' };
export const KINDS = [...Object.keys(MESSAGE), ...Object.keys(ENDS), ...Object.keys(LINES), 'request'];

const entries = new Map(); // by id of the message
const titles = new Map(); // id of the notification -> id of the message
const list = document.querySelector('#log');
let offset = 0; // seconds by which the service's clock is ahead

export function setOffset(seconds) {
  offset = seconds;
}

const now = () => new Date(Date.now() + offset * 1000).toISOString();

function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

function add(at, className, ...children) {
  const time = element('time', { dateTime: at }, new Date(at).toLocaleTimeString([], { hour12: false }));
  const item = element('li', { className }, time, ...children);
  list.prepend(item);
  while (list.children.length > MOST) {
    entries.delete(list.lastChild.dataset.message);
    list.lastChild.remove();
  }
  return item;
}

export function line(text, { at = now(), tone = '' } = {}) {
  add(at, `line ${tone}`, element('p', {}, text));
}

function entry(id, at) {
  if (!entries.has(id)) entries.set(id, made(id, at));
  return entries.get(id);
}

function made(id, at) {
  const steps = Object.fromEntries(Object.keys(STEPS).map((each) => [each, step(each)]));
  const parts = {
    title: element('strong', {}, sessionStorage.getItem(id) ?? 'A push'), facts: element('p', { className: 'facts' }),
    note: element('p', { className: 'note' }), steps,
  };
  parts.item = add(at, 'push', parts.title, parts.facts,
    element('ol', { className: 'steps' }, ...Object.values(steps)), parts.note);
  parts.item.dataset.message = id;
  describeSoon(id, parts);
  return parts;
}

// Who cannot see the steps hears of those that were reached.
function step(name) {
  return element('li', { className: OF_BROWSER.includes(name) ? 'browser' : '', ariaHidden: 'true' }, STEPS[name]);
}

function reach(parts, name) {
  parts.steps[name].classList.add('done');
  parts.steps[name].ariaHidden = null;
}

// When no more come: a page that is loaded late gets thousands, and shows the newest.
const undescribed = new Map();
let timer;

function describeSoon(id, parts) {
  undescribed.set(id, parts);
  clearTimeout(timer);
  timer = setTimeout(() => {
    for (const each of undescribed) if (each[1].item.isConnected) describe(...each);
    undescribed.clear();
  }, QUIET);
}

function span(seconds) {
  const [size, unit] = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']].find(([each]) => seconds >= each && seconds % each === 0) ?? [1, 's'];
  return `${seconds / size} ${unit}`;
}

async function describe(id, parts) {
  const message = await control('GET', `/messages/${encodeURIComponent(id)}`).catch(() => null);
  if (!message) return;
  const { topic, urgency, ttl, size, content_encoding: coding, payload, decryption } = message;
  parts.facts.append(...[
    topic && `topic ${topic}`, `urgency ${urgency ?? 'normal'}`, `TTL ${span(ttl)}`, `${size} octets`, coding,
  ].filter(Boolean).map((each) => element('span', {}, each)));
  if (decryption === 'ok') { // the push service has the keys, as it plays the browser
    parts.readable = true;
    if (message.state === 'acknowledged') reach(parts, 'decrypted');
    parts.title.textContent = payload.json?.title ?? payload.text ?? 'A push';
  }
  const objections = Object.entries(message.objections).filter(([, all]) => all.length);
  if (objections.length) {
    parts.item.append(element('details', { className: 'note' },
      element('summary', {}, `Would be refused by ${objections.map(objection).join(', ')}`),
      ...objections.map(([, [{ finding }]]) => element('p', {}, finding.hint))));
  }
}

function objection([name, [{ status, reason }]]) {
  return `${VENDORS[name] ?? name} (${[status, reason].filter(Boolean).join(' ')})`;
}

function note(parts, text) {
  parts.note.textContent = [parts.note.textContent, text].filter(Boolean).join(' · ');
}

async function refused({ at, request, detail }) {
  const text = element('p', {}, `Refused with ${detail}`);
  add(at, 'line bad', text);
  const { answers, profile, findings } = await control('GET', `/requests/${request}`).catch(() => ({ answers: {}, findings: [] }));
  const code = answers[profile]?.codes[0];
  const hint = findings.find((each) => each.code === code)?.hint ?? '';
  text.append(code ? ` (${code}). ${hint}` : '');
}

export function follow(event) {
  const { kind, at, message } = event;
  if (MESSAGE[kind]) {
    const parts = entry(message, at);
    reach(parts, MESSAGE[kind]);
    if (kind === 'message.acknowledged' && parts.readable) reach(parts, 'decrypted');
  }
  else if (ENDS[kind] && message) {
    const parts = entry(message, at);
    const closed = kind === 'message.notification_closed';
    if (closed && parts.steps.clicked.classList.contains('done')) return;
    parts.item.classList.toggle('ended', !closed);
    note(parts, kind === 'message.dropped' ? `${ENDS[kind]}: ${event.detail}` : ENDS[kind]);
  } else if (LINES[kind]) line(LINES[kind], { at });
  else if (kind === 'request' && !(Number(event.detail) < 300)) refused(event);
}

// What the page and the worker know, and the push service cannot: the title, and what the user did.
export function sent({ id, title }, { message }) {
  if (!message) return;
  titles.set(id, message);
  sessionStorage.setItem(message, title); // for when the page is loaded anew
  entry(message, now()).title.textContent = title;
}

export function told({ what, id }) {
  const parts = entries.get(titles.get(id));
  if (!parts) return;
  reach(parts, 'decrypted');
  if (STEPS[what]) reach(parts, what);
}
