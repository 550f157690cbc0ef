import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { chromium } from 'playwright-core';

const WORKER = '**/worker.js'; // where the service worker is

async function ask(path, method = 'GET', body = {}) {
  const options = method === 'GET' ? {} : { method, body: JSON.stringify(body) };
  const answer = await fetch(process.env.MOCKPUSH_CONTROL_URL + path, options);
  assert.ok(answer.ok, await answer.clone().text());
  return answer.json();
}

test('a click on the notification leads to the order', async () => {
  const id = `browser-${randomUUID()}`;
  const launch = await ask(`/browsers/chromium/launch?user_agent=${id}`);
  const context = await chromium.launchPersistentContext('', {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: launch.args,
    env: { ...process.env, ...launch.env },
    permissions: ['notifications'],
  });
  await context.addInitScript(launch.init_script);
  await context.route(WORKER, async route => {
    const response = await route.fetch();
    await route.fulfill({ response, body: launch.init_script + (await response.text()) });
  });
  try {
    const page = await context.newPage();
    await page.goto(process.env.SHOP_URL);
    await page.getByRole('button', { name: 'Keep me informed' }).click();
    await page.getByText('We will.').waitFor();
    await page.getByRole('button', { name: 'Ship' }).click();

    const shown = `/notifications?user_agent=${id}&state=shown`;
    const { items } = await ask(`${shown}&wait=1&timeout=20`);
    assert.equal(items[0].title, 'Your order is on its way');
    const opened = context.waitForEvent('page');
    await ask(`/notifications/${items[0].id}/click`, 'POST', { action: 'Track it' });
    await (await opened).waitForURL(process.env.SHOP_URL + 'orders?track');
  } finally {
    await context.close();
  }
});
