import { useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query';
import { useRef } from 'react';
import { ApiProblem } from './problem.ts';

/**
 * The key under which a write goes out. The same body gets the same key, so a second click or a retry
 * after a lost answer does not do it twice; another body gets another key. `renew` after a success, so
 * that the same act can be meant a second time.
 */
export function useIdempotencyKey() {
  const last = useRef<{ body: string; key: string }>(undefined);
  return {
    keyFor(body: unknown): string {
      const text = JSON.stringify(body) ?? '';
      if (last.current?.body !== text) last.current = { body: text, key: newKey() };
      return last.current.key;
    },
    renew() {
      last.current = undefined;
    },
  };
}

/** randomUUID is there on https and on this machine only; a till on plain http in a test lab has the rest. */
function newKey(): string {
  return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

interface WriteOptions<Out> {
  /** The queries that show something else now. */
  invalidates?: QueryKey[];
  onSuccess?: (out: Out) => void;
}

/**
 * A write with its idempotency key:
 *
 *     const create = useWrite((body: NewMember, key) =>
 *       ok(api.POST('/v1/members', { body, params: { header: { 'Idempotency-Key': key } } })),
 *       { invalidates: [['members']] });
 *     create.mutate(values)
 */
export function useWrite<In, Out>(write: (input: In, key: string) => Promise<Out>, options: WriteOptions<Out> = {}) {
  const client = useQueryClient();
  const { keyFor, renew } = useIdempotencyKey();
  return useMutation<Out, ApiProblem, In>({
    mutationFn: (input) => write(input, keyFor(input)),
    onSuccess: async (out) => {
      renew();
      options.onSuccess?.(out);
      await Promise.all((options.invalidates ?? []).map((queryKey) => client.invalidateQueries({ queryKey })));
    },
  });
}
