import { useFormat } from '../format/use-format.ts';

interface Props {
  /** As the API writes it. */
  at: string;
  /** `day`: no time. `deadline`: an exclusive end, `明天 23:59`. */
  as?: 'when' | 'day' | 'deadline';
}

/** An instant in the programme's zone; the whole of it in the tooltip. */
export function When({ at, as = 'when' }: Props) {
  const format = useFormat();
  return <time dateTime={at} title={format.exact(at)} style={{ whiteSpace: 'nowrap' }}>{format[as](at)}</time>;
}
