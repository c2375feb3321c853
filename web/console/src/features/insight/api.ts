import { api, ok } from '@patron/shared/api/client.ts';

/** How many days the charts show: four weeks, so that each has its twin four weeks before. */
export const chartDays = 28;

export const getDashboard = (store: string | undefined) =>
  ok(api.GET('/v1/reports/dashboard', { params: { query: { store, days: chartDays } } }));

export type Dashboard = Awaited<ReturnType<typeof getDashboard>>;
export type DashFigure = NonNullable<Dashboard['figures']>[number];
export type Series = NonNullable<Dashboard['series']>[number];
