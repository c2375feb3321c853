// The service worker of the till. The build puts VERSION and FILES before it (vite.config.ts).
//
// It keeps the page and what the till is made of, nothing else: the till opens while the server is away.
// What the API says goes past it, always. Sales that wait lie in IndexedDB and are the page's own affair.
const SHELL = `patron-till-${VERSION}`;
const page = '/till';

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll([page, ...FILES].map((url) => new Request(url, {
    cache: url.startsWith('/assets/') ? 'default' : 'reload',
    headers: url === page ? { Accept: 'text/html' } : {}, // the server gives the page to whoever asks for one
  })))));
  self.skipWaiting();
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    // The version before stays: pages that are open still ask for its parts.
    const old = (await caches.keys()).filter((name) => name.startsWith('patron-till-') && name !== SHELL);
    await Promise.all(old.slice(0, -1).map((name) => caches.delete(name)));
    await self.clients.claim();
  })());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate') event.respondWith(shell(request));
  else if (url.pathname.startsWith('/assets/') || FILES.includes(url.pathname)) event.respondWith(file(request));
});

/** The page of now where the server has it within two seconds, else the kept one. */
async function shell(request) {
  const copy = await (await caches.open(SHELL)).match(page, { ignoreVary: true });
  if (!copy) return fetch(request);
  const late = new Promise((done) => setTimeout(() => done(copy), 2000));
  const now = fetch(request).then((answer) => (answer.ok ? answer : copy)).catch(() => copy);
  return (await Promise.race([now, late])).clone();
}

async function file(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}
