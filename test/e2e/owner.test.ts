import { accessible, expect, Server, test } from './patron.ts';

// A new owner: the link that the server printed, a password, and the console is theirs.
test('a new owner sets the programme up and is signed in', async ({ page }) => {
  const server = await Server.make('empty');
  try {
    await server.start();
    const link = /http:\/\/\S+\/setup#\S+/.exec(server.output)?.[0];
    expect(link, server.output).toBeTruthy();
    await page.goto(link!);
    await accessible(page);
    for (const [name, value] of [['email', 'owner@shop.example'], ['password', 'a long walk to the tea house']] as const) {
      await page.locator(`input[type=${name}]`).first().fill(value);
    }
    await page.locator('form button[type=submit]').click();
    await expect(page.locator('main')).toBeVisible();
    await accessible(page);
  } finally {
    await server.remove();
  }
});
