/**
 * How amounts, instants and phone numbers look: design.md §6. Pure functions; components take the
 * language and the zone from useFormat.
 */
import type { Language } from '../i18n/i18n.ts';

const minus = '\u2212';
const nbsp = '\u00a0';

export interface Place {
  language: Language;
  /** The programme's time zone (IANA): its midnight begins a day, wherever the browser is. */
  zone: string;
}

export interface MoneyParts {
  sign: string;
  symbol: string;
  figure: string;
}

interface MoneyOptions {
  /** A headline: whole units, rounded. The exact amount belongs into its tooltip. */
  whole?: boolean;
  /** A threshold inside a sentence drops `.00`: 满 ¥50. */
  trim?: boolean;
  /** A change: shows `+` too. */
  signed?: boolean;
}

/** How many decimals amounts of a money have: 2 of the yuan, 0 of the yen. */
export const decimalsOf = (currency: string) => new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;

/** The yuan and the yen share a sign; a shop that reads ¥ means the yuan. */
export function symbolOf(currency: string, language: Language): string {
  if (currency === 'CNY') return '¥';
  if (currency === 'JPY') return 'JP¥';
  const parts = new Intl.NumberFormat(language, { style: 'currency', currency }).formatToParts(0);
  return parts.find((p) => p.type === 'currency')?.value ?? currency;
}

/** grouped writes an integer of the smallest unit with its decimals: 128650, 2 → 1,286.50. */
function grouped(units: number, decimals: number): string {
  const digits = Math.abs(units).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ',');
  return decimals ? `${whole}.${digits.slice(-decimals)}` : whole;
}

const signOf = (n: number, signed?: boolean) => (n < 0 ? minus : signed && n > 0 ? '+' : '');

/** Money in minor units, in the pieces that a page sets in different sizes. */
export function moneyParts(amount: number, currency: string, language: Language, options: MoneyOptions = {}): MoneyParts {
  const decimals = decimalsOf(currency);
  const unit = 10 ** decimals;
  const bare = options.whole || (options.trim && amount % unit === 0);
  const shown = bare ? Math.round(Math.abs(amount) / unit) : Math.abs(amount);
  return {
    sign: shown === 0 ? '' : signOf(amount, options.signed),
    symbol: symbolOf(currency, language),
    figure: grouped(shown, bare ? 0 : decimals),
  };
}

/** `¥1,286.50`, `−¥8.00`. */
export function formatMoney(amount: number, currency: string, language: Language, options?: MoneyOptions): string {
  const { sign, symbol, figure } = moneyParts(amount, currency, language, options);
  return sign + symbol + figure;
}

/** The figure of points, without its unit: `+86`, `−1,200`. `decimals` is their currency's. */
export function pointsFigure(amount: number, decimals = 0, signed = false): string {
  return signOf(amount, signed) + grouped(amount, decimals);
}

/** The unit behind points: 分, pts, and pt for exactly one. */
export function pointsUnit(amount: number, language: Language, decimals = 0): string {
  if (language === 'zh-CN') return '分';
  return Math.abs(amount) === 10 ** decimals ? 'pt' : 'pts';
}

/** `2,480 分`, `2,480 pts`; with a space that does not break. The sign shows only for changes. */
export function formatPoints(amount: number, language: Language, options: { decimals?: number; signed?: boolean } = {}): string {
  const { decimals = 0, signed = false } = options;
  return pointsFigure(amount, decimals, signed) + nbsp + pointsUnit(amount, language, decimals);
}

/** A count: `18,426`. */
export const formatCount = (n: number): string => signOf(n) + grouped(Math.round(Math.abs(n)), 0);

/** A share of 1: `12.7%`. */
export const formatPercent = (share: number, decimals = 1): string => `${signOf(share)}${(Math.abs(share) * 100).toFixed(decimals)}%`;

/** The only place where figures are shortened, the axis of a chart: `1.2万`, `12k`. */
export function formatAxis(n: number, language: Language): string {
  const [unit, word] = language === 'zh-CN' ? [10_000, '万'] : Math.abs(n) >= 1_000_000 ? [1_000_000, 'm'] : [1_000, 'k'];
  if (Math.abs(n) < unit) return formatCount(n);
  return signOf(n) + String(Number((Math.abs(n) / unit).toFixed(1))) + (language === 'zh-CN' ? ' ' : '') + word;
}

interface Calendar {
  year: number;
  month: number;
  day: number;
  time: string;
}

const monthsEn = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const clocks = new Map<string, Intl.DateTimeFormat>(); // making one takes longer than using it a hundred times

function calendar(at: Date, zone: string): Calendar {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, year: 'numeric', month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    clocks.set(zone, clock);
  }
  const part = Object.fromEntries(clock.formatToParts(at).map((p) => [p.type, p.value]));
  return { year: Number(part.year), month: Number(part.month), day: Number(part.day), time: `${part.hour}:${part.minute}` };
}

/** Days from one calendar day to another. */
const dayGap = (from: Calendar, to: Calendar) => Math.round((Date.UTC(to.year, to.month - 1, to.day) - Date.UTC(from.year, from.month - 1, from.day)) / 86_400_000);

function dayWords(c: Calendar, thisYear: number, language: Language): string {
  if (language === 'zh-CN') return `${c.year === thisYear ? '' : `${c.year}年`}${c.month}月${c.day}日`;
  return `${c.day} ${monthsEn[c.month - 1]}${c.year === thisYear ? '' : ` ${c.year}`}`;
}

/** A day: `11月20日`, `20 Nov`; another year is named: `2024年3月2日`, `2 Mar 2024`. */
export function formatDay(at: Date, { language, zone }: Place, now = new Date()): string {
  return dayWords(calendar(at, zone), calendar(now, zone).year, language);
}

/** An instant: `今天 14:05`, `11月20日 18:12`, `20 Nov, 18:12`; of another year only the day. */
export function formatWhen(at: Date, place: Place, now = new Date()): string {
  const [then, today] = [calendar(at, place.zone), calendar(now, place.zone)];
  const zh = place.language === 'zh-CN';
  if (dayGap(today, then) === 0) return `${zh ? '今天' : 'Today'} ${then.time}`;
  const day = dayWords(then, today.year, place.language);
  return then.year === today.year ? `${day}${zh ? ' ' : ', '}${then.time}` : day;
}

/** The same with everything, for a tooltip: `2024年3月2日 09:30 (Asia/Shanghai)`. */
export function formatExact(at: Date, { language, zone }: Place): string {
  const c = calendar(at, zone);
  return `${dayWords(c, 0, language)}${language === 'zh-CN' ? ' ' : ', '}${c.time} (${zone})`;
}

/**
 * A deadline, an instant that is *exclusive*, as expiry is: midnight of 1 January ends 31 December.
 * Within two days it says so in words: `明天 23:59`, `Tomorrow 23:59`; else `12月31日`, `31 Dec`.
 */
export function formatDeadline(end: Date, place: Place, now = new Date()): string {
  const last = calendar(new Date(end.getTime() - 1), place.zone);
  const today = calendar(now, place.zone);
  const word = { 'zh-CN': ['今天', '明天', '后天'], en: ['Today', 'Tomorrow'] }[place.language][dayGap(today, last)];
  return word ? `${word} ${last.time}` : dayWords(last, today.year, place.language);
}

/** ISO 8601 with the zone's offset, as files carry it: `2026-11-20T18:12:00+08:00`. */
export function formatISO(at: Date, zone: string): string {
  const offset = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(at).find((p) => p.type === 'timeZoneName')!.value.slice(3) || '+00:00';
  const minutes = (offset[0] === '-' ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6)));
  return new Date(at.getTime() + minutes * 60_000).toISOString().slice(0, 19) + offset;
}

/**
 * `138 **** 6027`; other countries `+44 **** 3210`. A number that the API has masked already only gets
 * its spaces.
 */
export function maskPhone(phone: string): string {
  const bare = phone.replace(/[\s-]/g, '');
  const chinese = /^(?:\+?86)?(1[\d*]{2})[\d*]{4}([\d*]{4})$/.exec(bare);
  if (chinese) return `${chinese[1]} **** ${chinese[2]}`;
  const foreign = /^(\+(?:[17]|(?:2[1-689]|3[578]|42|5[09]|6[789]|8[0578]|9[679])\d|\d\d))[\d*]+?([\d*]{4})$/.exec(bare);
  return foreign ? `${foreign[1]} **** ${foreign[2]}` : `**** ${bare.slice(-4)}`;
}
