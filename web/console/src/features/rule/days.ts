import type { Definition } from './api.ts';

/** Whether a rule counts at some time of a day (YYYY-MM-DD in the programme's zone); its hours are left to its words. */
export function countsOn(def: Definition, day: string): boolean {
  const v = def.valid ?? {};
  if (v.from && v.from.slice(0, 10) > day) return false;
  if (v.until && (v.until.slice(11, 16) > '00:00' ? v.until.slice(0, 10) < day : v.until.slice(0, 10) <= day)) return false;
  const date = new Date(`${day}T00:00:00Z`);
  const weekday = date.getUTCDay() || 7;
  const of = date.getUTCDate();
  const length = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  if (v.weekdays?.length && !v.weekdays.includes(weekday)) return false;
  if (v.month_days?.length && !v.month_days.includes(of) && !v.month_days.includes(of - length - 1)) return false;
  const set = [...(v.dates ?? []), ...(v.festivals ?? [])];
  return set.length === 0 || set.includes(day) || set.includes(day.slice(5)) || festivalsOf(date).some((f) => set.includes(f));
}

const lunar = new Intl.DateTimeFormat('en-u-ca-chinese', { month: 'numeric', day: 'numeric', timeZone: 'UTC' });

/** Month and day of the Chinese calendar; a leap month has none of the festivals. */
function lunarOf(date: Date): string {
  const parts = lunar.formatToParts(date);
  const of = (type: string) => parts.find((p) => p.type === type)?.value ?? '';
  return `${of('month')}-${of('day')}`;
}

const moons: Record<string, string> = { '1-1': 'spring_festival', '1-15': 'lantern', '5-5': 'dragon_boat', '7-7': 'qixi', '7-15': 'zhongyuan', '8-15': 'mid_autumn', '9-9': 'double_ninth', '12-8': 'laba' };

/** The festivals of a day, for the drawing alone: what counts is the server's calendar. */
export function festivalsOf(date: Date): string[] {
  const out: string[] = [];
  const moon = moons[lunarOf(date)];
  if (moon) out.push(moon);
  if (lunarOf(new Date(date.getTime() + 864e5)) === '1-1') out.push('new_years_eve');
  // The two that follow the sun, by the usual approximation for this century.
  const y = date.getUTCFullYear() % 100;
  const term = (c: number) => Math.floor(y * 0.2422 + c) - Math.floor(y / 4);
  if (date.getUTCMonth() === 3 && date.getUTCDate() === term(4.81)) out.push('qingming');
  if (date.getUTCMonth() === 11 && date.getUTCDate() === term(21.94)) out.push('winter_solstice');
  return out;
}

/** The days of a month: 2026-11 → 2026-11-01 … 2026-11-30. */
export function daysOf(month: string): string[] {
  const [y, m] = month.split('-').map(Number) as [number, number];
  const n = new Date(Date.UTC(y, m, 0)).getUTCDate();
  return Array.from({ length: n }, (_, i) => `${month}-${String(i + 1).padStart(2, '0')}`);
}
