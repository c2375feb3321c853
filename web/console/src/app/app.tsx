import { StyleProvider } from '@ant-design/cssinjs';
import { newQueryClient } from '@patron/shared/api/query-client.ts';
import { ZoneContext } from '@patron/shared/format/use-format.ts';
import { useTheme } from '@patron/shared/theme/choice.ts';
import { QueryClientProvider, useQuery } from '@tanstack/react-query';
import { App as AntdApp, ConfigProvider } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { useMemo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { RouterProvider } from 'react-router/dom';
import { meQuery, programQuery } from '../frame/me.ts';
import { antdTheme } from './antd-theme.ts';
import { router } from './router.tsx';

const client = newQueryClient(() => client.setQueryData(meQuery.queryKey, null));

/** The staff console. */
export function App() {
  return (
    <QueryClientProvider client={client}>
      <Look>
        <Zone>
          <RouterProvider router={router} />
        </Zone>
      </Look>
    </QueryClientProvider>
  );
}

/** Ant Design in our theme and the person's language. Its styles lie in a layer under ours. */
function Look({ children }: { children: ReactNode }) {
  const { i18n } = useTranslation();
  const name = useTheme();
  const theme = useMemo(() => antdTheme(name, window.matchMedia('(prefers-reduced-motion: reduce)').matches), [name]);
  const zh = i18n.language === 'zh-CN';
  dayjs.locale(zh ? 'zh-cn' : 'en');
  return (
    <StyleProvider layer>
      <ConfigProvider theme={theme} locale={zh ? zhCN : enUS} button={{ autoInsertSpace: false }} wave={{ disabled: true }}>
        <AntdApp component={false}>{children}</AntdApp>
      </ConfigProvider>
    </StyleProvider>
  );
}

/** Days begin at the programme's midnight, wherever the browser is. */
function Zone({ children }: { children: ReactNode }) {
  const me = useQuery(meQuery).data;
  const zone = useQuery({ ...programQuery, enabled: !!me }).data?.zone;
  const own = useMemo(() => Intl.DateTimeFormat().resolvedOptions().timeZone, []);
  return <ZoneContext value={zone ?? own}>{children}</ZoneContext>;
}
