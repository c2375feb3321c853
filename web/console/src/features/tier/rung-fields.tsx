import type { Tier } from '@patron/shared/api/schema.d.ts';
import { decimalsOf, symbolOf } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { tierIcon, tierIcons } from '@patron/shared/standing/tier-mark.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Checkbox, ColorPicker, Form, Input, InputNumber, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useCurrencies } from '../../frame/lookups.ts';
import styles from './rungs.module.css';
import type { Units, Values } from './scheme.ts';

interface Props {
  i: number;
  tier: Tier;
  scheme: Values;
  /** Members stand on it: its code stays. */
  fixed: boolean;
  change: (patch: Partial<Tier>) => void;
  units: Units;
}

// Grounds of cards: quiet colours that bear white text, from the paper of the design.
const colors = ['#574C55', '#6F7F86', '#8A5A00', '#1F7161', '#3F5B94', '#612F4E', '#B3321F', '#241B22'];

/** All that one rung is made of. */
export function RungFields({ i, tier, scheme, fixed, change, units }: Props) {
  const { t } = useTranslation('tier');
  const currencies = useCurrencies();
  const points = currencies.list.filter((c) => c.kind !== 'stored').map((c) => ({ value: c.code, label: currencies.nameOf(c.code) }));
  const welcome = tier.welcome?.currency;
  return (
    <>
      <div className={styles.pair}>
        <Form.Item name={[i, 'name_zh']} label={t('field.nameZh')}><Input maxLength={120} /></Form.Item>
        <Form.Item name={[i, 'name_en']} label={t('field.nameEn')}><Input maxLength={120} /></Form.Item>
        <Form.Item name={[i, 'code']} label={t('field.code')} extra={fixed ? t('field.codeFixed') : undefined}><Input maxLength={40} disabled={fixed} /></Form.Item>
        <Form.Item label={t('field.color')}>
          <Form.Item name={[i, 'color']} noStyle getValueFromEvent={(color: { toHexString: () => string }) => color.toHexString().slice(0, 7).toUpperCase()}>
            <ColorPicker disabledAlpha showText presets={[{ label: t('field.colors'), colors }]} />
          </Form.Item>
        </Form.Item>
      </div>
      <div className={styles.icons} role="group" aria-label={t('field.icon')}>
        {tierIcons.map((name) => <button key={name} type="button" aria-pressed={tierIcon(tier.icon) === name} aria-label={t(`icon.${name}`)} title={t(`icon.${name}`)} onClick={() => change({ icon: name })}><Icon name={name} /></button>)}
      </div>
      <div className={styles.part}>
        <h4>{i === 0 ? t('part.reachFirst') : t('part.reach')}</h4>
        <Criteria i={i} of="qualify" scheme={scheme} units={units} />
      </div>
      {scheme.term?.kind !== 'forever' && (
        <div className={styles.part}>
          <Checkbox checked={!!tier.keep} onChange={(e) => change({ keep: e.target.checked ? { ...tier.qualify } : undefined } as Partial<Tier>)}>{t('part.keep')}</Checkbox>
          {tier.keep && <div style={{ marginTop: 8 }}><Criteria i={i} of="keep" scheme={scheme} units={units} /></div>}
        </div>
      )}
      <div className={styles.part}>
        <h4>{t('part.gives')}</h4>
        <div className={styles.sentence}>
          <span>{t('say.multiplier')}</span>
          <Form.Item name={[i, 'benefits', 'earn_multiplier']}><InputNumber aria-label={t('field.multiplier')} min={0} max={100} step={0.1} precision={3} formatter={plain} suffix={t('unit.times')} style={{ width: 104 }} placeholder="1" /></Form.Item>
          <span>{t('say.discount')}</span>
          <Form.Item name={[i, 'benefits', 'discount_percent']}><InputNumber aria-label={t('field.discount')} min={0} max={100} precision={0} suffix="%" style={{ width: 96 }} placeholder="0" /></Form.Item>
        </div>
        <div className={styles.sentence} style={{ gap: '0 20px' }}>
          {(['birthday_gift', 'free_delivery', 'service_priority'] as const).map((key) => (
            <Form.Item key={key} name={[i, 'benefits', key]} valuePropName="checked"><Checkbox style={{ lineHeight: '36px' }}>{t(`gives.${key}`)}</Checkbox></Form.Item>
          ))}
        </div>
        <div className={styles.pair} style={{ marginTop: 4 }}>
          <Form.Item name={[i, 'benefits', 'text_zh']} label={t('field.textZh')} extra={t('field.textHelp')}><Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} maxLength={2000} /></Form.Item>
          <Form.Item name={[i, 'benefits', 'text_en']} label={t('field.textEn')}><Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} maxLength={2000} /></Form.Item>
        </div>
      </div>
      <div className={styles.part}>
        <h4>{t('part.welcome')}</h4>
        <div className={styles.sentence}>
          <Form.Item name={[i, 'welcome', 'amount']}><InputNumber aria-label={t('field.welcome')} min={0} precision={welcome ? units.pointDecimals(welcome) : 0} style={{ width: 120 }} placeholder="0" /></Form.Item>
          <Form.Item name={[i, 'welcome', 'currency']}><Select aria-label={t('field.welcomeCurrency')} allowClear placeholder={t('say.noWelcome')} popupMatchSelectWidth={false} style={{ minWidth: 140 }} options={points} /></Form.Item>
          <span>{t('say.welcome')}</span>
        </div>
      </div>
    </>
  );
}

/** What is asked: sums, and a condition for those who need one. */
function Criteria({ i, of, scheme, units }: { i: number; of: 'qualify' | 'keep'; scheme: Values; units: Units }) {
  const { t } = useTranslation('tier');
  const symbol = symbolOf(units.money, useFormat().language);
  return (
    <>
      <div className={styles.sentence}>
        <Form.Item name={[i, of, 'any']} getValueProps={(v?: boolean) => ({ value: v ? 'any' : 'all' })} normalize={(v: string) => v === 'any'}>
          <Select aria-label={t('field.any')} style={{ width: 128 }} options={[{ value: 'any', label: t('any.any') }, { value: 'all', label: t('any.all') }]} />
        </Form.Item>
        <span>{t('say.spend')}</span>
        <Form.Item name={[i, of, 'spend']}><InputNumber aria-label={t('field.spend')} min={0} precision={decimalsOf(units.money)} formatter={plain} prefix={symbol} style={{ width: 128 }} placeholder={t('say.notAsked')} /></Form.Item>
        <span>{t('say.visits')}</span>
        <Form.Item name={[i, of, 'visits']}><InputNumber aria-label={t('field.visits')} min={0} max={1_000_000} precision={0} suffix={t('unit.visits')} style={{ width: 136 }} placeholder={t('say.notAsked')} /></Form.Item>
        {scheme.currency && (
          <>
            <span>{t('say.growthNeed')}</span>
            <Form.Item name={[i, of, 'growth']}><InputNumber aria-label={t('field.growth')} min={0} precision={units.pointDecimals(scheme.currency)} style={{ width: 120 }} placeholder={t('say.notAsked')} /></Form.Item>
          </>
        )}
      </div>
      <div style={{ marginTop: 8, maxWidth: 560 }}>
        <Form.Item name={[i, of, 'condition']} extra={t('field.conditionHelp')} style={{ marginBottom: 0 }}><Input.TextArea aria-label={t('field.condition')} placeholder={t('say.condition')} autoSize={{ minRows: 1, maxRows: 6 }} maxLength={8000} style={{ fontFamily: 'ui-monospace, monospace' }} /></Form.Item>
      </div>
    </>
  );
}

/** Thresholds are round mostly: no `.00` behind them, once they are typed. */
const plain = (v: string | number | undefined, { userTyping, input }: { userTyping: boolean; input: string }) => (userTyping ? input : v === undefined || v === '' ? '' : String(Number(v)));
