/**
 * Which till this device is, and what the shop is like: kept here, since a till has to open without the
 * server. Of people only those found lately are kept, masked, and gone when the cashier signs out.
 */
import { useSyncExternalStore } from 'react';
import type { Pay } from './bounds.ts';
import { deviceOf, maskName, type Who } from './queue.ts';

export interface Place {
  store: string;
  storeCode: string;
  store_en: string;
  store_zh: string;
  address: string;
  till: string;
  device: string;
}

export interface Shop {
  name_en: string;
  name_zh: string;
  zone: string;
  currency: string;
  open: boolean;
  currencies: { code: string; kind: string; name_en: string; name_zh: string; decimals: number; millionths: number; pay?: Pay }[];
}

export interface Recent extends Who {
  id: string;
}

const keys = { place: 'patron.till.place', shop: 'patron.till.shop', recent: 'patron.till.recent', device: 'patron.till.device', pay: 'patron.till.pay' };
const mostRecent = 12;

const listeners = new Set<() => void>();
const cache = new Map<string, { text: string | null; value: unknown }>();

function read<T>(key: string): T | undefined {
  const text = localStorage.getItem(key);
  const had = cache.get(key);
  if (had && had.text === text) return had.value as T | undefined;
  let value: T | undefined;
  try {
    value = text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    value = undefined; // somebody else's words under our key
  }
  cache.set(key, { text, value });
  return value;
}

function write(key: string, value: unknown) {
  if (value === undefined) localStorage.removeItem(key);
  else localStorage.setItem(key, JSON.stringify(value));
  listeners.forEach((tell) => tell());
}

const subscribe = (tell: () => void) => {
  listeners.add(tell);
  window.addEventListener('storage', tell);
  return () => {
    listeners.delete(tell);
    window.removeEventListener('storage', tell);
  };
};

export const usePlace = () => useSyncExternalStore(subscribe, () => read<Place>(keys.place));
export const useShop = () => useSyncExternalStore(subscribe, () => read<Shop>(keys.shop));
const none: Recent[] = [];
export const useRecent = () => useSyncExternalStore(subscribe, () => read<Recent[]>(keys.recent) ?? none);

export const keepShop = (shop: Shop) => write(keys.shop, shop);

/** Chooses the till of this device. Its three signs are made once and stay with it. */
export function choosePlace(place: Omit<Place, 'device'>) {
  const device = read<string>(keys.device) ?? deviceOf(crypto.getRandomValues(new Uint8Array(3)));
  write(keys.device, device);
  write(keys.place, { ...place, device });
  void navigator.storage?.persist?.(); // so that the browser does not clear what waits when its disk is full
}

export const leavePlace = () => write(keys.place, undefined);

export function keepRecent(member: { id: string; number: string; name?: string }) {
  const list = (read<Recent[]>(keys.recent) ?? []).filter((r) => r.id !== member.id);
  write(keys.recent, [{ id: member.id, number: member.number, name: maskName(member.name) }, ...list].slice(0, mostRecent));
}

export const forgetRecent = () => write(keys.recent, undefined);

export const lastPay = () => read<string>(keys.pay) ?? 'cash';
export const keepPay = (kind: string) => write(keys.pay, kind);
