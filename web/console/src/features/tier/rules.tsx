import { Checkbox, Form, Input, InputNumber, Select, Switch } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useCurrencies } from '../../frame/lookups.ts';
import type { Values } from './scheme.ts';
import styles from './scheme-page.module.css';

interface Props {
  scheme: Values;
  fresh: boolean;
  change: (patch: Partial<Values>) => void;
}

/** The rules that hold for all rungs, each a sentence with its values in it. */
export function Rules({ scheme: s, fresh, change }: Props) {
  const { t } = useTranslation('tier');
  const currencies = useCurrencies();
  const term = s.term?.kind;
  return (
    <>
      <div className={styles.pair}>
        <Form.Item name="name_zh" label={t('field.nameZh')}><Input maxLength={120} /></Form.Item>
        <Form.Item name="name_en" label={t('field.nameEn')}><Input maxLength={120} /></Form.Item>
        {fresh && <Form.Item name="code" label={t('field.code')} extra={t('field.codeHelp')}><Input maxLength={40} /></Form.Item>}
      </div>
      <Line title={t('line.reach')}>
        <span>{t('say.within')}</span>
        <WindowFields name="window" kinds={['rolling', 'calendar', 'membership', 'lifetime']} kind={s.window?.kind} />
        <span>{t('say.rises')}</span>
      </Line>
      <Line title={t('line.keep')}>
        <Form.Item name={['term', 'kind']}><Select aria-label={t('field.term')} popupMatchSelectWidth={false} style={{ minWidth: 150 }} options={(['forever', 'months', 'calendar', 'membership', 'none'] as const).map((value) => ({ value, label: t(`term.${value}`) }))} /></Form.Item>
        {term === 'months' && <Form.Item name={['term', 'months']}><InputNumber aria-label={t('field.months')} min={1} max={120} precision={0} suffix={t('unit.months')} style={{ width: 120 }} /></Form.Item>}
        {term === 'calendar' && <Form.Item name={['term', 'period']}><Select aria-label={t('field.period')} style={{ width: 130 }} options={(['month', 'quarter', 'half', 'year'] as const).map((value) => ({ value, label: t(`period.${value}`) }))} /></Form.Item>}
        {(term === 'calendar' || term === 'membership') && <Form.Item name={['term', 'next']} valuePropName="checked"><Checkbox style={{ lineHeight: '36px' }}>{t('field.next')}</Checkbox></Form.Item>}
        {term !== 'forever' && (
          <>
            <span>{t('say.notKept')}</span>
            <Form.Item name="downgrade"><Select aria-label={t('field.downgrade')} popupMatchSelectWidth={false} style={{ minWidth: 150 }} options={(['none', 'one_step', 'reassess'] as const).map((value) => ({ value, label: t(`down.${value}`) }))} /></Form.Item>
            {term !== 'none' && (
              <>
                <span>{t('say.grace')}</span>
                <Form.Item name="grace_days"><InputNumber aria-label={t('field.grace')} min={0} max={366} precision={0} suffix={t('unit.days')} style={{ width: 110 }} /></Form.Item>
              </>
            )}
            <div className={styles.sentence} style={{ flexBasis: '100%' }}>
              <Checkbox style={{ lineHeight: '36px' }} checked={!!s.keep_window} onChange={(e) => change({ keep_window: e.target.checked ? { kind: 'term' } : undefined } as Partial<Values>)}>{t('field.keepWindow')}</Checkbox>
              {s.keep_window && <WindowFields name="keep_window" kinds={['term', 'rolling', 'calendar', 'membership', 'lifetime']} kind={s.keep_window.kind} />}
            </div>
          </>
        )}
        <div className={styles.sentence} style={{ flexBasis: '100%' }}>
          <Form.Item name="drop_on_return" valuePropName="checked"><Checkbox style={{ lineHeight: '36px' }}>{t('field.onReturn')}</Checkbox></Form.Item>
        </div>
      </Line>
      <Line title={t('line.tell')}>
        <span>{t('say.near')}</span>
        <Form.Item name="near_percent"><InputNumber aria-label={t('field.near')} min={0} max={99} precision={0} suffix="%" style={{ width: 96 }} /></Form.Item>
        <span>{t('say.nearEnd')}</span>
        <Form.Item name="warn_days"><InputNumber aria-label={t('field.warn')} min={0} max={366} precision={0} suffix={t('unit.days')} style={{ width: 110 }} /></Form.Item>
        <span>{t('say.warnEnd')}</span>
        <p className={styles.help}>{t('help.tell')}</p>
      </Line>
      <Line title={t('line.more')}>
        <span>{t('say.growth')}</span>
        <Form.Item name="currency"><Select aria-label={t('field.currency')} allowClear placeholder={t('say.noGrowth')} popupMatchSelectWidth={false} style={{ minWidth: 180 }} options={currencies.list.filter((c) => c.kind !== 'stored').map((c) => ({ value: c.code, label: currencies.nameOf(c.code) }))} /></Form.Item>
        <div className={styles.sentence} style={{ flexBasis: '100%', alignItems: 'center' }}>
          <Form.Item name="main" valuePropName="checked" noStyle><Switch size="small" aria-label={t('field.main')} /></Form.Item>
          <span>{t('field.main')}</span>
        </div>
        <p className={styles.help}>{t('help.main')}</p>
      </Line>
    </>
  );
}

const Line = ({ title, children }: { title: string; children: ReactNode }) => <div className={styles.line}><h3>{title}</h3><div className={styles.sentence}>{children}</div></div>;

type Kind = Values['window']['kind'];

function WindowFields({ name, kinds, kind }: { name: 'window' | 'keep_window'; kinds: readonly Kind[]; kind: Kind | undefined }) {
  const { t } = useTranslation('tier');
  return (
    <>
      <Form.Item name={[name, 'kind']}><Select aria-label={t('field.window')} popupMatchSelectWidth={false} style={{ minWidth: 140 }} options={kinds.map((value) => ({ value, label: t(`window.${value}`) }))} /></Form.Item>
      {kind === 'rolling' && <Form.Item name={[name, 'months']}><InputNumber aria-label={t('field.months')} min={1} max={120} precision={0} suffix={t('unit.months')} style={{ width: 120 }} /></Form.Item>}
      {kind === 'calendar' && <Form.Item name={[name, 'period']}><Select aria-label={t('field.period')} style={{ width: 130 }} options={(['month', 'quarter', 'half', 'year'] as const).map((value) => ({ value, label: t(`period.${value}`) }))} /></Form.Item>}
    </>
  );
}
