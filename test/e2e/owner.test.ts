import { accessible, expect, overhang, password, Server, test } from './patron.ts';

// A new owner: the link that the server printed, a password, a till, the first member, the first sale,
// and what it did stands on the overview.
test('a new owner sets the programme up, enrols a member, sells, and sees it', async ({ page }) => {
  const server = await Server.make('empty');
  try {
    await server.start();
    const link = /http:\/\/\S+\/setup#\S+/.exec(server.output)?.[0];
    expect(link, server.output).toBeTruthy();
    await page.goto(link!);
    await accessible(page);
    const [name, email, secret] = ['input[autocomplete=name]', 'input[type=email]', 'input[type=password]'];
    await page.locator(name).fill('Lin');
    await page.locator(email).fill('owner@shop.example');
    await page.locator(secret).fill('too short');
    await page.locator('form button[type=submit]').click();
    await expect(page.locator('.ant-form-item-explain-error'), 'beside its field').toContainText('15');
    await page.locator(secret).fill(password);
    await page.locator('form button[type=submit]').click();
    await expect(page.locator('#main')).toBeVisible();
    await expect(page.locator('main')).toContainText(/28 天里没有销售|Nothing sold in 28 days/);
    await accessible(page);

    // Without a till there is no selling; the page says so and leads there.
    await page.goto(`${server.url}/till`);
    await page.getByRole('link', { name: /去添加收银机|Add a till/ }).click();
    await page.getByRole('button', { name: /^(新建收银台|Add a till)$/ }).first().click();
    const drawer = page.getByRole('dialog');
    await drawer.getByLabel(/^(编码|Code)$/).fill('front');
    await drawer.getByRole('combobox', { name: /^(门店|Store)$/ }).click();
    await page.locator('.ant-select-dropdown:visible .ant-select-item-option').first().click();
    await drawer.getByRole('button', { name: /^(新建收银台|Add a till)$/ }).click();
    await expect(page.locator('tr[data-row-key]')).toContainText('front');

    await page.goto(`${server.url}/members`);
    await page.getByRole('button', { name: /(新建会员|Add member)$/ }).first().click();
    await page.locator('#name').fill('Zhou Xiaoman');
    await page.locator('#phone').fill('13800000001');
    await accessible(page);
    await page.getByRole('dialog').getByRole('button', { name: /^(建会员|Add member)$/ }).click();
    await expect(page.getByRole('heading', { level: 2, name: 'Zhou Xiaoman' })).toBeVisible();

    await page.goto(`${server.url}/till`);
    await page.getByRole('button', { name: 'front', exact: true }).click();
    await page.locator('#till-find').fill('13800000001');
    await page.keyboard.press('Enter');
    await expect(page.locator('#till-amount')).toBeFocused();
    await page.keyboard.type('86');
    await page.keyboard.press('F9');
    await expect(page.getByText(/^(已入账|Recorded)$/)).toBeVisible();
    expect(await overhang(page)).toBe(0);

    await page.goto(`${server.url}/`);
    await expect(page.locator('dl, main').first()).toContainText('86');
    await expect(page.locator('main [role=img][aria-label*="86"]').first(), 'the day is drawn').toBeVisible();
    await page.goto(`${server.url}/sales`);
    await expect(page.locator('tr[data-row-key]')).toHaveCount(1);
    await page.locator('tr[data-row-key] a').first().click();
    await expect(page.locator('main')).toContainText('¥86.00');
    await expect(page.locator('aside li'), 'what it earned').toContainText(/\+86/);
  } finally {
    await server.remove();
  }
});
