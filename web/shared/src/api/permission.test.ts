import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('every permission that a route needs is in the list', () => {
  const routes = readFileSync(new URL('../../../../api/openapi.json', import.meta.url), 'utf8');
  const list = readFileSync(new URL('./permission.ts', import.meta.url), 'utf8');
  const needed = new Set([...routes.matchAll(/permission `([a-z.]+)`/g)].map((m) => m[1]));
  expect(needed.size).toBeGreaterThan(10);
  expect([...needed].filter((p) => !list.includes(`'${p}'`))).toEqual([]);
});
