import { pointsFigure, pointsUnit } from '../format/format.ts';
import { useFormat } from '../format/use-format.ts';
import styles from './num.module.css';

interface Props {
  /** In the smallest unit of their currency. */
  amount: number;
  /** Of their currency; most have none. */
  decimals?: number;
  /** A change: `+86`. Balances have no sign. */
  signed?: boolean;
}

/** Points end in their unit: `2,480 分`. */
export function Points({ amount, decimals = 0, signed }: Props) {
  const { language } = useFormat();
  return (
    <span className={styles.num}>
      {pointsFigure(amount, decimals, signed)}<i className={styles.unit}>{pointsUnit(amount, language, decimals)}</i>
    </span>
  );
}
