// The page: its buttons, its form, and what it shows.
import * as browser from './browser.js';
import { follow, KINDS, line, sent, setOffset, told } from './log.js';
import { control, events, server } from './service.js';

const $ = (id) => document.getElementById(id);
const NAMES = { firefox: 'Firefox', chromium: 'Chromium', other: 'this browser' };
const STATES = {
  active: 'active', expired: 'expired', removed: 'removed', unknown: 'unknown to the push service',
  away: 'not known now',
};
let subscription = null;
let asked = 0;
let newest; // its answers are shown: who has asked before waits for them, too

function show(id, visible) {
  $(id).hidden = !visible;
}

// Beside what was pressed.
function hint(text = '', section) {
  section?.append($('hint'));
  $('hint').textContent = text;
  show('hint', text);
}

// Runs what a button does, says what went wrong, and shows what came of it.
function on(id, action, event = 'click') {
  $(id).addEventListener(event, async (given) => {
    given.preventDefault();
    const button = given.submitter ?? given.currentTarget;
    const section = button.closest('section');
    const focused = document.activeElement === button;
    button.disabled = true;
    hint();
    let failed = '';
    try {
      await action(given);
    } catch (error) {
      failed = error.message;
    }
    button.disabled = false;
    await refresh();
    if (failed) hint(failed, section);
    if (focused) focusOneOf([button, ...section.querySelectorAll('button'), document.querySelector('[role=log]')]);
  });
}

// Who uses the keyboard goes on where a button was, also if that has gone.
function focusOneOf(elements) {
  elements.find((each) => !each.disabled && each.checkVisibility())?.focus({ preventScroll: true });
}

function refresh() {
  newest = look(++asked);
  return newest;
}

async function look(mine) {
  try {
    const found = await browser.current();
    const [{ items }, { version }, { offset }] = await Promise.all(
      [server('GET', '/subscriptions'), control('GET', ''), control('GET', '/clock')]);
    if (mine !== asked) return newest;
    subscription = found;
    $('kept').textContent = items.length === 1 ? '1 subscription' : `${items.length} subscriptions`;
    $('version').textContent = `mockpush ${version}`;
    $('clock').textContent = offset ? `clock: ${hours(offset)} ahead` : 'clock: real time';
    setOffset(offset);
  } catch (error) {
    if (mine !== asked) return newest;
    if (error.away) {
      subscription = { state: 'away' };
      $('kept').textContent = 'away';
    } else hint(error.message);
  }
  showSubscription();
}

const hours = (seconds) => `${Math.round(seconds / 360) / 10} h`;

function showSubscription() {
  const { state, emulated, endpoint, online, user_agent: name } = subscription ?? {};
  const active = state === 'active';
  const permission = browser.permission();
  mark('permission', permission, emulated ? 'good' : { granted: 'good', denied: 'bad' }[permission]);
  if (emulated) $('permission').textContent = 'not needed';
  mark('state', state ? STATES[state] : 'none', { active: 'good', expired: 'bad', removed: 'bad', unknown: 'bad' }[state]);
  $('endpoint').textContent = endpoint ?? '';
  show('endpoint-row', endpoint);
  show('unsubscribe', subscription && state !== 'away');
  show('subscribe', !active && state !== 'away');
  show('emulate', !subscription);
  $('subscribe').textContent = subscription ? 'Subscribe again' : 'Subscribe';
  $('engine').textContent = emulated ? 'emulated' : NAMES[browser.kind];
  $('presence').textContent = !subscription ? 'not subscribed' : active ? (online ? 'online' : 'offline') : STATES[state];
  $('presence-switch').textContent = online === false ? 'Go online' : 'Go offline';
  $('presence-switch').disabled = $('expire').disabled = !active;
  show('forget', name && browser.kind === 'firefox');
  show('forget-text', !$('forget').hidden);
}

function mark(id, text, tone = '') {
  $(id).textContent = text;
  $(id).className = tone;
}

async function showInbox() {
  const all = await inbox.list();
  $('inbox').replaceChildren(...all.map(entry));
  show('inbox-section', all.length);
  const count = await inbox.showBadge();
  show('unread', count);
  $('unread').textContent = `${count} unread`;
  document.title = count ? `(${count}) mockpush demo` : 'mockpush demo';
}

function entry({ id, title, body, at, read }) {
  const item = document.createElement('li');
  const button = Object.assign(document.createElement('button'), { className: read ? 'plain' : 'plain unread' });
  const strong = Object.assign(document.createElement('strong'), { textContent: title });
  const time = Object.assign(document.createElement('time'), { textContent: new Date(at).toLocaleTimeString([], { hour12: false }) });
  button.append(time, strong, Object.assign(document.createElement('span'), { textContent: body }));
  button.addEventListener('click', () => inbox.markRead(id).then(showInbox));
  item.append(button);
  return item;
}

function worker({ data }) {
  told(data);
  showInbox();
  if (data.what === 'resubscribed') {
    line('The browser fired pushsubscriptionchange: its worker has subscribed again', { tone: 'good' });
    refresh();
  }
}

async function push(event) {
  $('sent').textContent = '';
  const { title, body, topic, urgency, ttl, actions } = Object.fromEntries(new FormData(event.target));
  const id = Math.random().toString(36).slice(2);
  const { items } = await server('POST', '/push', {
    id, title, body, urgency, ttl: Number(ttl), actions: actions === 'on', ...(topic && { topic }),
  });
  for (const item of items) report({ id, title }, item);
  if (!items.length) throw new Error('The application server keeps no subscription: subscribe first.');
  const accepted = items.filter(({ fate }) => fate === 'accepted').length;
  $('sent').textContent = accepted === items.length ? 'The push service has accepted it.'
    : `The push service has accepted ${accepted} of ${items.length}.`;
}

function report(push, { fate, status, reason, attempts, retry_after: wait, message }) {
  if (fate === 'accepted') return sent(push, { message });
  const got = `The application server got ${[status, reason].filter(Boolean).join(': ')}`;
  const tries = attempts > 1 ? `, ${attempts} times` : '';
  if (fate === 'gone') line(`${got}, and has forgotten the subscription`, { tone: 'good' });
  else line(`${got}${tries}${wait ? `; it is to wait ${Math.ceil(wait)} s` : ''}`, { tone: 'bad' });
}

function connected(yes) {
  if (yes) refresh();
  $('link').textContent = yes ? 'live' : 'push service away';
  $('link').className = yes ? 'pill good' : 'pill bad';
}

function noticed(event) {
  show('empty', false);
  follow(event);
  move(event);
  if (/^(subscription|clock|tenant)/.test(event.kind)) refresh();
}

// Something passes along one of the arrows at the top.
function move({ kind }) {
  const arrow = { 'message.accepted': 2, 'message.delivered': 3 }[kind];
  if (!arrow) return;
  const { classList } = document.querySelector(`.route li:nth-child(${arrow})`);
  classList.add('moving');
  setTimeout(() => classList.remove('moving'), 600);
}

on('subscribe', () => (subscription?.emulated ? browser.emulate() : browser.subscribe()));
on('emulate', browser.emulate);
on('unsubscribe', () => browser.unsubscribe(subscription));
on('form', push, 'submit');
on('presence-switch', () => browser.setOnline(subscription, subscription.online === false));
on('advance', () => control('POST', '/clock', { advance: '8h' }));
on('expire', () => browser.expire(subscription));
on('forget', () => browser.forget(subscription));
on('clear', () => inbox.clear().then(showInbox));

$('start').textContent = browser.starts.join('\n\n');
if (browser.able) {
  new BroadcastChannel('worker').onmessage = worker;
  const opened = new URLSearchParams(location.search).get('message');
  if (opened) inbox.markRead(opened).then(showInbox);
  showInbox();
  addEventListener('focus', showInbox);
}
await browser.register();
await refresh();
const before = await control('GET', '/events?limit=1').catch(() => ({ items: [] }));
show('empty', !before.items.length);
events(KINDS, noticed, connected);
document.body.dataset.ready = 'yes';
