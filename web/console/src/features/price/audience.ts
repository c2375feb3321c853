import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';

/** The tiers of the main scheme and the plans, as choices. */
export function useStandings() {
  const { named } = useFormat();
  const schemes = useQuery({ queryKey: ['tier-schemes'], queryFn: () => ok(api.GET('/v1/tier-schemes')) }).data;
  const plans = useQuery({ queryKey: ['plans', 'all'], queryFn: () => ok(api.GET('/v1/plans')) }).data;
  const main = schemes?.items?.find((s) => s.live?.main)?.live;
  return {
    tiers: main?.tiers?.map((r) => ({ value: r.code, label: named(r) || r.code })) ?? [],
    plans: plans?.items?.filter((p) => p.state !== 'draft').map((p) => ({ value: p.code, label: named(p.terms) || p.code })) ?? [],
  };
}
