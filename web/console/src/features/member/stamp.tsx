import { useFormat } from '@patron/shared/format/use-format.ts';

/** An instant in two lines, as ledgers have it: the day, and the time under it in third text. */
export function Stamp({ at }: { at: string }) {
  const { when, day, exact, language, zone } = useFormat();
  const time = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(at));
  const full = when(at);
  const first = full.endsWith(time) ? full.slice(0, -time.length).replace(/[, ]+$/, '') : day(at);
  return <time dateTime={at} title={exact(at)} lang={language} style={{ whiteSpace: 'nowrap', color: 'var(--text-2)' }}>{first}<span className="quiet" style={{ display: 'block' }}>{time}</span></time>;
}
