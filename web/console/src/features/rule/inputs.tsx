import { moneyParts, pointsUnit } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';
import { InputNumber } from 'antd';
import { Fragment, type ReactNode } from 'react';
import { useCurrencies } from '../../frame/lookups.ts';
import { programQuery } from '../../frame/me.ts';
import styles from './editor.module.css';

/** A sentence with controls in it: `{per}` of the text is the control of that name. */
export function Sentence({ text, parts }: { text: string; parts: Record<string, ReactNode> }) {
  return (
    <div className={styles.line}>
      {text.split(/(\{\w+\})/).map((piece, i) => {
        const name = /^\{(\w+)\}$/.exec(piece)?.[1];
        return name ? <Fragment key={i}>{parts[name]}</Fragment> : piece.trim() && <span key={i}>{piece.trim()}</span>;
      })}
    </div>
  );
}

interface Amount {
  /** In the smallest unit. */
  value: number | undefined;
  label: string;
  onChange: (value: number | undefined) => void;
  disabled?: boolean;
  placeholder?: string;
  id?: string;
}

/** The programme's currency, its sign and its decimals. */
export function useOwnMoney() {
  const { language } = useFormat();
  const currency = useQuery(programQuery).data?.currency ?? 'CNY';
  const decimals = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  return { currency, decimals, symbol: moneyParts(0, currency, language).symbol };
}

/** An amount of money of the programme. */
export function MoneyInput({ value, label, onChange, ...rest }: Amount) {
  const { decimals, symbol } = useOwnMoney();
  return <Decimal {...rest} value={value} decimals={decimals} trim prefix={symbol} label={label} onChange={onChange} />;
}

/** An amount of a point currency; stored value is money. */
export function PointsInput({ value, currency, label, onChange, ...rest }: Amount & { currency: string | undefined }) {
  const { language } = useFormat();
  const { symbol } = useOwnMoney();
  const { list } = useCurrencies();
  const one = list.find((c) => c.code === currency);
  const decimals = one?.policy.decimals ?? 0;
  const stored = one?.kind === 'stored';
  return (
    <Decimal {...rest} value={value} decimals={decimals} label={label} onChange={onChange} prefix={stored ? symbol : undefined} suffix={stored ? undefined : pointsUnit(value ?? 0, language, decimals)} />
  );
}

interface DecimalProps extends Amount {
  decimals: number;
  /** Whole amounts without their decimals. */
  trim?: boolean;
  prefix?: ReactNode;
  suffix?: ReactNode;
}

function Decimal({ value, decimals, trim, label, onChange, ...rest }: DecimalProps) {
  const scale = 10 ** decimals;
  return (
    <InputNumber<number>
      {...rest}
      className={styles.number}
      controls={false}
      min={0}
      precision={trim && value !== undefined && value % scale === 0 ? undefined : decimals}
      value={value === undefined ? undefined : value / scale}
      aria-label={label}
      onChange={(n) => onChange(n === null ? undefined : Math.round(n * scale))}
    />
  );
}

/** A whole number with its unit. */
export function CountInput({ value, label, unit, min = 0, max, onChange, disabled, placeholder }: Amount & { unit?: string; min?: number; max?: number }) {
  return <InputNumber<number> className={styles.count} controls={false} precision={0} min={min} max={max} value={value} suffix={unit} aria-label={label} disabled={disabled} placeholder={placeholder} onChange={(n) => onChange(n ?? undefined)} />;
}
