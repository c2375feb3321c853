import type { BrowserContext, Page } from '@playwright/test';
import { accessible, emailOf, expect, overhang, password, Server, signIn, test, watch } from './patron.ts';

const button = (page: Page, name: RegExp) => page.getByRole('button', { name });

interface Found { id: string; number: string; name: string }
interface Sale { id: string; source: string; document: string; total: number; kind: string; member_id?: string }

/** A member of the demonstration who has points to use and no other purse. */
async function withPoints(page: Page, server: Server, from: number): Promise<Found & { points: number }> {
  const { items } = (await (await page.request.get(`${server.url}/v1/members?limit=100`)).json()) as { items: Found[] };
  for (const m of items.slice(from)) {
    const n = await points(page, server, m.id);
    if (n >= 100 && n <= 5000) return { ...m, points: n };
  }
  throw new Error('nobody has points');
}

async function points(page: Page, server: Server, id: string): Promise<number> {
  const list = (await (await page.request.get(`${server.url}/v1/members/${id}/wallets`)).json()) as { currency: string; available: number }[];
  return list.find((w) => w.currency === 'points')?.available ?? 0;
}

async function salesOf(page: Page, server: Server, till: string, document?: string): Promise<Sale[]> {
  const { items } = (await (await page.request.get(`${server.url}/v1/sales?limit=100&till=${till}`)).json()) as { items: Sale[] };
  return items.filter((s) => s.source.startsWith('till/') && (!document || s.document === document)); // the demonstration sold at it too
}

/** Signs in at the till and says which one it is. */
async function atTill(page: Page, server: Server, till: string) {
  await signIn(page, server, 'cashier');
  await page.goto(`${server.url}/till`);
  await page.getByRole('button', { name: till, exact: true }).first().click();
  await expect(page.locator('#till-find')).toBeFocused();
}

/** One sale by keyboard alone: who, how much, take. Returns the receipt number. */
async function sell(page: Page, who: string, amount: string): Promise<string> {
  await page.locator('#till-find').fill(who);
  await page.keyboard.press('Enter');
  await expect(page.locator('#till-amount')).toBeFocused();
  await page.keyboard.type(amount);
  await page.keyboard.press('Enter');
  await expect(button(page, /^(确认，收|Take ¥)/)).toBeFocused();
  await page.keyboard.press('Enter');
  const number = page.getByText(/^(小票|Receipt) T\d-/);
  await expect(number).toBeVisible();
  return (await number.textContent())!.replace(/^(小票|Receipt) /, '');
}

const next = async (page: Page) => {
  await expect(button(page, /^(下一位|Next customer)/)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('#till-find')).toBeFocused();
};

const recorded = (page: Page) => expect(page.getByText(/^(已入账|Recorded)$/)).toBeVisible();
const menu = async (page: Page, letter: string) => {
  await page.keyboard.press('F8');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press(letter);
};

/** Waits until the worker holds the page, so that it opens without a server. */
const kept = (page: Page) => page.evaluate(async () => void (await navigator.serviceWorker.ready));

test('a cashier sells, spends points, prints, takes back, voids and closes the shift', async ({ page, demo }, info) => {
  const till = 'T1';
  await atTill(page, demo, till);
  await accessible(page);
  const member = await withPoints(page, demo, 10 * info.workerIndex);

  await menu(page, 's');
  const dialog = page.getByRole('dialog');
  const opening = dialog.getByRole('button', { name: /^(开班|Open shift)$/ });
  await expect(opening.or(dialog.getByRole('button', { name: /^(交班|Close shift)$/ }))).toBeVisible();
  await dialog.getByRole('textbox').fill('500');
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('button', { name: /^(交班|Close shift)$/ })).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');

  const first = await sell(page, member.number, '86');
  await recorded(page);
  await accessible(page);
  expect(await points(page, demo, member.id)).toBeGreaterThan(member.points);
  await button(page, /^(小票|Receipt)$/).click();
  await expect(page.getByRole('article')).toContainText(first);
  await page.evaluate(() => { window.print = () => void ((window as unknown as { prints: number }).prints = ((window as unknown as { prints?: number }).prints ?? 0) + 1); });
  await button(page, /^(打印|Print)$/).click();
  await button(page, /^(补打一张|Print a copy)$/).click();
  await expect.poll(() => page.evaluate(() => (window as unknown as { prints: number }).prints)).toBe(2);
  await accessible(page);
  await page.keyboard.press('Escape');
  await button(page, /^(下一位|Next customer)/).click();

  // Points pay for a part; F4 takes all of them.
  const had = await points(page, demo, member.id);
  await page.locator('#till-find').fill(member.number);
  await page.keyboard.press('Enter');
  await expect(page.locator('#till-amount')).toBeFocused();
  await page.keyboard.type('900');
  await page.keyboard.press('F4');
  await expect(page.getByText(had.toLocaleString('en'), { exact: false }).first()).toBeVisible();
  await page.keyboard.press('F9');
  await recorded(page);
  expect(await points(page, demo, member.id), 'what was there is spent, what this sale earned is new').toBeLessThan(had + 900);
  await next(page);

  // The first comes back, by its number.
  await menu(page, 'r');
  await dialog.getByRole('textbox').fill(first);
  await page.keyboard.press('Enter');
  await expect(dialog.getByText(/^(会退回|What goes back)$/)).toBeVisible();
  await accessible(page);
  await dialog.getByRole('button', { name: /^(退款|Refund) ¥86\.00$/ }).click();
  await expect(dialog.getByText(/^(已退货|Taken back)$/)).toBeVisible();
  await page.keyboard.press('Escape');

  // A slip of the finger, undone.
  await sell(page, member.number, '11');
  await recorded(page);
  await button(page, /^(撤销|Void)$/).click();
  await dialog.getByRole('button', { name: /^(金额输错|Wrong amount)$/ }).click();
  await dialog.getByRole('button', { name: /^(撤销|Void) ¥11\.00$/ }).click();
  await expect(dialog.getByText(/^(已撤销|Voided)$/)).toBeVisible();
  await dialog.getByRole('button', { name: /^(下一位|Next customer)$/ }).click();

  await menu(page, 's');
  await expect(dialog.getByRole('table')).toContainText(/¥86\.00|¥97\.00/);
  await dialog.getByRole('textbox').first().fill('1');
  await dialog.getByRole('button', { name: /^(交班|Close shift)$/ }).click();
  await expect(dialog.getByText(/^(已交班。|The shift is closed\.)$/)).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');
  expect(await overhang(page), 'no sideways scroll').toBe(0);
});

test('a cashier uses coupons: the best of what the member holds, and a code that is typed', async ({ page, demo }) => {
  const stamp = `${Date.now()}`;
  const member = await demo.api<{ id: string; number: string }>('/v1/members', { external_id: `till/${stamp}`, name: 'Coupon Guest' });
  const coupon = async (code: string, terms: object): Promise<string> => {
    const { id } = await demo.api<{ id: string }>('/v1/coupons', { code: `${code}-${stamp}`, name_en: `Till ${code}`, name_zh: `收银${code}`, ...terms });
    await demo.api(`/v1/coupons/${id}/publish`, {});
    return id;
  };
  const codes: string[] = [];
  for (const [name, terms] of [['ten', { effect: { kind: 'percent', percent: 1000 }, stack: { order: 1 } }], ['twenty', { effect: { kind: 'amount', amount: 2000 }, minimum: { amount: 10000 }, stack: { order: 2 } }]] as const) {
    codes.push((await demo.api<{ code: string }>(`/v1/coupons/${await coupon(name, terms)}/vouchers`, { member: member.id })).code);
  }
  const bearer = `E2E${stamp.slice(-8)}`;
  await coupon('shared', { effect: { kind: 'amount', amount: 500 }, shared_code: bearer, stack: { order: 3 } });

  await atTill(page, demo, 'T2');
  await page.locator('#till-find').fill(`ext:till/${stamp}`);
  await page.keyboard.press('Enter');
  await expect(page.locator('#till-amount')).toBeFocused();
  await page.keyboard.type('200');
  await button(page, /^(用最省的 2 张券：减 ¥40\.00|Use the best 2 coupons: ¥40\.00 off)$/).click(); // 10 % of 200, and 20
  await expect(button(page, /^(确认，收|Take) ¥160\.00/)).toBeVisible();
  await page.locator('#till-coupon').fill('NO-SUCH-CODE');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert').filter({ hasText: /券码|voucher|code/i }).first()).toBeVisible();
  await page.getByRole('button', { name: /^(不用|Without )/ }).last().click();
  await page.locator('#till-coupon').fill(bearer.toLowerCase());
  await page.keyboard.press('Enter');
  await expect(button(page, /^(确认，收|Take) ¥155\.00/)).toBeVisible();
  await accessible(page);
  expect(await overhang(page)).toBe(0);
  await page.keyboard.press('F9');
  await recorded(page);
  const number = (await page.getByText(/^(小票|Receipt) T\d-/).textContent())!.replace(/^(小票|Receipt) /, '');
  const [sale] = await salesOf(page, demo, 'T2', number);
  expect(sale).toMatchObject({ total: 15500, member_id: member.id });
  for (const code of codes) {
    const voucher = (await (await page.request.get(`${demo.url}/v1/vouchers/${code}`)).json()) as { state: string };
    expect(voucher.state).toBe('redeemed');
  }
});

test('what a tier takes off, the till takes off by itself', async ({ page, demo }) => {
  const stamp = `${Date.now()}`;
  const member = await demo.api<{ id: string }>('/v1/members', { external_id: `tier/${stamp}`, name: 'Gold Guest' });
  await demo.api(`/v1/members/${member.id}/tier`, { tier: 'gold', reason: 'e2e' });
  await atTill(page, demo, 'T2');
  await page.locator('#till-find').fill(`ext:tier/${stamp}`);
  await page.keyboard.press('Enter');
  await expect(page.locator('#till-amount')).toBeFocused();
  await page.keyboard.type('200');
  await expect(button(page, /^(确认，收|Take) ¥190\.00/)).toBeVisible(); // 5 % of 200
  await expect(page.getByText('−¥10.00').or(page.getByText('-¥10.00')).first()).toBeVisible();
  await accessible(page);
  await page.keyboard.press('F9');
  await recorded(page);
  const number = (await page.getByText(/^(小票|Receipt) T\d-/).textContent())!.replace(/^(小票|Receipt) /, '');
  const [sale] = await salesOf(page, demo, 'T2', number);
  expect(sale).toMatchObject({ total: 19000, member_id: member.id });

  await page.keyboard.press('Enter'); // the next one, and faster than any quote: nobody pays more than they are told
  await page.locator('#till-find').fill(`ext:tier/${stamp}`);
  await page.keyboard.press('Enter');
  await expect(page.locator('#till-amount')).toBeFocused();
  await page.keyboard.type('100');
  await page.keyboard.press('F9');
  await expect(page.getByRole('alert').or(button(page, /^(确认，收|Take) ¥95\.00/)).first()).toBeVisible();
  await expect(button(page, /^(确认，收|Take) ¥95\.00/)).toBeVisible();
});

test('a scanner that types into the amount means the member', async ({ page, demo }) => {
  await atTill(page, demo, 'T2');
  const { items } = (await (await page.request.get(`${demo.url}/v1/members?limit=1`)).json()) as { items: Found[] };
  await page.keyboard.press('Enter'); // without a member
  await expect(page.locator('#till-amount')).toBeFocused();
  await page.keyboard.type(`no:${items[0]!.number}`);
  await page.keyboard.press('Enter');
  await expect(page.getByText(items[0]!.number, { exact: true })).toBeVisible();
  await expect(page.locator('#till-amount')).toHaveValue('');
});

/** A server of its own, since it is stopped. */
async function own(context: BrowserContext, work: (page: Page, server: Server) => Promise<void>) {
  const server = await Server.make('demo');
  try {
    await server.start();
    const page = await context.newPage();
    await work(page, server);
  } finally {
    await server.remove();
  }
}

test('ten sales while the server is away are posted once, under the numbers on their receipts', async ({ context }) => {
  test.slow(); // a server starts, stops and starts again
  await own(context, async (page, server) => {
    await atTill(page, server, 'T1');
    await kept(page);
    const member = await withPoints(page, server, 0);
    const before = await points(page, server, member.id);
    const there = new Set((await salesOf(page, server, 'T1')).map((s) => s.document));

    await server.stop();
    await page.reload(); // the page opens all the same
    await expect(page.locator('#till-find')).toBeFocused();
    await expect(page.getByRole('status').getByText(/照常收银|go on selling/)).toBeVisible();

    const numbers: string[] = [];
    for (let i = 1; i <= 10; i++) {
      // The first time by number, as it was typed; a stranger to this device has to be looked up later.
      numbers.push(await sell(page, member.number, String(i * 10)));
      await expect(page.getByText(/^(存在本机|Kept on this till)$/)).toBeVisible();
      if (i === 1) await accessible(page);
      await next(page);
    }
    expect(new Set(numbers).size).toBe(10);
    await expect(page.getByRole('status')).toContainText('10');

    // Paying with points is refused, with the reason.
    await page.locator('#till-find').fill(member.number);
    await page.keyboard.press('Enter');
    await expect(page.getByText(/断网时不能用积分|Points cannot be used offline/)).toBeVisible();
    await button(page, /^(换一位会员|Another member)/).click();
    await page.locator('#till-find').fill('qr:ABCDEFGH');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('alert')).toContainText(/一分钟|a minute/);

    await menu(page, 'w');
    for (const number of numbers) await expect(page.getByRole('dialog').getByText(number)).toBeVisible();
    await accessible(page);
    await page.keyboard.press('Escape');

    await server.start();
    await expect(button(page, /^(已联网|Online)$/)).toBeVisible({ timeout: 40_000 });
    const sales = await salesOf(page, server, 'T1');
    expect(sales.filter((s) => !there.has(s.document)).length, 'ten and no more').toBe(10); // of the latest hundred
    for (const [i, number] of numbers.entries()) {
      const [one, ...more] = sales.filter((s) => s.document === number);
      expect(more).toEqual([]);
      expect(one).toMatchObject({ total: (i + 1) * 1000, member_id: member.id });
    }
    expect(await points(page, server, member.id), '10 + 20 + … + 100 yuan, a point each').toBe(before + 550);
  });
});

test('an answer that is lost doubles nothing; what is refused stands aside and blocks nobody', async ({ context }) => {
  test.slow(); // a server starts, stops and starts again
  await own(context, async (page, server) => {
    const faults = watch(page);
    await atTill(page, server, 'T2');
    const member = await withPoints(page, server, 5);
    const before = await points(page, server, member.id);

    // The server takes the sale, and its answer does not arrive.
    let lost = 0;
    const keys: string[] = [];
    const taken = /\/v1\/(sales|checkouts\/\w+\/confirm)$/; // as a sale, or by the checkout where it was faster than a quote
    await page.route(taken, async (route) => {
      keys.push(route.request().headers()['idempotency-key']!);
      const answer = await route.fetch();
      if (lost++ === 0) {
        expect(answer.status()).toBe(201);
        await route.abort();
      } else {
        await route.fulfill({ response: answer });
      }
    });
    const number = await sell(page, member.number, '30');
    await recorded(page); // by the second sending
    expect(lost).toBeGreaterThan(1);
    expect(new Set(keys).size, 'one key, made when it was entered').toBe(1);
    await page.unroute(taken);
    expect((await salesOf(page, server, 'T2')).filter((s) => s.document === number)).toHaveLength(1);
    expect(await points(page, server, member.id)).toBe(before + 30);
    await next(page);

    // A number that nobody has, typed while the line was down, then a good sale.
    await context.setOffline(true);
    const bad = await sell(page, '9999999', '5');
    await next(page);
    const good = await sell(page, member.number, '7');
    await next(page);
    await context.setOffline(false);
    await expect(page.getByRole('status')).toContainText(/1 笔销售没有被接受|1 sale was refused/, { timeout: 30_000 });
    await expect.poll(async () => (await salesOf(page, server, 'T2')).filter((s) => s.document === good).length).toBe(1);
    await button(page, /^(看一看|Look)$/).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByText('9999999').first()).toBeVisible();
    await accessible(page);
    await dialog.getByRole('button', { name: /^(换会员|Other member)$/ }).click();
    await dialog.getByRole('button', { name: /^(不记会员再传|Send without a member)$/ }).click();
    await expect.poll(async () => (await salesOf(page, server, 'T2')).filter((s) => s.document === bad).length).toBe(1);
    await expect(dialog.getByText(/^(都已上传。|All sales are sent\.)$/)).toBeVisible();
    await page.keyboard.press('Escape');

    // The session ends while a sale waits: sign in, and it goes out.
    await context.setOffline(true);
    const late = await sell(page, member.number, '9');
    await context.clearCookies();
    await context.setOffline(false);
    await expect(page.locator('input[type=email]')).toBeVisible({ timeout: 30_000 });
    await page.locator('input[type=email]').fill(emailOf('cashier'));
    await page.locator('input[type=password]').fill(password);
    await page.keyboard.press('Enter');
    await recorded(page); // the page was kept as it was
    await expect.poll(async () => (await salesOf(page, server, 'T2')).filter((s) => s.document === late).length).toBe(1);

    // Two tabs never write the same number.
    const other = await context.newPage();
    await other.goto(`${server.url}/till`);
    await expect(other.locator('#till-find')).toBeFocused();
    await next(page);
    const [a, b] = [await sell(other, member.number, '1'), await sell(page, member.number, '2')];
    expect(a).not.toBe(b);
    await recorded(page);
    expect(faults().filter((f) => !/Failed to (load|fetch)|ERR_|status of/.test(f))).toEqual([]);
  });
});
