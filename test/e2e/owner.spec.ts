import { expect, test } from './fixtures.ts';
import { startServer } from './server.ts';

// The first day: the link that the server printed, the first member, and there they are.
test('a new owner sets up and adds the first member', async ({ page, say, accessible }) => {
  const server = await startServer();
  try {
    await page.goto(server.ownerLink);
    await page.getByLabel(say('姓名', 'Name')).fill('周敏');
    await page.getByLabel(say('邮箱', 'E-mail')).fill('owner@example.com');
    const field = page.getByLabel(say('密码', 'Password'), { exact: true });
    const enter = page.getByRole('button', { name: say('创建并登录', 'Create and sign in') });

    await field.fill('short'); // what the server says stands beside the field
    await enter.click();
    await expect(page.locator('.ant-form-item-has-error').getByLabel(say('密码', 'Password'), { exact: true })).toBeVisible();
    await accessible();

    await field.fill('a teapot under seven blue roofs');
    await enter.click();
    await page.getByRole('link', { name: say('看会员', 'See the members') }).click();
    await expect(page.getByRole('heading', { name: say('还没有会员', 'No members yet') })).toBeVisible();
    await accessible();

    const add = say('登记会员', 'Add a member');
    await page.getByRole('button', { name: add }).first().click();
    const form = page.getByRole('dialog', { name: add });
    await form.getByLabel(say('手机', 'Phone')).fill('13812346027');
    await form.getByLabel(say('姓名', 'Name')).fill('林静怡');
    await accessible();
    await form.getByRole('button', { name: add }).click();

    await expect(page.getByRole('row').filter({ hasText: '林静怡' })).toContainText('138 **** 6027');
    await accessible();
  } finally {
    await server.stop();
  }
});

test('who may not see members is told so', async ({ page, say, signIn, demo, accessible }) => {
  await signIn(demo, 'analyst');
  await page.goto(`${demo.url}/members`);
  await expect(page.getByRole('heading', { name: say('这页要“查看会员”权限', 'This page needs the permission “See members”') })).toBeVisible();
  await expect(page.getByRole('link', { name: say('会员', 'Members'), exact: true })).toHaveCount(0);
  await accessible();
});
