import type { ChangeProgramSettingsInBody, ProgramEarning, ProgramOffline, ProgramSettingsView } from '@patron/shared/api/schema.d.ts';

/** The languages of members in the order of preference, as one word for one choice. */
export const languageSets = ['zh-CN,en', 'en,zh-CN', 'zh-CN', 'en'] as const;

/** What the form of the programme holds. */
export interface Values {
  name_zh: string;
  name_en: string;
  languages: string;
  zone: string;
  currency: string;
  default_store: string;
  earning: ProgramEarning;
  offline: ProgramOffline;
  brand: { color?: string; tagline_zh?: string; tagline_en?: string };
}

export function valuesOf(s: ProgramSettingsView): Values {
  const { color, tagline_zh, tagline_en } = s.brand;
  return {
    name_zh: s.name_zh,
    name_en: s.name_en,
    languages: (s.languages ?? []).join(','),
    zone: s.zone,
    currency: s.currency,
    default_store: s.default_store,
    earning: s.earning,
    offline: s.offline,
    brand: { color, tagline_zh, tagline_en },
  };
}

/** What is other now. The API leaves alone what is not said, and takes earning, bounds for tills and brand as a whole. */
export function changesOf(s: ProgramSettingsView, now: Values): Omit<ChangeProgramSettingsInBody, 'version'> {
  const was = valuesOf(s);
  const out: Omit<ChangeProgramSettingsInBody, 'version'> = {};
  for (const name of ['name_zh', 'name_en', 'zone', 'currency', 'default_store'] as const) {
    if (now[name] !== undefined && now[name] !== was[name]) out[name] = now[name];
  }
  if (now.languages !== undefined && now.languages !== was.languages) out.languages = now.languages.split(',');
  const earning = { ...was.earning, ...now.earning };
  if (differs(earning, was.earning)) out.earning = earning;
  const offline = { ...was.offline, ...now.offline };
  if (differs(offline, was.offline)) out.offline = offline;
  const brand = { ...was.brand, ...now.brand };
  if (differs(brand, was.brand)) out.brand = { color: brand.color || undefined, tagline_zh: brand.tagline_zh || undefined, tagline_en: brand.tagline_en || undefined };
  return out;
}

/** Field by field; nothing and an empty text are the same. */
const differs = <T extends object>(a: T, b: T) => (Object.keys({ ...a, ...b }) as (keyof T)[]).some((name) => text(a[name]) !== text(b[name]));
const text = (value: unknown) => JSON.stringify(value ?? '');

/** How many decimals a currency has; what the browser does not know has two. */
export function decimalsOf(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

export const majorOf = (minor: number, currency: string) => minor / 10 ** decimalsOf(currency);
export const minorOf = (major: number, currency: string) => Math.round(major * 10 ** decimalsOf(currency));
