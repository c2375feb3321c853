import { newQueryClient } from '@patron/shared/api/query-client.ts';
import { ZoneContext } from '@patron/shared/format/use-format.ts';
import { QueryClientProvider } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { forget, meQuery } from '../frame/me.ts';
import { programQuery, useProgram } from '../frame/program.ts';
import { Pages } from './router.tsx';

const client = newQueryClient(() => void forget(client));

/** Asks for what every first page needs. */
export function readAhead() {
  void client.prefetchQuery(programQuery);
  void client.prefetchQuery(meQuery);
}

/** The member portal. */
export function App() {
  return (
    <QueryClientProvider client={client}>
      <Zone>
        <Pages />
      </Zone>
    </QueryClientProvider>
  );
}

/** Days begin at the programme's midnight, wherever the browser is. */
function Zone({ children }: { children: ReactNode }) {
  const zone = useProgram()?.zone;
  return <ZoneContext value={zone ?? 'Asia/Shanghai'}>{children}</ZoneContext>;
}
