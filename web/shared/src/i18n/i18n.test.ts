import { expect, it } from 'vitest';
import { midway } from './i18n.ts';

it('writes a day small within a sentence, and large at its beginning', () => {
  expect(midway.process('Table 2, in force since Today 14:05.')).toBe('Table 2, in force since today 14:05.');
  expect(midway.process('expire Tomorrow 23:59')).toBe('expire tomorrow 23:59');
  expect(midway.process('Today 14:05, till 3')).toBe('Today 14:05, till 3');
  expect(midway.process('Read Today')).toBe('Read Today'); // a name, as far as we know
});
