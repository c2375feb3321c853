import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { App, DatePicker, Modal, Radio } from 'antd';
import dayjs from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { ruleKeys, type Definition, type Rule } from './api.ts';
import { Changes } from './versions.tsx';
import styles from './editor.module.css';

interface Props {
  open: boolean;
  name: string;
  words: string;
  /** The rule as it is kept; nothing while it is new. */
  rule: Rule | undefined;
  def: Definition;
  /** Keeps what is not kept yet, and gives the rule as it is then. */
  save: () => Promise<Rule>;
  onClose: () => void;
  onDone: (rule: Rule) => void;
}

/** Publishes the draft: now, or from an instant on. What it changes stands there before. */
export function Publish({ open, name, words, rule, def, save, onClose, onDone }: Props) {
  const { t } = useTranslation('rule');
  const { message } = App.useApp();
  const { zone } = useFormat();
  const [later, setLater] = useState(false);
  const [at, setAt] = useState<dayjs.Dayjs | null>(null);
  const publish = useWrite(
    async (from: string | undefined, key) => {
      const kept = await save();
      return ok(api.POST('/v1/rules/{ref}/publish', { params: { path: { ref: kept.id }, header: { 'Idempotency-Key': `${key}-${kept.revision}` } }, body: { revision: kept.revision, ...(from ? { from } : {}) } }));
    },
    {
      invalidates: ruleKeys,
      onSuccess: (out) => {
        void message.success(t(out.state === 'scheduled' || (out.next && later) ? 'publish.planned' : 'publish.done'));
        onClose();
        onDone(out);
      },
    },
  );
  const first = !rule || rule.latest_version === 0;
  return (
    <Modal
      open={open}
      title={t(first ? 'publish.first' : 'publish.next', { name, version: (rule?.latest_version ?? 0) + 1 })}
      okText={t(later ? 'publish.plan' : 'publish.now')}
      cancelText={t('publish.not')}
      okButtonProps={{ loading: publish.isPending, disabled: later && !at }}
      onOk={() => publish.mutate(later && at ? at.format('YYYY-MM-DDTHH:mm:ss') : undefined)}
      onCancel={onClose}
      afterClose={() => publish.reset()}
      width={560}
    >
      <div className={styles.rows}>
        <ProblemAlert error={publish.error} />
        {first ? <p className={styles.say}>{words}</p> : <Changes before={rule.rule} after={def} />}
        <Radio.Group
          value={later}
          onChange={(e) => setLater(e.target.value as boolean)}
          style={{ display: 'grid', gap: 8 }}
          options={[{ value: false, label: t(first ? 'publish.fromToday' : 'publish.fromNow') }, { value: true, label: t('publish.later') }]}
        />
        {later && <DatePicker aria-label={t('publish.at')} showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" needConfirm={false} value={at} minDate={dayjs(new Date().toLocaleString('sv-SE', { timeZone: zone }).replace(' ', 'T'))} onChange={(d: dayjs.Dayjs | null) => setAt(d)} />}
        <p className={styles.hint}>{t(first ? 'publish.helpFirst' : 'publish.help')}</p>
      </div>
    </Modal>
  );
}
