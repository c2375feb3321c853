import { decimalsOf, symbolOf } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Button, Checkbox, DatePicker, Form, Input, InputNumber, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useCurrencies, useTiers } from '../../frame/lookups.ts';
import { StoreSelect } from '../../ui/place-select.tsx';
import { Section } from '../../ui/section.tsx';
import styles from './coupon.module.css';
import type { Values } from './terms.ts';

const kinds = ['amount', 'percent', 'fixed_price', 'buy_get', 'gift', 'exchange', 'free_delivery'] as const;

/** The fields of a coupon, sentence by sentence: what it gives, from what on, for what, how long, how many, with what. */
export function Fields({ values, isNew, money }: { values: Values; isNew: boolean; money: string }) {
  const { t } = useTranslation('coupon');
  const { language } = useFormat();
  const currencies = useCurrencies();
  const kind = values.effect.kind;
  const per = values.effect.per ?? 'order';
  const shared = !!values.shared;
  const tags = (name: string) => <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', '，', ' ']} style={{ width: '100%' }} aria-label={name} />;
  const sum = (width = 140) => <InputNumber min={0} precision={decimalsOf(money)} prefix={symbolOf(money, language)} style={{ width }} />;
  const units = <InputNumber min={0} precision={0} style={{ width: 110 }} />;
  const pers = kind === 'amount' ? ['order', 'step', 'line', 'unit', 'cheapest', 'nth'] as const : kind === 'percent' ? ['order', 'line', 'unit', 'cheapest', 'nth'] as const : ['unit', 'cheapest', 'nth'] as const;
  return (
    <>
      <Section>
        <div className={styles.pair}>
          <Form.Item name="name_zh" label={t('field.nameZh')}><Input maxLength={100} /></Form.Item>
          <Form.Item name="name_en" label={t('field.nameEn')}><Input maxLength={100} /></Form.Item>
          <Form.Item name="text_zh" label={t('field.textZh')}><Input.TextArea autoSize={{ minRows: 1 }} maxLength={1000} /></Form.Item>
          <Form.Item name="text_en" label={t('field.textEn')}><Input.TextArea autoSize={{ minRows: 1 }} maxLength={1000} /></Form.Item>
          <Form.Item name="internal_note" label={t('field.note')} extra={t('field.noteHelp')}><Input maxLength={500} /></Form.Item>
          {isNew && <Form.Item name="code" label={t('field.code')} extra={t('field.codeHelp')} rules={[{ required: true, message: t('needed') }]}><Input maxLength={40} /></Form.Item>}
        </div>
      </Section>
      <Section title={t('part.gives')}>
        <div className={styles.sentence}>
          <Form.Item name={['effect', 'kind']} label={t('field.kind')}><Select style={{ width: 160 }} options={kinds.map((value) => ({ value, label: t(`kind.${value}`) }))} /></Form.Item>
          {kind === 'percent' && <Form.Item name={['effect', 'percent']} label={t('field.percent')} extra={t('field.percentHelp')}><InputNumber min={0.01} max={100} precision={2} suffix="%" style={{ width: 130 }} /></Form.Item>}
          {(kind === 'amount' || kind === 'fixed_price' || kind === 'exchange') && <Form.Item name={['effect', 'amount']} label={t(kind === 'amount' ? 'field.amount' : kind === 'fixed_price' ? 'field.price' : 'field.upTo')}>{sum()}</Form.Item>}
          {(kind === 'percent' || kind === 'amount' || kind === 'fixed_price') && <Form.Item name={['effect', 'per']} label={t('field.per')}><Select style={{ width: 170 }} options={pers.map((value) => ({ value, label: t(`per.${value}`) }))} /></Form.Item>}
          {per === 'nth' && (kind === 'percent' || kind === 'amount' || kind === 'fixed_price') && <Form.Item name={['effect', 'nth']} label={t('field.nth')}><InputNumber min={2} precision={0} style={{ width: 110 }} /></Form.Item>}
          {kind === 'buy_get' && (
            <>
              <Form.Item name={['effect', 'buy']} label={t('field.buy')}><InputNumber min={1} precision={0} style={{ width: 110 }} /></Form.Item>
              <Form.Item name={['effect', 'get']} label={t('field.get')}><InputNumber min={1} precision={0} style={{ width: 110 }} /></Form.Item>
              <Form.Item name={['effect', 'percent']} label={t('field.percent')} extra={t('field.freeHelp')}><InputNumber min={0} max={100} precision={2} suffix="%" style={{ width: 130 }} /></Form.Item>
            </>
          )}
          {(kind === 'gift' || kind === 'exchange') && <Form.Item name={['effect', 'units']} label={t('field.units')}>{units}</Form.Item>}
          {(kind === 'buy_get' || per === 'step' || per === 'nth' || per === 'unit') && kind !== 'gift' && kind !== 'exchange' && kind !== 'free_delivery' && <Form.Item name={['effect', 'times']} label={t('field.times')} extra={t('field.zero')}>{units}</Form.Item>}
          <Form.Item name="cap" label={t('field.cap')} extra={t('field.zero')}>{sum()}</Form.Item>
        </div>
        {kind === 'gift' && <Form.Item name={['effect', 'skus']} label={t('field.gifts')} extra={t('field.listHelp')}>{tags(t('field.gifts'))}</Form.Item>}
      </Section>
      <Section title={t('part.when')}>
        <div className={styles.sentence}>
          <Form.Item name={['minimum', 'amount']} label={t('field.minAmount')} extra={t('field.zero')}>{sum()}</Form.Item>
          <Form.Item name={['minimum', 'quantity']} label={t('field.minQuantity')} extra={t('field.zero')}>{units}</Form.Item>
          <Form.Item name={['minimum', 'base']} label={t('field.base')}><Select allowClear style={{ width: 220 }} placeholder={t('base.running')} options={(['running', 'initial'] as const).map((value) => ({ value, label: t(`base.${value}`) }))} /></Form.Item>
        </div>
        <div className={styles.pair}>
          <Form.Item name={['scope', 'categories']} label={t('field.categories')} extra={t('field.listHelp')}>{tags(t('field.categories'))}</Form.Item>
          <Form.Item name={['scope', 'skus']} label={t('field.skus')}>{tags(t('field.skus'))}</Form.Item>
          <Form.Item name={['scope', 'brands']} label={t('field.brands')}>{tags(t('field.brands'))}</Form.Item>
          <Form.Item name={['scope', 'exclude_categories']} label={t('field.exclude')}>{tags(t('field.exclude'))}</Form.Item>
          <Form.Item name={['scope', 'exclude_skus']} label={t('field.excludeSkus')}>{tags(t('field.excludeSkus'))}</Form.Item>
          <Form.Item name="channels" label={t('field.channels')} extra={t('field.channelsHelp')}>{tags(t('field.channels'))}</Form.Item>
          <Form.Item name="stores" label={t('field.stores')}><StoreSelect mode="multiple" allowClear placeholder={t('all')} /></Form.Item>
          <Form.Item name="weekdays" label={t('field.weekdays')}><Select mode="multiple" allowClear placeholder={t('all')} options={[1, 2, 3, 4, 5, 6, 7].map((value) => ({ value, label: t(`ticket:day.${value as 1}`) }))} /></Form.Item>
        </div>
        <Form.List name="hours">
          {(rows, { add, remove }) => (
            <div style={{ marginBottom: 24 }}>
              <p style={{ marginBottom: 8 }}>{t('field.hours')}</p>
              {rows.map((r) => (
                <div key={r.key} className={styles.hours}>
                  <Form.Item noStyle name={[r.name, 'from']}><Input aria-label={t('field.hourFrom')} placeholder="14:00" maxLength={5} style={{ width: 88 }} /></Form.Item>
                  <span>{t('field.to')}</span>
                  <Form.Item noStyle name={[r.name, 'until']}><Input aria-label={t('field.hourUntil')} placeholder="17:00" maxLength={5} style={{ width: 88 }} /></Form.Item>
                  <Button type="text" icon={<Icon name="close" size={16} />} aria-label={t('field.hourRemove')} onClick={() => remove(r.name)} />
                </div>
              ))}
              <Button type="text" size="small" icon={<Icon name="plus" size={16} />} onClick={() => add({ from: '', until: '' })}>{t('field.hourAdd')}</Button>
              {rows.length > 0 && <p className="quiet">{t('field.hoursHelp')}</p>}
            </div>
          )}
        </Form.List>
        <Form.Item name="condition" label={t('field.condition')} extra={t('field.conditionHelp')}><Input.TextArea autoSize={{ minRows: 1 }} style={{ fontFamily: 'ui-monospace, monospace' }} /></Form.Item>
        <Form.Item name="audience" label={t('field.audience')} extra={t('field.audienceHelp')}><Input.TextArea autoSize={{ minRows: 1 }} style={{ fontFamily: 'ui-monospace, monospace' }} /></Form.Item>
      </Section>
      <Section title={t('part.out')}>
        <Form.Item name="shared" valuePropName="checked"><Checkbox>{t('field.shared')}</Checkbox></Form.Item>
        {shared && <Form.Item name="shared_code" label={t('field.sharedCode')} rules={[{ required: true, message: t('needed') }]}><Input maxLength={40} style={{ width: 220 }} /></Form.Item>}
        <div className={styles.sentence}>
          <Form.Item name="days" label={t(shared ? 'field.taken' : 'field.issuedIn')}><DatePicker.RangePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" allowEmpty={[true, true]} style={{ width: 340 }} /></Form.Item>
          {!shared && <Form.Item name={['valid', 'days']} label={t('field.validDays')} extra={t('field.zero')}><InputNumber min={0} precision={0} suffix={t('unit.days')} style={{ width: 130 }} /></Form.Item>}
          {!shared && <Form.Item name={['valid', 'hours']} label={t('field.validHours')} extra={t('field.zero')}><InputNumber min={0} precision={0} suffix={t('unit.hours')} style={{ width: 130 }} /></Form.Item>}
          {!shared && <Form.Item name={['valid', 'wait_hours']} label={t('field.waitHours')} extra={t('field.waitHelp')}><InputNumber min={0} precision={0} suffix={t('unit.hours')} style={{ width: 130 }} /></Form.Item>}
          {!shared && <Form.Item name={['valid', 'from']} label={t('field.validFrom')}><DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" style={{ width: 190 }} /></Form.Item>}
          {!shared && <Form.Item name={['valid', 'until']} label={t('field.validUntil')}><DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" style={{ width: 190 }} /></Form.Item>}
        </div>
        <div className={styles.sentence}>
          {!shared && <Form.Item name={['limits', 'stock']} label={t('field.stock')} extra={t('field.zero')}>{units}</Form.Item>}
          {!shared && <Form.Item name={['limits', 'per_member']} label={t('field.perMember')} extra={t('field.zero')}>{units}</Form.Item>}
          {!shared && <Form.Item name="times" label={t('field.uses1')} extra={t('field.uses1Help')}>{units}</Form.Item>}
          {!shared && (values.times ?? 1) > 1 && <Form.Item name={['valid', 'days_from_first_use']} label={t('field.firstUse')} extra={t('field.zero')}><InputNumber min={0} precision={0} suffix={t('unit.days')} style={{ width: 130 }} /></Form.Item>}
        </div>
        <div className={styles.sentence}>
          <Form.Item name={['limits', 'uses']} label={t('field.uses')} extra={t('field.zero')}>{units}</Form.Item>
          <Form.Item name={['limits', 'uses_per_day']} label={t('field.usesDay')} extra={t('field.zero')}>{units}</Form.Item>
          <Form.Item name={['limits', 'uses_per_week']} label={t('field.usesWeek')} extra={t('field.zero')}>{units}</Form.Item>
          <Form.Item name={['limits', 'uses_per_month']} label={t('field.usesMonth')} extra={t('field.zero')}>{units}</Form.Item>
          <Form.Item name={['limits', 'uses_per_member']} label={t('field.usesMember')} extra={t('field.zero')}>{units}</Form.Item>
          <Form.Item name={['limits', 'budget']} label={t('field.budget')} extra={t('field.zero')}>{sum()}</Form.Item>
        </div>
        {!shared && (
          <div className={styles.sentence}>
            <Form.Item name={['price', 'amount']} label={t('field.costs')} extra={t('field.costsHelp')}><InputNumber min={0} precision={0} style={{ width: 130 }} /></Form.Item>
            <Form.Item name={['price', 'currency']} label={t('field.currency')}><Select allowClear style={{ width: 150 }} options={currencies.list.filter((c) => c.kind === 'points').map((c) => ({ value: c.code, label: currencies.nameOf(c.code) }))} /></Form.Item>
          </div>
        )}
        {!shared && <Form.Item name="next" valuePropName="checked"><Checkbox>{t('field.next')}</Checkbox></Form.Item>}
        {!shared && values.next && (
          <div className={styles.nested}>
            <div className={styles.sentence}>
              <Form.Item name={['from_sale', 'amount']} label={t('field.nextAmount')} extra={t('field.nextHelp')}>{sum()}</Form.Item>
              <Form.Item name={['from_sale', 'stores']} label={t('field.stores')}><StoreSelect mode="multiple" allowClear placeholder={t('all')} style={{ minWidth: 220 }} /></Form.Item>
            </div>
            <Form.Item name={['from_sale', 'channels']} label={t('field.channels')} extra={t('field.channelsHelp')}>{tags(t('field.channels'))}</Form.Item>
            <Form.Item name={['from_sale', 'condition']} label={t('field.condition')} extra={t('field.conditionHelp')}><Input.TextArea autoSize={{ minRows: 1 }} style={{ fontFamily: 'ui-monospace, monospace' }} /></Form.Item>
          </div>
        )}
        {!shared && <GrantOn values={values} />}
        {!shared && <Form.Item name="listed" valuePropName="checked"><Checkbox>{t('field.listed')}</Checkbox></Form.Item>}
        {!shared && <Form.Item name="transferable" valuePropName="checked"><Checkbox>{t('field.transferable')}</Checkbox></Form.Item>}
        <Form.Item name="bearer" valuePropName="checked"><Checkbox>{t('field.bearer')}</Checkbox></Form.Item>
      </Section>
      <Section title={t('part.stack')}>
        <div className={styles.sentence}>
          <Form.Item name={['stack', 'class']} label={t('field.class')}><Select style={{ width: 280 }} options={(['joint', 'best', 'exclusive'] as const).map((value) => ({ value, label: t(`class.${value}`) }))} /></Form.Item>
          <Form.Item name={['stack', 'order']} label={t('field.order')} extra={t('field.orderHelp')}>{units}</Form.Item>
          <Form.Item name="returns" label={t('field.returns')}><Select allowClear placeholder={t('returns.whole')} style={{ width: 280 }} options={(['whole', 'lines', 'keep'] as const).map((value) => ({ value, label: t(`returns.${value}`) }))} /></Form.Item>
        </div>
        <Form.Item name="partial" valuePropName="checked"><Checkbox>{t('field.partial')}</Checkbox></Form.Item>
      </Section>
    </>
  );
}

const occasions = ['joined', 'birthday', 'tier_reached'] as const;

/** The steps of a member's life that give the coupon by themselves. */
function GrantOn({ values }: { values: Values }) {
  const { t } = useTranslation('coupon');
  const { named } = useFormat();
  const tiers = useTiers();
  return (
    <Form.List name="grant_on">
      {(rows, { add, remove }) => (
        <div style={{ marginBottom: 24 }}>
          <p style={{ marginBottom: 8 }}>{t('grant.title')}</p>
          {rows.map((r) => {
            const on = values.grant_on?.[r.name]?.on;
            return (
              <div key={r.key} className={styles.hours}>
                <Form.Item noStyle name={[r.name, 'on']}><Select aria-label={t('grant.on')} style={{ width: 170 }} options={occasions.map((value) => ({ value, label: t(`grant.${value}`) }))} /></Form.Item>
                {on === 'tier_reached' && <Form.Item noStyle name={[r.name, 'tier']}><Select allowClear aria-label={t('grant.tier')} placeholder={t('grant.anyTier')} style={{ width: 170 }} options={tiers.list.map((x) => ({ value: x.code, label: named(x) }))} /></Form.Item>}
                {on === 'birthday' && <Form.Item noStyle name={[r.name, 'days_before']}><InputNumber aria-label={t('grant.ahead')} placeholder="0" min={0} max={60} precision={0} suffix={t('grant.daysAhead')} style={{ width: 150 }} /></Form.Item>}
                <Button type="text" icon={<Icon name="close" size={16} />} aria-label={t('grant.remove')} onClick={() => remove(r.name)} />
              </div>
            );
          })}
          <Button type="text" size="small" icon={<Icon name="plus" size={16} />} onClick={() => add({ on: 'joined' })}>{t('grant.add')}</Button>
          {rows.length > 0 && <p className="quiet">{t('grant.help')}</p>}
        </div>
      )}
    </Form.List>
  );
}
