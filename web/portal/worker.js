// The service worker of the portal. The build puts VERSION and FILES before it (vite.config.ts).
//
// The shell (page, scripts, styles) is kept as a whole, so the portal opens without a network. Of what the
// API says only the programme and the member's card are kept, network first, with the time they were read.
// Codes, lists and writes never: they go past the worker.
const SHELL = `patron-shell-${VERSION}`;
const MEMBER = 'patron-member';
const page = '/portal/';
const kept = ['/portal/v1/me', '/portal/v1/program', '/portal/v1/manifest'];
const asOf = 'X-Patron-As-Of';

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES.map((url) => new Request(url, { cache: url.includes('/assets/') ? 'default' : 'reload' })))));
  self.skipWaiting();
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    // The version before stays: pages that are open still ask for its parts.
    const old = (await caches.keys()).filter((name) => name.startsWith('patron-shell-') && name !== SHELL);
    await Promise.all(old.slice(0, -1).map((name) => caches.delete(name)));
    await self.clients.claim();
  })());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (url.pathname.startsWith('/portal/v1/')) {
    if (kept.includes(url.pathname) && !url.searchParams.has('store')) event.respondWith(freshOrKept(request, url.pathname));
    return;
  }
  if (request.mode === 'navigate') event.respondWith(shell(request));
  else if (FILES.includes(url.pathname) || url.pathname.startsWith('/portal/assets/')) event.respondWith(file(request));
});

async function freshOrKept(request, name) {
  const cache = await caches.open(MEMBER);
  try {
    const answer = await fetch(request);
    if (answer.ok) {
      const copy = new Response(await answer.clone().blob(), { headers: { 'Content-Type': answer.headers.get('Content-Type'), [asOf]: new Date().toISOString() } });
      await cache.put(name, copy);
    } else if (answer.status === 401) {
      await cache.delete(name);
    }
    return answer;
  } catch (error) {
    const copy = await cache.match(name);
    if (copy) return copy;
    throw error;
  }
}

/** The page of now where the network has it within three seconds, else the kept one. */
async function shell(request) {
  const copy = await caches.match(page);
  if (!copy) return fetch(request);
  const late = new Promise((done) => setTimeout(() => done(copy), 3000));
  const now = fetch(request).then((answer) => (answer.status >= 500 ? copy : answer)).catch(() => copy);
  return (await Promise.race([now, late])).clone();
}

async function file(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}
