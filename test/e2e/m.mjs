import { chromium } from '@playwright/test';
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless','--no-sandbox','--disable-gpu'] });
for (const [w,loc] of [[390,'en-US'],[390,'zh-CN'],[360,'en-US'],[1440,'en-US'],[1440,'zh-CN']]) {
const c = await b.newContext({ viewport: { width: w, height: 844 }, locale: loc, reducedMotion: 'reduce' });
const p = await c.newPage();
const url = 'http://127.0.0.1:8099';
await p.goto(url + '/'); await p.locator('input[type=email]').fill('owner@shop.example'); await p.locator('input[type=password]').fill('a long walk to the tea house'); await p.locator('form button[type=submit]').click(); await p.locator('#main').waitFor();
for (const path of ['/','/plans','/liability']) { await p.goto(url+path); await p.waitForTimeout(1500);
console.log(w,loc,path, await p.evaluate(() => [...document.querySelectorAll('dl[class*=_row]')].map(r => r.offsetHeight + ': ' + [...r.children].map(f => [...f.children].map(x=>x.offsetHeight).join('/')).join('  ')))); }
await c.close(); }
await b.close();
