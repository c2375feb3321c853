import { chromium } from '@playwright/test';
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless','--no-sandbox','--disable-gpu','--disable-background-networking'] });
const [w,h] = (process.env.SIZE ?? '390x844').split('x').map(Number);
const c = await b.newContext({ viewport: { width: w, height: h }, locale: process.env.LOC ?? 'en-US', reducedMotion: 'reduce', hasTouch: w<500, isMobile: w<500 });
const p = await c.newPage();
await p.addInitScript(() => {
  const seen = { sum: 0, what: [] }; Object.assign(window, { shifts: seen });
  new PerformanceObserver((list) => { for (const e of list.getEntries()) { if (e.hadRecentInput) continue; seen.sum += e.value; seen.what.push(`${Math.round(e.startTime)} ${e.value.toFixed(3)} ${e.sources.map((s) => `${s.node instanceof Element ? s.node.tagName + '.' + s.node.className : s.node?.nodeName}[${s.previousRect.x|0},${s.previousRect.y|0},${s.previousRect.width|0},${s.previousRect.height|0}>${s.currentRect.x|0},${s.currentRect.y|0},${s.currentRect.width|0},${s.currentRect.height|0}]`).join(' ')}`); } }).observe({ type: 'layout-shift', buffered: true });
});
const url = 'http://127.0.0.1:8099';
await p.goto(url + '/'); await p.locator('input[type=email]').fill('owner@shop.example'); await p.locator('input[type=password]').fill('a long walk to the tea house'); await p.locator('form button[type=submit]').click(); await p.locator('#main').waitFor();
const cdp = await c.newCDPSession(p); await cdp.send('Emulation.setCPUThrottlingRate', { rate: Number(process.env.RATE ?? 6) });
for (const path of process.argv.slice(2)) {
  const t0 = Date.now();
  await p.goto(url + path); await p.waitForLoadState('load'); await p.locator('main h1').first().waitFor(); await p.waitForTimeout(2500);
  const s = await p.evaluate(() => window.shifts); console.log(path, s.sum.toFixed(3), Date.now()-t0, '\n   ' + s.what.join('\n   '));
}
await b.close();
