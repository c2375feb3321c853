import { expect, test } from 'vitest';
import { givenName, partOfDay } from './greeting.ts';

test.each([['林静怡', '静怡'], ['王芳', '王芳'], ['欧阳静怡', '静怡'], ['欧阳锋', '欧阳锋'], ['Anna Weber', 'Anna'], ['  ', ''], ['阿依古丽', '阿依古丽']])('%s is called %s', (name, called) => expect(givenName(name)).toBe(called));
test('the day has its parts', () => expect([4, 5, 11, 13, 18, 23].map(partOfDay)).toEqual(['evening', 'morning', 'noon', 'afternoon', 'evening', 'evening']));
