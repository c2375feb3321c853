import { api, ok } from '@patron/shared/api/client.ts';
import type { TierSchemeView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useStandingWords } from '@patron/shared/standing/words.ts';
import { useQuery } from '@tanstack/react-query';
import { App } from 'antd';
import { useTranslation } from 'react-i18next';
import { useCurrencies } from '../../frame/lookups.ts';
import { programQuery } from '../../frame/me.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { useAmountText } from '../../ui/use-amount-text.ts';
import { differences } from './scheme.ts';
import styles from './publish.module.css';

/** Makes the draft live, after it has been said what that changes. */
export function Publish({ open, scheme: s, onClose }: { open: boolean; scheme: TierSchemeView; onClose: () => void }) {
  const { t } = useTranslation('tier');
  const { message } = App.useApp();
  const { named } = useFormat();
  const money = useQuery(programQuery).data?.currency;
  const currencies = useCurrencies();
  const amountText = useAmountText();
  const currency = s.draft?.currency ?? s.live?.currency;
  const words = useStandingWords({ money, decimals: currency ? currencies.decimalsOf(currency) : 0 });
  const publish = useWrite((edited: number, key) => ok(api.POST('/v1/tier-schemes/{code}/publish', { params: { path: { code: s.code }, query: { edited }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['tier-schemes'], ['tiers'], ['member'], ['members']],
    onSuccess: () => {
      void message.success(t('publish.done'));
      onClose();
    },
  });
  const list = s.draft ? differences(t, s.live, s.draft, { ...words, named, welcome: (w) => (w ? amountText(w.amount, w.currency) : '') }) : [];
  return (
    <ConfirmDialog
      open={open}
      title={s.live ? t('publish.titleAgain', { version: s.version + 1 }) : t('publish.title')}
      act={t('publish.act')}
      cancel={t('publish.cancel')}
      pending={publish.isPending}
      error={publish.error}
      onOk={() => publish.mutate(s.edited)}
      onCancel={() => {
        publish.reset();
        onClose();
      }}
    >
      {list.length === 0 ? <p>{t('publish.same')}</p> : (
        <ul className={styles.list}>
          {list.map((d, i) => (
            <li key={i}>
              <b>{d.label}</b>
              {s.live ? <><del>{d.before}</del><ins>{d.after}</ins></> : <ins>{d.after}</ins>}
            </li>
          ))}
        </ul>
      )}
      <p className="quiet">{t(s.draft?.term.kind === 'none' ? 'publish.noTerm' : 'publish.what')}</p>
    </ConfirmDialog>
  );
}
