import { expect, it } from 'vitest';
import { byChance } from './by-chance.ts';

it('makes passwords that the server takes and a person can read out', () => {
  const made = Array.from({ length: 200 }, byChance);
  for (const password of made) expect(password).toMatch(/^[a-hjkmnp-z2-9]{4}(-[a-hjkmnp-z2-9]{4}){4}$/);
  expect(new Set(made).size).toBe(made.length);
});
