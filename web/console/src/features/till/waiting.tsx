import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Shop } from './device.ts';
import { Dialog } from './dialog.tsx';
import type { Entry } from './queue.ts';
import { drop, knock, mend, useTill } from './sender.ts';
import styles from './till.module.css';

/** Sales that are on this device alone: what waits for the line, and what the server would not have. */
export function Waiting({ shop, close }: { shop: Shop; close: () => void }) {
  const { t } = useTranslation('till');
  const { line, entries } = useTill();
  const list = entries.filter((e) => e.state === 'waiting' || e.state === 'aside').sort((a, b) => Number(b.state === 'aside') - Number(a.state === 'aside') || a.n - b.n);
  const waiting = list.filter((e) => e.state === 'waiting').length;
  return (
    <Dialog title={t('waiting.title')} close={close} wide>
      <p className={styles.note}>{list.length === 0 ? t('waiting.none') : line === 'online' ? t('waiting.online') : t('waiting.offline')}</p>
      <ul className={styles.queue}>
        {list.map((e) => <Row key={e.document} entry={e} shop={shop} />)}
      </ul>
      {waiting > 0 && <button type="button" className={styles.button} onClick={() => void knock()}><Icon name="refresh" />{t('waiting.try')}</button>}
    </Dialog>
  );
}

function Row({ entry, shop }: { entry: Entry; shop: Shop }) {
  const { t } = useTranslation('till');
  const { money, when } = useFormat();
  const [asking, setAsking] = useState<'member' | 'drop'>();
  const [text, setText] = useState('');
  const { sale, state } = entry;
  const whom = entry.typed ?? (entry.who ? `${entry.who.name} ${entry.who.number}` : undefined);
  return (
    <li>
      <div className={styles.pair}><b>{entry.document}</b><span className={styles.num}>{money(sale.total, shop.currency)}</span></div>
      <div className={styles.pair}>
        <span className={styles.second}>{when(sale.at)}{whom && ` · ${whom}`}</span>
        <span className={state === 'aside' ? styles.isBad : styles.isWaiting}><Icon name={state === 'aside' ? 'warning' : 'clock'} size={16} />{t(`waiting.state.${state}`)}</span>
      </div>
      {state === 'aside' && (
        <>
          <p className={styles.reason}><Reason entry={entry} /></p>
          <div className={styles.quick}>
            <button type="button" onClick={() => void mend(entry.document)}>{t('waiting.again')}</button>
            {!sale.payments?.some((p) => p.kind === 'points') && <button type="button" onClick={() => setAsking('member')}>{t('waiting.member')}</button>}
            <button type="button" className={styles.danger} onClick={() => setAsking('drop')}>{t('waiting.drop')}</button>
          </div>
          {asking === 'member' && (
            <form
              className={styles.askForm}
              onSubmit={(event) => {
                event.preventDefault();
                void mend(entry.document, text.trim() ? { typed: text.trim() } : { none: true });
              }}
            >
              <label>{t('waiting.whom')}<input value={text} autoFocus maxLength={200} onChange={(e) => setText(e.target.value)} /></label>
              <button type="submit" className={styles.button}>{text.trim() ? t('waiting.sendFor', { text: text.trim() }) : t('waiting.sendNobody')}</button>
            </form>
          )}
          {asking === 'drop' && (
            <div className={styles.askForm}>
              <p>{t('waiting.dropText', { number: entry.document, money: money(sale.total, shop.currency) })}</p>
              <div className={styles.quick}>
                <button type="button" onClick={() => setAsking(undefined)}>{t('waiting.keep')}</button>
                <button type="button" className={styles.danger} onClick={() => void drop(entry.document)}>{t('waiting.dropSum', { number: entry.document })}</button>
              </div>
            </div>
          )}
        </>
      )}
    </li>
  );
}

/** Why a sale was set aside, in words that say what to do. */
export function Reason({ entry }: { entry: Entry }) {
  const { t } = useTranslation('till');
  const { problem, typed } = entry;
  if (problem?.code === 'till.nobody') return <>{t('waiting.nobody', { text: typed })}</>;
  if (problem?.code === 'till.many') return <>{t('waiting.many', { text: typed })}</>;
  return <>{problem?.detail}</>;
}
