import { api, ok } from '@patron/shared/api/client.ts';
import type { PortalProgramView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useTheme } from '@patron/shared/theme/choice.ts';
import { palette } from '@patron/shared/theme/tokens.ts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useEffect, useLayoutEffect } from 'react';
import { useLocation } from 'react-router';
import { ahead } from './ahead.ts';
import { brandColors } from './color.ts';

const key = 'patron.program';

/** What was read last: a returning guest sees the shop's name and colour at once. */
function kept(): PortalProgramView | undefined {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '') as PortalProgramView;
  } catch {
    return undefined;
  }
}

/** The programme as strangers see it. */
export const programQuery = queryOptions({
  queryKey: ['program'],
  staleTime: 5 * 60_000,
  queryFn: async () => {
    const early = await ahead('program');
    const program = early?.ok ? ((await early.json()) as PortalProgramView) : await ok(api.GET('/portal/v1/program'));
    localStorage.setItem(key, JSON.stringify(program));
    return program;
  },
  initialData: kept,
  initialDataUpdatedAt: 0,
});

/** With the store whose code was scanned. */
export const storeQuery = (store: string) => queryOptions({
  queryKey: ['program', store],
  staleTime: 5 * 60_000,
  queryFn: () => ok(api.GET('/portal/v1/program', { params: { query: { store } } })),
});

export const useProgram = () => useQuery(programQuery).data;

/** The name of the programme; empty until it is known. */
export function useProgramName(): string {
  const { named } = useFormat();
  const program = useProgram();
  return program ? named(program) : '';
}

/** Puts the brand's colour over the tokens, and its icon and manifest into the head. */
export function useBrand() {
  const theme = useTheme();
  const program = useProgram();
  const { language } = useFormat();
  const color = program?.brand.color;
  useLayoutEffect(() => {
    const root = document.documentElement;
    const own = color?.toUpperCase() === palette('light').primary; // the tokens are made for it already
    const colors = color && !own ? brandColors(color, theme) : {};
    for (const [name, value] of Object.entries(colors)) root.style.setProperty(`--${name}`, value);
    document.querySelector('meta[name=theme-color]')?.setAttribute('content', colors['card-bg'] ?? palette(theme)['card-bg']);
    return () => Object.keys(colors).forEach((name) => root.style.removeProperty(`--${name}`));
  }, [color, theme]);
  useEffect(() => {
    document.querySelector('link[rel=manifest]')?.setAttribute('href', `/portal/v1/manifest?lang=${language}`);
  }, [language]);
}

/** The title of the tab: page, then programme. */
export function useTitle(page: string) {
  const name = useProgramName();
  const { pathname } = useLocation();
  useEffect(() => {
    document.title = [page, name].filter(Boolean).join(' · ');
  }, [page, name, pathname]);
}
