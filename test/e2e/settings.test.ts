import { accessible, expect, signIn, test, watch } from './patron.ts';
import type { Page } from '@playwright/test';
import { inflateSync } from 'node:zlib';

// What an owner sets up: a store with its join code and a till, a cashier, a key, modules, the brand.
test('an owner opens a store, prints its join code and adds a till', async ({ page, demo }, { project }) => {
  const code = `new-${project.name}`;
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/stores`);
  await expect(page.locator('tr[data-row-key]').first()).toBeVisible();
  await accessible(page);
  const rows = page.locator('tr[data-row-key]');

  await page.getByRole('button', { name: /^(新建门店|Add a store)$/ }).click();
  const drawer = page.getByRole('dialog');
  const add = drawer.getByRole('button', { name: /(新建门店|Add a store)$/ }); // Ant Design puts “loading” in front, and takes it off late
  await drawer.getByLabel(/^(编码|Code)$/).fill('sh-jingan'); // somebody else's
  await drawer.getByRole('combobox', { name: /^(商户|Merchant)$/ }).click();
  await option(page, /^(清禾茶事|Qinghe Tea)$/).click();
  await add.click();
  await expect(drawer.locator('.ant-form-item-explain-error').filter({ hasText: /中文名或英文名|in Chinese or English/ })).toBeVisible();
  await drawer.getByLabel(/^(中文名|Chinese name)$/).fill('南京路新店');
  await drawer.getByLabel(/^(英文名|English name)$/).fill('Nanjing Road');
  await drawer.getByLabel(/^(地址|Address)$/).fill('南京路 1 号');
  await accessible(page);
  await add.click();
  await expect(drawer.locator('.ant-form-item-explain-error').filter({ hasText: /已被使用|this code already/ })).toBeVisible(); // beside its field
  await drawer.getByLabel(/^(编码|Code)$/).fill(code);
  await add.click();
  await expect(drawer).toBeHidden();
  const { items } = (await (await page.request.get(`${demo.url}/v1/stores?q=${code}`)).json()) as { items: object[] };
  expect(items, 'every field is sent').toEqual([expect.objectContaining({ code, name_zh: '南京路新店', name_en: 'Nanjing Road', address: '南京路 1 号' })]);

  await page.getByLabel(/名称、编码或地址|Name, code or address/).fill(code);
  await expect(rows).toHaveCount(1);
  await rows.getByRole('link', { name: /^(入会码|Join code)$/ }).click();
  const poster = page.getByRole('article');
  await expect(poster).toContainText(`/portal/join?store=${code}`);
  await accessible(page);
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByRole('button', { name: /打印海报|Print the poster/ })).toBeHidden();
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  expect(pages(pdf), 'pages of the printed poster').toEqual([[595, 842]]);
  await page.emulateMedia({ media: 'screen' });

  await page.goto(`${demo.url}/stores?q=${code}`);
  await rows.getByRole('link', { name: /^(收银台|Tills)$/ }).click();
  await expect(page.locator('main')).toContainText(/没有|matches/);
  await page.getByRole('button', { name: /^(新建收银台|Add a till)$/ }).first().click();
  await drawer.getByLabel(/^(编码|Code)$/).fill('front');
  await drawer.getByRole('button', { name: /^(新建收银台|Add a till)$/ }).click();
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText('front');
  await accessible(page);
  await rows.getByRole('button', { name: /^(关闭|Close)$/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: /^(关 ?闭|Close)$/ }).last().click();
  await expect(rows).toContainText(/已关闭|Closed/);
});

test('an owner adds a cashier, who sees only what is hers', async ({ page, demo, browser }, { project }) => {
  const email = `mei.${project.name}@shop.example`;
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/settings/staff`);
  await expect(page.locator('tr[data-row-key]').first()).toBeVisible();
  await accessible(page);
  await page.getByRole('button', { name: /添加同事|Add a colleague/ }).click();
  const drawer = page.getByRole('dialog');
  await expect(drawer.getByLabel(/^(邮箱|E-mail)$/)).toBeFocused(); // it has opened
  await drawer.getByLabel(/^(邮箱|E-mail)$/).fill(email);
  await drawer.getByLabel(/^(姓名|Name)$/).fill('Mei');
  await drawer.getByRole('combobox', { name: /^(角色|Role)$/ }).click();
  await option(page, /^(收银员|Cashier)/).click();
  await drawer.getByRole('combobox', { name: /只限这些门店|Only in these stores/ }).fill('静安');
  await option(page, /静安|Jing'an/).click();
  await page.keyboard.press('Escape');
  await drawer.getByLabel(/^(密码|Password)$/).fill('password');
  await drawer.getByRole('button', { name: /添加同事|Add a colleague/ }).click();
  await expect(drawer.locator('.ant-form-item-explain-error').filter({ hasText: '15' })).toBeVisible(); // beside its field
  await drawer.getByRole('button', { name: /^(生成|Make one)$/ }).click();
  await drawer.getByRole('button', { name: /添加同事|Add a colleague/ }).click();
  const given = page.getByRole('dialog').filter({ hasText: /转交给|Hand this to/ });
  const secret = await given.getByLabel(/^(密码|Password)$/).first().inputValue();
  await accessible(page);
  await given.getByRole('button', { name: /已转交|passed it on/ }).click();
  await expect(page.locator('tr').filter({ hasText: email })).toContainText(/静安|Jing'an/);

  const context = await browser.newContext({ viewport: page.viewportSize(), locale: project.use.locale });
  const hers = await context.newPage();
  const faults = watch(hers);
  await hers.goto(`${demo.url}/`);
  await hers.locator('input[type=email]').fill(email);
  await hers.locator('input[type=password]').fill(secret);
  await hers.locator('form button[type=submit]').click();
  await expect(hers.locator('#main')).toBeVisible();
  await hers.goto(`${demo.url}/settings/staff`);
  await expect(hers.locator('main')).toContainText(/管理员工|Manage staff/); // which permission it takes
  await hers.goto(`${demo.url}/settings`);
  await expect(hers.locator('main')).toContainText(/管理计划和门店|Manage programme and stores/);
  await accessible(hers);
  const menu = hers.getByRole('navigation', { name: /^(菜单|Menu)$/ });
  if (project.name.startsWith('phone')) await hers.getByRole('button', { name: /打开菜单|Open the menu/ }).click();
  await expect(menu.getByRole('link', { name: /^(入会码|Join code)$/ })).toBeVisible();
  await expect(menu.getByRole('link', { name: /^(设置|Settings|门店与收银|Stores and tills|审计记录|Audit trail)$/ })).toHaveCount(0);
  expect(faults()).toEqual([]);
  await context.close();

  await page.goto(`${demo.url}/settings/roles`);
  await expect(page.locator('main')).toContainText('keys.manage');
  await accessible(page);
});

test('an owner makes a key, uses it, and revokes it', async ({ page, demo }, { project }) => {
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/settings/keys`);
  await page.getByRole('button', { name: /^(新建密钥|Make a key)$/ }).first().click();
  const drawer = page.getByRole('dialog');
  const name = `shop ${project.name}`;
  await drawer.getByLabel(/^(名称|Name)$/).fill(name);
  await drawer.getByRole('checkbox', { name: /members\.read/ }).check();
  await accessible(page);
  await drawer.getByRole('button', { name: /^(新建密钥|Make a key)$/ }).click();
  const shown = page.getByRole('dialog').filter({ hasText: /只显示这一次|this once/ });
  const key = await shown.getByLabel(/^(API 密钥|API key)$/).inputValue();
  await accessible(page);
  const status = async (path: string) => (await fetch(demo.url + path, { headers: { Authorization: `Bearer ${key}` } })).status;
  expect([await status('/v1/members?limit=1'), await status('/v1/sales?limit=1')]).toEqual([200, 403]);
  await shown.getByRole('button', { name: /已保存|I have kept it/ }).click();

  const row = page.locator('tr').filter({ hasText: name });
  await expect(row).toContainText(/有效|Valid/);
  await accessible(page);
  await row.getByRole('button', { name: /^(吊销|Revoke)$/ }).click();
  const ask = page.getByRole('dialog').filter({ hasText: /记入审计日志|for the audit trail/ });
  await ask.getByRole('button', { name: /^(吊 ?销|Revoke)$/ }).click();
  await expect(ask).toContainText(/说明|Say why|原因/);
  await ask.getByLabel(/原因|Reason/).fill('the shop closed');
  await ask.getByRole('button', { name: /^(吊 ?销|Revoke)$/ }).click();
  await expect(row).toContainText(/已吊销|Revoked/);
  expect(await status('/v1/members?limit=1')).toBe(401);
});

test('an owner changes how the programme is called and looks', async ({ page, demo }, { project }) => {
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/settings`);
  await expect(page.getByLabel(/^(中文名|Chinese name)$/)).toHaveValue('清禾麦语会');
  await accessible(page);

  // What is changed is seen before it is saved, and not lost by a click; what reaches far is asked about.
  const tagline = page.getByLabel(/一句话（英文）|Line under the name, English/);
  const line = `Since 1986, ${project.name}`;
  await tagline.fill(line);
  if (project.name.endsWith('en')) await expect(page.locator('aside').filter({ hasText: line }).first()).toBeVisible();
  await page.getByRole('combobox', { name: /^(时区|Time zone)$/ }).fill('Tokyo');
  await option(page, /Asia\/Tokyo/).click();
  const bar = page.getByText(/有修改还没保存|unsaved changes/);
  await expect(bar).toBeVisible();
  await page.getByRole('link', { name: /^(角色|Roles)$/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: /留下|Stay/ }).click();
  await page.getByRole('button', { name: /^(保存修改|Save changes)$/ }).click();
  const ask = page.getByRole('dialog').filter({ hasText: 'Asia/Tokyo' });
  await expect(ask).toContainText('Asia/Shanghai');
  await accessible(page);
  await ask.getByRole('button', { name: /先不改|Not now/ }).click();
  await expect(ask).toBeHidden();
  await page.getByRole('combobox', { name: /^(时区|Time zone)$/ }).fill('Shanghai');
  await option(page, /Asia\/Shanghai/).click();
  await page.getByRole('button', { name: /^(保存修改|Save changes)$/ }).click();
  await expect(bar).toBeHidden();
  const program = await page.evaluate(async () => (await fetch('/v1/program')).json()) as { zone: string; brand: { tagline_en: string } };
  expect([program.zone, program.brand.tagline_en]).toEqual(['Asia/Shanghai', line]);

  // The logo is taken at once, and what is no picture is refused.
  const file = page.locator('input[type=file]');
  await file.setInputFiles({ name: 'logo.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
  await expect(page.getByRole('alert').filter({ hasText: /PNG/ })).toBeVisible();
  await file.setInputFiles({ name: 'logo.png', mimeType: 'image/png', buffer: Buffer.from(dot, 'base64') });
  await expect(page.locator('main img[src^="/portal/v1/logo"]').first()).toHaveJSProperty('naturalWidth', 1);
  await page.getByRole('button', { name: /^(删除标志|Remove the logo)$/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: /^(删除标志|Remove the logo)$/ }).click();
  await expect(page.locator('main img[src^="/portal/v1/logo"]')).toHaveCount(0);
});

test('an owner changes how long points last, and sees what that means', async ({ page, demo }, { project }) => {
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/currencies/growth`);
  const months = 13 + ['desk-zh', 'desk-en', 'phone-zh', 'phone-en'].indexOf(project.name);
  await expect(page.locator('main')).toContainText(/效果预览|What it does/);
  await page.getByLabel(/^(多久后可用|Becomes usable after)$/).fill('3');
  await page.getByLabel(/^(多少|数量|How many)$/).fill(String(months));
  await accessible(page);
  await page.getByRole('button', { name: /^(保 ?存|Save)$/ }).click();
  await expect(page.getByText(/从现在起|from now on/)).toBeVisible();
  const { items } = (await (await page.request.get(`${demo.url}/v1/currencies`)).json()) as { items: { code: string; policy: { pending_days: number; expiry: object } }[] };
  const { policy } = items.find((c) => c.code === 'growth')!;
  expect([policy.pending_days, policy.expiry]).toEqual([3, expect.objectContaining({ policy: 'rolling', count: months, unit: 'month' })]);
  await expect(page.locator('main aside'), 'in words').toContainText(String(months));
});

test('a module that is switched off leaves the menu, and its page says so', async ({ page, demo }, { project }) => {
  const phone = project.name.startsWith('phone');
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/settings`);
  const menu = page.getByRole('navigation', { name: /^(菜单|Menu)$/ });
  const join = menu.getByRole('link', { name: /^(入会码|Join code)$/ });
  const look = async (there: boolean) => {
    if (phone) await page.getByRole('button', { name: /打开菜单|Open the menu/ }).click();
    await expect(menu.getByRole('link', { name: /^(设置|Settings)$/ })).toBeVisible();
    await expect(join).toHaveCount(there ? 1 : 0);
    if (phone) await page.keyboard.press('Escape');
  };
  await look(true);
  const portal = page.getByRole('switch', { name: /会员门户|Member portal/ });
  await portal.click();
  await page.getByRole('dialog').getByRole('button', { name: /^(停 ?用|Switch off)$/ }).click();
  await expect(portal).not.toBeChecked();
  await look(false);
  await page.goto(`${demo.url}/join-code`);
  await expect(page.locator('main')).toContainText(/会员门户已停用|Member portal: switched off/);
  await accessible(page);
  await page.locator('main').getByRole('link', { name: /去设置|To the settings/ }).click();
  await portal.click();
  await expect(portal).toBeChecked();
  await look(true);
});

/** A PNG of one pixel. */
const dot = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A choice of the list that is open. */
const option = (page: Page, text: RegExp) => page.locator('.ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option').filter({ hasText: text }).first();

/** The sizes of the pages of a PDF, in points. */
function pages(pdf: Buffer): number[][] {
  const text = pdf.toString('latin1');
  const parts = [text];
  for (const m of text.matchAll(/stream\r?\n/g)) {
    const from = m.index + m[0].length;
    try {
      parts.push(inflateSync(pdf.subarray(from, text.indexOf('endstream', from))).toString('latin1'));
    } catch {
      // not packed
    }
  }
  return parts.flatMap((p) => [...p.matchAll(/\/MediaBox ?\[([^\]]+)\]/g)]).map((m) => m[1]!.trim().split(/\s+/).slice(2).map((n) => Math.round(Number(n))));
}
