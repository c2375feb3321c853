import { useSyncExternalStore } from 'react';

// A worker of a newer version has taken over: what is open is of the one before.
let newer = false;
const listeners = new Set<() => void>();

/** Registers the service worker once the page stands, so that it takes nothing from the first load. */
export function startWorker() {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const register = () => navigator.serviceWorker.register('/portal/sw.js', { scope: '/portal/', updateViaCache: 'none' }).catch(() => undefined); // private windows have none
  if (document.readyState === 'complete') void register();
  else window.addEventListener('load', () => void register(), { once: true });
  if (!navigator.serviceWorker.controller) return;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    newer = true;
    listeners.forEach((tell) => tell());
  });
}

const subscribe = (tell: () => void) => {
  listeners.add(tell);
  return () => listeners.delete(tell);
};

/** Whether loading anew would bring a newer version. */
export const useNewer = () => useSyncExternalStore(subscribe, () => newer);
