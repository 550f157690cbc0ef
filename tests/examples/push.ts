import { randomUUID } from 'node:crypto';
import { type BrowserContext, chromium, test as base } from '@playwright/test';

const WORKER = '**/worker.js'; // where the service worker is

export type Notification = {
  id: string;
  title: string;
  body: string;
  actions: { action: string | null; title: string }[];
  message: string | null; // the id of the push message that made it
};

async function ask(method: string, path: string, body?: object) {
  const url = process.env.MOCKPUSH_CONTROL_URL + path;
  const answer = await fetch(url, { method, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
  return text ? JSON.parse(text) : undefined;
}

export class Push {
  readonly id = `browser-${randomUUID()}`;

  launch() {
    return ask('GET', `/browsers/chromium/launch?user_agent=${this.id}`);
  }

  async notifications(count = 1, seconds = 10): Promise<Notification[]> {
    const shown = `/notifications?user_agent=${this.id}&state=shown`;
    const { items } = await ask('GET', `${shown}&wait=${count}&timeout=${seconds}`);
    if (items.length >= count) return items;
    throw new Error(`${items.length} of ${count} notifications within ${seconds} s`);
  }

  click(notification: Notification, action?: string) {
    return ask('POST', `/notifications/${notification.id}/click`, { action });
  }
}

export const test = base.extend<{ push: Push; context: BrowserContext }>({
  push: async ({}, use) => {
    const push = new Push();
    await ask('PATCH', `/user-agents/${push.id}`, { tenant: 'default' });
    await use(push);
    await ask('DELETE', `/user-agents/${push.id}`);
  },
  context: async ({ push }, use) => {
    const { args, env, init_script } = await push.launch();
    const context = await chromium.launchPersistentContext('', {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args,
      env: { ...process.env, ...env },
      permissions: ['notifications'],
    });
    await context.addInitScript(init_script);
    await context.route(WORKER, async route => {
      const response = await route.fetch();
      await route.fulfill({ response, body: init_script + (await response.text()) });
    });
    await use(context);
    await context.close();
  },
});
export { expect } from '@playwright/test';
