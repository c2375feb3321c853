import { chromium } from '@playwright/test';
const url = 'http://127.0.0.1:8099';
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless','--no-sandbox','--disable-gpu','--disable-background-networking'] });
const paths = process.argv.slice(2);
for (const [size, loc] of [['1440x900','zh-CN'],['390x844','en-US'],['1440x900','en-US'],['390x844','zh-CN']]) {
  const [w,h] = size.split('x').map(Number);
  const c = await b.newContext({ viewport: { width: w, height: h }, locale: loc, reducedMotion: 'reduce', hasTouch: w<500, isMobile: w<500 });
  const p = await c.newPage();
  await p.goto(url + '/'); await p.locator('input[type=email]').fill('owner@shop.example'); await p.locator('input[type=password]').fill('a long walk to the tea house'); await p.locator('form button[type=submit]').click(); await p.locator('#main').waitFor();
  for (const path of paths) {
    await p.goto(url + path); await p.waitForLoadState('load'); await p.waitForTimeout(1500);
    await p.screenshot({ path: `/tmp/scratch/shots/${path.replace(/[^a-z0-9]+/g,'-').slice(0,30)}-${w}-${loc.slice(0,2)}.png`, fullPage: w > 500 ? false : false });
  }
  await c.close();
}
await b.close();
