import { Money } from '@patron/shared/ui/money.tsx';
import { Points } from '@patron/shared/ui/points.tsx';
import { useFormat } from '@patron/shared/format/use-format.ts';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { FigureRow, type Figure } from '../../ui/figure-row.tsx';
import type { Dashboard, DashFigure } from './api.ts';

/** Today against the same weekday before, or this month so far against as much of the last. */
export type Span = 'today' | 'month';

const rows = [
  ['sales_total', 'sales_count', 'participation', 'members_joined', 'active_members'],
  ['points_issued', 'points_redeemed', 'points_expired', 'points_clawed_back', 'points_outstanding'],
];

interface Props {
  dash: Dashboard | undefined;
  span: Span;
  updating: boolean;
}

export function Figures({ dash, span, updating }: Props) {
  const { t } = useTranslation('insight');
  const compared = useCompared();
  const figure = (key: string): Figure => {
    const f = dash?.figures?.find((it) => it.key === key);
    if (!dash || !f) return { key, name: t(`figure.${key}`), value: undefined, definition: '' };
    return {
      key,
      name: f.title,
      value: f[span].value === null ? '–' : <Amount unit={f.unit} value={f[span].value} dash={dash} whole />,
      compare: compared(f, span, dash),
      definition: f.definition,
      how: <><p>{f.explanation}</p><code>{f.formula}</code></>,
    };
  };
  return rows.map((keys) => <FigureRow key={keys[0]} figures={keys.map(figure)} asOf={dash?.as_of} updating={updating} />);
}

/** A value in the unit of its figure. */
export function Amount({ unit, value, dash, whole }: { unit: string; value: number; dash: Dashboard; whole?: boolean }): ReactNode {
  const { count, percent } = useFormat();
  switch (unit) {
    case 'money': return <Money amount={value} currency={dash.currency} whole={whole} />;
    case 'points': return <Points amount={value} decimals={dash.point_decimals} />;
    case 'basis_points': return percent(value / 10_000);
    default: return count(value);
  }
}

function useCompared() {
  const { t } = useTranslation('insight');
  const { money, points, count, percent } = useFormat();
  return (f: DashFigure, span: Span, dash: Dashboard): Figure['compare'] => {
    const was = f[span].compare?.[0];
    const is = f[span].value;
    if (!was || was.value === null || is === null) return undefined; // a share of nothing is no share
    const gap = is - was.value;
    const text = (n: number) => {
      switch (f.unit) {
        case 'money': return money(n, dash.currency, { whole: true });
        case 'points': return points(n, { decimals: dash.point_decimals });
        case 'basis_points': return t('points_of_percent', { n: (n / 100).toFixed(1) });
        default: return count(n);
      }
    };
    if (gap === 0) return { way: 'same', text: t(`same.${was.against}`) };
    const share = f.unit !== 'basis_points' && was.value > 0 ? t('share', { share: percent(Math.abs(gap) / was.value) }) : '';
    const words = { gap: text(Math.abs(gap)), share };
    return gap > 0 ? { way: 'up', text: t(`up.${was.against}`, words) } : { way: 'down', text: t(`down.${was.against}`, words) };
  };
}
