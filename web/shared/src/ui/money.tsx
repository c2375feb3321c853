import { moneyParts } from '../format/format.ts';
import { useFormat } from '../format/use-format.ts';
import styles from './num.module.css';

interface Props {
  /** In minor units: 1250 is ¥12.50. */
  amount: number;
  currency: string;
  /** A headline in whole units; the exact amount is in its tooltip. */
  whole?: boolean;
  /** In a sentence: no `.00`. */
  trim?: boolean;
  /** A change: `+` too. */
  signed?: boolean;
}

/** Money leads with its sign: `¥1,286.50`, `−¥8.00`. */
export function Money({ amount, currency, ...options }: Props) {
  const { language, money } = useFormat();
  if (currency === '') return <>–</>; // a return that waits for its sale has no currency yet
  const { sign, symbol, figure } = moneyParts(amount, currency, language, options);
  return (
    <span className={styles.num} title={options.whole ? money(amount, currency) : undefined}>
      {sign}<i className={styles.symbol}>{symbol}</i>{figure}
    </span>
  );
}
