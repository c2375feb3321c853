import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useMutation } from '@tanstack/react-query';
import { Alert, Button, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Page } from '../../frame/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section } from '../../ui/section.tsx';
import { Pages } from './words.tsx';
import styles from './draw-page.module.css';

/** The counter: a member shows a code, and gets what they won. */
export default function PrizesPage() {
  const { t } = useTranslation('draw');
  const format = useFormat();
  const [form] = Form.useForm<{ code: string }>();
  const find = useMutation({ mutationFn: (code: string) => ok(api.GET('/v1/draw-prizes/{code}', { params: { path: { code } } })) });
  const hand = useWrite((code: string, key) => ok(api.POST('/v1/draw-prizes/{code}/hand-out', { params: { path: { code }, header: { 'Idempotency-Key': key } } })), { invalidates: [['draws']] });
  const p = hand.data ?? find.data;
  return (
    <Page title={t('prizes.menu')} crumbs={[{ to: '/draws', title: t('menu') }]}>
      <Pages />
      <Section>
        <p className="quiet" style={{ marginBottom: 12 }}>{t('prizes.text')}</p>
        <Form form={form} layout="inline" onFinish={({ code }) => { hand.reset(); find.mutate(code.trim()); }}>
          <Form.Item name="code" label={t('prizes.code')} rules={[{ required: true, message: t('prizes.needed') }]}><Input autoComplete="off" maxLength={40} style={{ width: 240, fontFamily: 'ui-monospace, monospace' }} /></Form.Item>
          <Button type="primary" htmlType="submit" loading={find.isPending}>{t('prizes.find')}</Button>
        </Form>
      </Section>
      <ProblemAlert error={hand.error ?? find.error} />
      {p && !find.error && (
        <Section title={format.named({ name_en: p.prize_name_en, name_zh: p.prize_name_zh })}>
          <p>{format.named({ name_en: p.draw_name_en, name_zh: p.draw_name_zh })} · {format.when(p.at)} · <Link className={styles.inline} to={`/members/${p.member_id}`}>{p.member_name || t('plays.unnamed')}</Link></p>
          <div style={{ marginTop: 16 }}>
            {p.handed_out_at ? <Alert type={hand.data ? 'success' : 'warning'} showIcon title={t('prizes.handed', { when: format.when(p.handed_out_at) })} /> : <Button type="primary" loading={hand.isPending} onClick={() => hand.mutate(p.pick_up_code!)}>{t('prizes.act')}</Button>}
          </div>
        </Section>
      )}
    </Page>
  );
}
