import { accessible, expect, signIn, test } from './patron.ts';
import type { Page } from '@playwright/test';

// Tills without a line: the owner says how far they may go, and who bears what was given twice.

async function send<T>(page: Page, method: 'POST' | 'PATCH', url: string, data: object): Promise<T> {
  const answer = await page.request.fetch(url, { method, data, headers: { 'Idempotency-Key': crypto.randomUUID() } });
  expect(answer.ok(), await answer.text()).toBe(true);
  return (await answer.json()) as T;
}

test('an owner lets tills go on without a line, and settles what one gave twice', async ({ page, demo }) => {
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/settings`);
  await page.getByLabel(/^(时限|How long)$/).fill('24');
  await page.getByLabel(/^(每位会员上限|Per member)$/).fill('50');
  await page.getByRole('combobox', { name: /^(重复使用时|What was used twice)$/ }).click();
  await page.locator('.ant-select-item-option').filter({ hasText: /每次由人决定|A person decides/ }).click();
  await page.getByRole('button', { name: /^(保存|Save)/ }).click();
  await expect.poll(async () => ((await (await page.request.get(`${demo.url}/v1/program`)).json()) as { offline: object }).offline).toEqual({ hours: 24, per_member: 5000, per_store: 1_000_000, policy: 'review' });

  // Two tills take the same points of somebody new.
  const { id } = await send<{ id: string }>(page, 'POST', `${demo.url}/v1/members`, { external_id: 'e2e/offline' });
  await send(page, 'POST', `${demo.url}/v1/members/${id}/earnings`, { currency: 'points', amount: 1000, reason: 'e2e', source: 'e2e', document: 'offline' });
  const { items: stores } = (await (await page.request.get(`${demo.url}/v1/stores`)).json()) as { items: { id: string }[] };
  for (const till of ['A1', 'A2']) {
    const { items } = await send<{ items: { snapshot: string; claims: { points: { balance: number; least: number; most: number }[] } }[] }>(page, 'POST', `${demo.url}/v1/offline/snapshots`, { store: stores[0]!.id, till, members: [id] });
    const most = items[0]!.claims.points[0]!.most;
    const left = 1000 - (till === 'A2' ? most : 0);
    expect(left).toBeGreaterThan(0);
    await send(page, 'POST', `${demo.url}/v1/offline/sales`, {
      snapshot: items[0]!.snapshot, source: 'e2e', document: `off-${till}`, at: new Date().toISOString(), lines: [{ line: 1, sku: 'e2e', quantity: 1, amount: 50_000 }],
      spend: [{ currency: 'points', amount: till === 'A1' ? most : 1000 }],
    });
  }

  await page.goto(`${demo.url}/offline`);
  const rows = page.locator('tr[data-row-key]').filter({ hasText: /已不足|fewer by then/ });
  await expect(rows).toHaveCount(1);
  await accessible(page);
  await rows.getByRole('button', { name: /^(处 ?理|Settle)$/ }).click();
  const dialog = page.getByRole('dialog');
  await accessible(page);
  await dialog.getByLabel(/由发生优惠的门店|The store whose till/).check();
  await dialog.getByLabel(/^(原因（选填）|Why \(optional\))$/).fill('talked to the store');
  await dialog.getByRole('button', { name: /^(确 ?定|Settle)$/ }).click();
  await expect(rows).toHaveCount(0);
  await page.getByRole('tab', { name: /已处理|Settled/ }).or(page.getByRole('button', { name: /^(已处理|Settled)$/ })).or(page.getByText(/^(已处理|Settled)$/)).first().click();
  await expect(page.locator('main')).toContainText(/门店承担|Store/);
  await expect(page.locator('main')).toContainText('talked to the store');
  await rows.getByRole('link').first().click();
  await expect(page.locator('main')).toContainText('off-A2');
});
