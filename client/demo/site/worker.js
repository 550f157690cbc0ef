// The service worker: it receives pushes, shows them, and keeps the page working offline.
importScripts('/inbox.js');

const SHELL = 'shell';
const FILES = ['/', '/style.css', '/app.js', '/browser.js', '/inbox.js', '/log.js', '/service.js',
  '/manifest.webmanifest', '/icon.svg', '/icon-192.png'];
const pages = new BroadcastChannel('worker');

addEventListener('install', (event) => event.waitUntil(install()));
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  const ours = url.origin === location.origin && FILES.includes(url.pathname);
  if (ours && event.request.method === 'GET') event.respondWith(fromNetworkElseKept(event, url.pathname));
});
addEventListener('push', (event) => event.waitUntil(show(read(event.data))));
addEventListener('notificationclick', (event) => event.waitUntil(clicked(event)));
addEventListener('notificationclose', (event) => tell('closed', event.notification.data));
addEventListener('pushsubscriptionchange', (event) => event.waitUntil(subscribeAgain(event)));

async function install() {
  await (await caches.open(SHELL)).addAll(FILES);
  await skipWaiting();
}

async function fromNetworkElseKept(event, path) {
  try {
    const answer = await fetch(event.request);
    if (answer.ok) event.waitUntil(keep(path, answer.clone()));
    return answer;
  } catch {
    return await caches.match(path, { cacheName: SHELL }) ?? Response.error();
  }
}

async function keep(path, answer) {
  await (await caches.open(SHELL)).put(path, answer);
}

// A push may come without payload, or from somebody who does not know our JSON.
function read(data) {
  const id = crypto.randomUUID();
  if (!data) return { id, title: 'A push without payload', body: '', actions: [] };
  try {
    const { title = 'A push', body = '', actions = [], ...more } = data.json();
    return { id, title: String(title), body: String(body), actions: Array.from(actions).filter((each) => each?.title), ...more };
  } catch {
    return { id, title: 'A push', body: data.text(), actions: [] };
  }
}

// Browsers want a notification for each push, at once: what else there is to do comes after it.
async function show({ id, title, body, topic, actions }) {
  await registration.showNotification(title, {
    body,
    actions,
    icon: '/icon-192.png',
    data: { id },
    ...(topic && { tag: topic, renotify: true }),
  });
  await inbox.add({ id, title, body, topic });
  tell('shown', { id });
}

async function clicked(event) {
  const { id } = event.notification.data ?? {};
  event.notification.close();
  const opening = event.action === 'read' ? null : openPage(id); // while the click still counts
  await inbox.markRead(id);
  tell('clicked', { id });
  await opening;
}

async function openPage(id) {
  const windows = await clients.matchAll({ type: 'window', includeUncontrolled: true });
  const page = windows.find((each) => new URL(each.url).pathname === '/'); // not that of the control API
  await (page ? page.focus() : clients.openWindow(`/?message=${encodeURIComponent(id)}`));
}

// The browser, or its push service, has ended the subscription: the application server needs a new one.
async function subscribeAgain(event) {
  const { publicKey } = await (await fetch('/api/key')).json();
  const subscription = event.newSubscription ?? await registration.pushManager.subscribe(
    { userVisibleOnly: true, applicationServerKey: publicKey });
  const replaces = event.oldSubscription?.endpoint;
  const answer = await fetch('/api/subscriptions', {
    method: 'POST',
    body: JSON.stringify({ ...subscription.toJSON(), ...(replaces && { replaces }) }),
  });
  if (!answer.ok) throw new Error(`the application server says ${answer.status}`);
  tell('resubscribed', {});
}

function tell(what, detail) {
  pages.postMessage({ what, ...detail });
}
