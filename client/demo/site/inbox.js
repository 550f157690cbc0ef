// Notifications that came, and which of them were read: shared by the page and the worker.
self.inbox = (() => {
  const MOST = 30;
  const path = (id) => `/inbox/${encodeURIComponent(id)}`;
  const open = () => caches.open('inbox');

  async function list() {
    const store = await open();
    const found = await Promise.all((await store.keys()).map((key) => store.match(key)));
    const all = await Promise.all(found.map((each) => each.json()));
    return all.sort((a, b) => b.at - a.at);
  }

  async function put(entry) {
    await (await open()).put(path(entry.id), new Response(JSON.stringify(entry)));
  }

  async function unread() {
    return (await list()).filter((each) => !each.read).length;
  }

  // The number on the icon of the installed page.
  async function showBadge() {
    const count = await unread();
    await (count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.());
    return count;
  }

  // What has a topic takes the place of what had it before, as at the push service.
  async function add(entry) {
    const store = await open();
    const all = await list();
    const old = all.filter((each, index) => index >= MOST - 1 || (entry.topic && each.topic === entry.topic));
    await Promise.all(old.map((each) => store.delete(path(each.id))));
    await put({ ...entry, at: Date.now(), read: false });
    await showBadge();
  }

  async function markRead(id) {
    const found = await (await open()).match(path(id));
    if (found) await put({ ...(await found.json()), read: true });
    await showBadge();
  }

  async function clear() {
    await caches.delete('inbox');
    await showBadge();
  }

  return { add, clear, list, markRead, showBadge, unread };
})();
