import { expect, test } from './push';

test('a click on the notification leads to the order', async ({ page, context, push }) => {
  await page.goto('/');
  await page.getByRole('button', { name: 'Keep me informed' }).click();
  await expect(page.getByText('We will.')).toBeVisible({ timeout: 20_000 });
  await page.getByRole('button', { name: 'Ship' }).click();

  const [notification] = await push.notifications();
  expect(notification.title).toBe('Your order is on its way');
  const opened = context.waitForEvent('page');
  await push.click(notification, 'Track it');
  await expect(await opened).toHaveURL('/orders?track');
});
