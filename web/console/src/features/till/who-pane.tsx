import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Points } from '@patron/shared/ui/points.tsx';
import { useQuery } from '@tanstack/react-query';
import { useState, type RefObject } from 'react';
import { useTranslation } from 'react-i18next';
import { ProgressBar, standingQuery } from '../../ui/standing.tsx';
import { useShop } from './device.ts';
import { Find, type Finder } from './find.tsx';
import type { Member } from './order.ts';
import { worthOf } from './queue.ts';
import styles from './till.module.css';

interface Props {
  member: Member | undefined;
  finder: RefObject<Finder | null>;
  offline: boolean;
  /** The sale is done: who it was for stays. */
  locked: boolean;
  found: (member: Member) => void;
  nobody: () => void;
  another: () => void;
}

/** Who buys: the field that finds them, then their card. */
export function WhoPane({ member, finder, offline, locked, found, nobody, another }: Props) {
  const { t } = useTranslation('till');
  return (
    <section className={`${styles.pane} ${styles.who}`} aria-label={t('who.title')}>
      <svg className={styles.eave} viewBox="0 0 32 32" width="220" height="220" fill="none" aria-hidden opacity=".07">
        <circle cx="16" cy="6.6" r="2" fill="#fff" />
        <path d="M6.4 16.4v-1.6a3.6 3.6 0 0 1 3.6-3.6h12a3.6 3.6 0 0 1 3.6 3.6v1.6" stroke="#fff" strokeWidth="2.8" strokeLinecap="round" />
        <circle cx="16" cy="21.6" r="5" fill="#fff" />
      </svg>
      {member ? <Card member={member} offline={offline} /> : locked ? <p className={styles.cardQuiet}>{t('who.nobody')}</p> : <Find ref={finder} found={found} nobody={nobody} />}
      {member && !locked && <button type="button" className={`${styles.onCard} ${styles.last}`} onClick={another}><Icon name="scan" size={22} />{t('who.another')}<kbd>F2</kbd></button>}
    </section>
  );
}

const soon = 45 * 24 * 3600_000;

function Card({ member, offline }: { member: Member; offline: boolean }) {
  const { t } = useTranslation('till');
  const { money, deadline, named } = useFormat();
  const shop = useShop();
  const [opened] = useState(Date.now);
  const standing = useQuery({ ...standingQuery(member.id ?? ''), enabled: !!member.id && !offline, retry: false }).data?.find((s) => s.main);
  const tier = standing?.tier;
  if (member.typed) {
    return (
      <div className={styles.card}>
        <div className={styles.cardQuiet}>{t('who.later')}</div>
        <div className={styles.name}>{member.typed}</div>
        <div className={styles.cardQuiet}>{t('who.laterText')}</div>
      </div>
    );
  }
  const wallets = (member.wallets ?? []).filter((w) => w.kind === 'points' || (w.kind === 'stored' && w.available > 0));
  return (
    <div className={styles.card}>
      <div className={styles.pair}><span>{tier ? named(tier) : t('who.member')}</span><span>{member.number}</span></div>
      <div className={styles.name}>{member.name || t('who.nameless')}</div>
      {member.phone && <div className={styles.cardQuiet}>{member.phone}</div>}
      {!member.wallets && <p className={styles.cardQuiet}>{offline ? t('who.balanceOffline') : t('who.balanceUnread')}</p>}
      {wallets.map((w) => {
        const millionths = shop?.currencies.find((c) => c.code === w.currency)?.millionths ?? 0;
        const ends = w.expiring?.[0];
        return (
          <div key={w.currency} className={styles.wallet}>
            <div className={styles.cardQuiet}>{t('who.usable', { name: named(w) })}</div>
            <div className={styles.balance}>{w.kind === 'stored' && shop ? money(worthOf(w.available, millionths), shop.currency) : <Points amount={w.available} decimals={w.decimals} />}</div>
            {w.kind === 'points' && millionths > 0 && shop && <div className={styles.cardQuiet}>{t('who.worth', { money: money(worthOf(w.available, millionths), shop.currency) })}</div>}
            {w.debt > 0 && <div className={styles.cardQuiet}>{t('who.debt')} <Points amount={w.debt} decimals={w.decimals} /></div>}
            {ends && Date.parse(ends.expires_at) - opened < soon && <div className={styles.cardQuiet}><Points amount={ends.amount} decimals={w.decimals} /> {t('who.expires', { when: deadline(ends.expires_at) })}</div>}
          </div>
        );
      })}
      {standing?.next && (
        <div className={styles.wallet}>
          <div className={styles.cardQuiet}>{t('who.next', { tier: named(standing.next.tier) })}</div>
          <ProgressBar progress={standing.next} onCard />
        </div>
      )}
    </div>
  );
}
