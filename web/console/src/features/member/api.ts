import { api, ok } from '@patron/shared/api/client.ts';
import type { LedgerWalletView, MemberView } from '@patron/shared/api/schema.d.ts';
import { queryOptions } from '@tanstack/react-query';

/** Under this all reads of one member lie: what changes one invalidates it as a whole. */
export const keyOf = (id: string) => ['member', id] as const;

export type Member = Omit<MemberView, 'wallets'> & { wallets?: LedgerWalletView[]; cards?: { blocked?: { earn: boolean; spend: boolean } } };

export const memberQuery = (ref: string) =>
  queryOptions({ queryKey: keyOf(ref), queryFn: async () => (await ok(api.GET('/v1/members/{ref}', { params: { path: { ref } } }))) as Member });

/** What a person types, as the API names members: a phone, an e-mail address, a member number, an id or a card. */
export function refOf(text: string): string {
  const typed = text.trim();
  if (/^[a-z]+:/.test(typed) || typed.startsWith('mem_')) return typed;
  if (typed.includes('@')) return `email:${typed}`;
  if (/^8\d{6}$/.test(typed)) return `no:${typed}`;
  if (/^\+?[\d\s-]{7,16}$/.test(typed)) return `phone:${typed}`;
  return `card:${typed}`;
}

/** What one writes after a points currency's amount: whole numbers of the smallest unit, from what is typed. */
export const unitsOf = (typed: number, decimals: number) => Math.round(typed * 10 ** decimals);
