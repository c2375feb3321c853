import { describe, expect, it } from 'vitest';
import { asked, chosen, guessed, lacking, samples } from './mapping.ts';

describe('the columns of a file', () => {
  it('are taken for what the server says, by name or by place', () => {
    expect(guessed({ columns: ['卡号', '电话', '电话', '备注'], mapping: { card: '卡号', phone: '#3' } })).toEqual(['card', undefined, 'phone', undefined]);
  });

  it('a name that looks like a place is a name where there is one', () => {
    expect(guessed({ columns: ['#2', 'b'], mapping: { phone: '#2' } })).toEqual(['phone', undefined]);
  });

  it('a field is filled from one column', () => {
    expect(chosen(['phone', undefined], 1, 'phone')).toEqual([undefined, 'phone']);
    expect(chosen(['phone', undefined, undefined], 0, undefined)).toEqual([undefined, undefined, undefined]);
  });

  it('go out by place', () => {
    expect(asked([undefined, 'phone', 'name'])).toEqual({ phone: '#2', name: '#3' });
  });

  it.each([
    [['phone'], [], []],
    [[], [], [['phone', 'card'], ['document']]],
    [['card'], ['member', 'at'], []],
    [['card', 'document'], [], []],
  ])('%j with a document from %j lack %j', (mapping, from, want) => {
    const needs = mapping[0] === 'phone' ? [['phone', 'card']] : [['phone', 'card'], ['document']];
    expect(lacking(needs, mapping, from)).toEqual(want);
  });

  it('are known by what stands in them', () => {
    expect(samples([['a'], [' '], ['a'], ['b'], ['c'], ['d'], []], 0)).toEqual(['a', 'b', 'c']);
  });
});
