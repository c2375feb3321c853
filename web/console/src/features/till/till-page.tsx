import { api, ok } from '@patron/shared/api/client.ts';
import { ZoneContext } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { keepMe, meQuery } from '../../frame/me.ts';
import { ForbiddenState } from '../../ui/states.tsx';
import { Choose } from './choose.tsx';
import { Desk } from './desk.tsx';
import { keepShop, usePlace, useShop } from './device.ts';
import { letIn, start, useTill } from './sender.ts';
import styles from './till.module.css';

/** The till: which one this device is, then the desk. It needs the server for the first of these only. */
export default function TillPage() {
  const { t } = useTranslation('till');
  const client = useQueryClient();
  const signedIn = useQuery(meQuery).data;
  const [me, setMe] = useState(signedIn); // who works here goes on working while the door stands before it
  if (signedIn && signedIn !== me) setMe(signedIn);
  const place = usePlace();
  const shop = useShop();
  useShopOfNow(!!signedIn);

  useEffect(() => {
    document.title = `${t('menu')} · Patron 常客`;
  }, [t]);
  useEffect(() => {
    start(() => client.setQueryData(meQuery.queryKey, null));
    keepShell();
  }, [client]);
  useEffect(() => {
    if (!signedIn) return;
    keepMe(signedIn);
    letIn();
  }, [signedIn]);

  if (!me) return null;
  if (!me.permissions?.includes('sales.write')) return <main className={styles.alone}><ForbiddenState needs="sales.write" /></main>;
  if (shop && !shop.open) return <main className={styles.alone}><Blank drawing="forbid" title={t('off.title')} text={t('off.text')} action={<Link to="/"><Button>{t('ui:home')}</Button></Link>} /></main>;
  if (!place || !shop) return <Choose me={me} />;
  return <ZoneContext value={shop.zone}><Desk me={me} place={place} shop={shop} /></ZoneContext>;
}

/** Reads what the shop is like when there is a line, and keeps it for when there is none. */
function useShopOfNow(enabled: boolean) {
  const { line } = useTill();
  const read = useQuery({
    queryKey: ['till', 'shop'],
    enabled: enabled && line === 'online',
    staleTime: 5 * 60_000,
    queryFn: async () => {
      const [program, currencies] = await Promise.all([ok(api.GET('/v1/program')), ok(api.GET('/v1/currencies'))]);
      return { program, currencies };
    },
  }).data;
  useEffect(() => {
    if (!read) return;
    const { program, currencies } = read;
    keepShop({
      name_en: program.name_en, name_zh: program.name_zh, zone: program.zone, currency: program.currency, open: program.modules.till,
      currencies: (currencies.items ?? []).map((c) => ({ code: c.code, kind: c.kind, name_en: c.name_en, name_zh: c.name_zh, decimals: c.policy.decimals, millionths: c.active ? (c.policy.unit_value_millionths ?? 0) : 0, ...(c.policy.pay && { pay: c.policy.pay }) })),
    });
  }, [read]);
}

/** The worker that keeps the page for when the server is away. */
function keepShell() {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  void navigator.serviceWorker.register('/till-worker.js', { scope: '/till', updateViaCache: 'none' }).catch(() => undefined); // private windows have none
}
