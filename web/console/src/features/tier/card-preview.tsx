import type { TierScheme } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { cardColors } from '@patron/shared/standing/card-colors.ts';
import { tierIcon } from '@patron/shared/standing/tier-mark.tsx';
import { useStandingWords } from '@patron/shared/standing/words.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useCurrencies } from '../../frame/lookups.ts';
import { programQuery, useMe } from '../../frame/me.ts';
import { useAmountText } from '../../ui/use-amount-text.ts';
import styles from './card-preview.module.css';

/** What a member of the open rung sees: the card, what it gives, and the way to the next one. */
export function CardPreview({ scheme, at }: { scheme: TierScheme; at: number }) {
  const { t } = useTranslation('tier');
  const { named } = useFormat();
  const money = useQuery(programQuery).data?.currency;
  const me = useMe();
  const currencies = useCurrencies();
  const amountText = useAmountText();
  const words = useStandingWords({ money, decimals: scheme.currency ? currencies.decimalsOf(scheme.currency) : 0 });
  const tiers = scheme.tiers ?? [];
  const tier = tiers[at] ?? tiers.at(-1);
  if (!tier) return null;
  const next = tiers[tiers.indexOf(tier) + 1];
  const c = cardColors(tier.color);
  const gives = words.gives(tier.benefits);
  return (
    <div className={styles.preview}>
      <div className={styles.card} style={c && { background: c.ground, color: c.text }}>
        <span className={styles.tier}><Icon name={tierIcon(tier.icon)} size={22} />{named(tier) || tier.code}</span>
        <b>{me.name}</b>
        <span className={styles.note}>{next ? t('preview.next', { name: named(next), asks: words.asks(next.qualify) }) : t('preview.top')}</span>
      </div>
      {gives.length > 0 ? <ul className={styles.gives}>{gives.map((line, i) => <li key={i}><Icon name="approve" size={16} />{line}</li>)}</ul> : <p className="quiet">{t('noBenefits')}</p>}
      {tier.welcome && <p className="quiet">{t('preview.welcome', { amount: amountText(tier.welcome.amount, tier.welcome.currency) })}</p>}
    </div>
  );
}
