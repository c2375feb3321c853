import { useSyncExternalStore } from 'react';
import type { ThemeName } from './tokens.ts';

/** What a person chose; `system` follows the device. */
export type ThemeChoice = ThemeName | 'system';

const key = 'patron.theme';
const dark = window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

const choice = (): ThemeChoice => {
  const kept = localStorage.getItem(key);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
};
const effective = (): ThemeName => {
  const kept = choice();
  return kept === 'system' ? (dark.matches ? 'dark' : 'light') : kept;
};

function apply() {
  document.documentElement.dataset.theme = effective();
  listeners.forEach((tell) => tell());
}

dark.addEventListener('change', apply);
apply();

export function chooseTheme(next: ThemeChoice) {
  localStorage.setItem(key, next);
  apply();
}

const subscribe = (tell: () => void) => {
  listeners.add(tell);
  return () => listeners.delete(tell);
};

/** The theme that shows now. */
export const useTheme = (): ThemeName => useSyncExternalStore(subscribe, effective);
/** What was chosen, for the switch. */
export const useThemeChoice = (): ThemeChoice => useSyncExternalStore(subscribe, choice);
