// This browser's subscription, or that of one that the push service plays.
import { control, server } from './service.js';

const EMULATED = 'emulated';
const PATIENCE = 15_000;

export const kind = /Firefox\//.test(navigator.userAgent) ? 'firefox'
  : /Chrom(e|ium)\//.test(navigator.userAgent) ? 'chromium' : 'other';
export let able = 'serviceWorker' in navigator && 'PushManager' in self && 'Notification' in self;

export const starts = ['firefox', 'chromium'].map((name) => `mockpush browser ${name} --url ${location.origin} ${location.origin}/`);
const start = starts[kind === 'chromium' ? 1 : 0];

const notPointedHere = (why) => new Error(`${why} Run “${start}” and open this page there, or use an emulated browser.`);

// Private windows may have service workers that cannot be registered.
export async function register() {
  if (able) await navigator.serviceWorker.register('/worker.js').catch(() => { able = false; });
}

export function permission() {
  return able ? Notification.permission : 'unsupported';
}

// What is there already, as the application server and the push service know it.
export async function current() {
  const emulated = JSON.parse(localStorage.getItem(EMULATED));
  if (emulated) return known(emulated, { emulated: true });
  const subscription = able && await (await navigator.serviceWorker.ready).pushManager.getSubscription();
  return subscription ? known(subscription) : null;
}

async function known(subscription, more = {}) {
  const { endpoint, keys } = JSON.parse(JSON.stringify(subscription));
  try {
    const found = await control('GET', `/subscriptions/${(await resolve(endpoint)).id}`);
    return { ...found, ...more };
  } catch (error) {
    if (error.status !== 404) throw error;
    return { endpoint, keys, state: 'unknown', ...more };
  }
}

// Chromium may show an endpoint at Google's host: its token tells where it really is.
async function resolve(endpoint) {
  const token = new URL(endpoint).pathname.split('/').pop();
  for (let page = { next: 's0', more: true }; page.more;) {
    page = await control('GET', `/subscriptions?limit=1000&since=${page.next}`);
    const found = page.items.find((each) => each.endpoint.endsWith(token));
    if (found) return found;
  }
  throw Object.assign(new Error('unknown'), { status: 404 });
}

export async function subscribe() {
  if (!able) throw notPointedHere('This page cannot use push here: it needs a browser that can, and localhost or HTTPS.');
  if (kind === 'firefox' && !(await isConnected())) throw notPointedHere('No Firefox is connected to this push service.');
  if (await Notification.requestPermission() !== 'granted') {
    throw new Error('Notifications are not allowed for this page: allow them in the address bar, and try again.');
  }
  const { pushManager } = await navigator.serviceWorker.ready;
  const { publicKey: applicationServerKey } = await server('GET', '/key');
  const old = await pushManager.getSubscription();
  await old?.unsubscribe(); // it may have expired, or be bound to another key
  const subscription = await inTime(pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }));
  try {
    await server('POST', '/subscriptions', { ...subscription.toJSON(), ...(old && { replaces: old.endpoint }) });
  } catch (error) {
    await subscription.unsubscribe();
    throw error.status === 404
      ? notPointedHere(`This browser has asked ${new URL(subscription.endpoint).host}, not this push service.`) : error;
  }
}

async function isConnected() {
  return (await control('GET', '/user-agents?kind=firefox&connected=true&wait=1&timeout=3')).complete;
}

async function inTime(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(notPointedHere('The browser has got no subscription yet.')), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } catch (error) {
    throw error.name === 'AbortError' ? notPointedHere(`${error.message}.`) : error;
  } finally {
    clearTimeout(timer);
  }
}

// The push service makes the keys and plays the browser: works everywhere.
export async function emulate() {
  const { publicKey: applicationServerKey } = await server('GET', '/key');
  const { id, endpoint, keys } = await control('POST', '/subscriptions', { applicationServerKey });
  await server('POST', '/subscriptions', { endpoint, keys });
  localStorage.setItem(EMULATED, JSON.stringify({ id, endpoint, keys }));
}

export async function unsubscribe(subscription) {
  if (subscription.emulated) {
    localStorage.removeItem(EMULATED);
    await control('DELETE', `/subscriptions/${subscription.id}`).catch(() => {});
  } else {
    await (await (await navigator.serviceWorker.ready).pushManager.getSubscription())?.unsubscribe();
  }
  await server('DELETE', `/subscriptions?endpoint=${encodeURIComponent(subscription.endpoint)}`).catch(() => {});
}

export const expire = ({ id }) => control('POST', `/subscriptions/${id}/expire`);
export const forget = ({ user_agent: name }) => control('POST', `/user-agents/${encodeURIComponent(name)}/forget`);

export async function setOnline({ id, user_agent: name }, online) {
  const what = online ? 'online' : 'offline';
  await control('POST', name ? `/user-agents/${encodeURIComponent(name)}/${what}` : `/subscriptions/${id}/${what}`);
}
