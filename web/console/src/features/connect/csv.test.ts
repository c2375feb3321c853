import { expect, it } from 'vitest';
import { parsed } from './csv.ts';

it.each([
  ['a,b\n1,2\n', [['a', 'b'], ['1', '2']]],
  ['\uFEFFa,b\r\n1,"x, ""y""\nz"\r\n', [['a', 'b'], ['1', 'x, "y"\nz']]],
  ['a,\n,b', [['a', ''], ['', 'b']]],
  ['', []],
])('reads %j', (text, want) => expect(parsed(text)).toEqual(want));
