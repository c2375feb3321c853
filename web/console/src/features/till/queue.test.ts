import { describe, expect, it } from 'vitest';
import { answered, backoff, deviceOf, documentOf, dropped, isCode, maskName, mended, minorOf, nextOf, patience, pointsFor, refOf, scanned, sourceOf, stale, verdict, worthOf, type Entry } from './queue.ts';

const entry = (n: number, more: Partial<Entry> = {}): Entry => ({
  document: documentOf('T1', '7KD', n),
  n,
  key: `key-${n}`,
  state: 'waiting',
  tries: 0,
  sale: { source: 'till/s/T1', document: documentOf('T1', '7KD', n), at: '2026-11-26T10:00:00Z', currency: 'CNY', total: 100, lines: [{ line: 1, sku: 'x', quantity: 1, amount: 100 }] },
  ...more,
});

describe('verdict', () => {
  it.each([
    ['no line', 0, 'offline', 0, 'again'],
    ['a defect of ours', 0, 'client', 0, 'aside'],
    ['a session that ended', 401, 'request.unauthenticated', 0, 'door'],
    ['somebody who may not', 403, 'request.permission', 0, 'door'],
    ['no such member', 404, 'member.not_found', 0, 'aside'],
    ['another sale of this number', 409, 'sale.taken', 0, 'aside'],
    ['a twin in flight', 409, 'request.in_flight', 0, 'again'],
    ['an answer that was not kept', 409, 'request.answer_lost', 0, 'rekey'],
    ['invalid', 422, 'request.invalid', 0, 'aside'],
    ['too many', 429, 'request.rate', 99, 'again'],
    ['a bug, the first time', 500, 'internal', 1, 'again'],
    ['a bug, again and again', 500, 'internal', patience, 'aside'],
    ['a proxy', 502, 'gateway', 99, 'again'],
    ['a server that starts', 503, 'request.overload', 99, 'again'],
  ] as const)('%s', (_, status, code, tries, want) => {
    expect(verdict({ status, code }, tries)).toBe(want);
  });
});

describe('the line', () => {
  it('is in order of entry, past what was set aside', () => {
    const list = [entry(3), entry(2, { state: 'aside' }), entry(1, { state: 'sent' }), entry(4)];
    expect(nextOf(list)?.n).toBe(3);
    expect(nextOf([entry(1, { state: 'dropped' })])).toBeUndefined();
  });

  it('waits longer, up to 15 seconds and a bit', () => {
    expect(backoff(0, 0.5)).toBe(1000);
    expect(backoff(3, 0.5)).toBe(8000);
    expect(backoff(60, 1)).toBe(18_000);
  });
});

describe('an entry', () => {
  it('keeps number and body when it is answered', () => {
    const before = entry(1, { problem: { status: 503, code: 'x', detail: 'y' } });
    const after = answered(before, { id: 'sal_1', total: 0, points: [], balances: {}, flags: [], tier: null }, 'now');
    expect(after).toMatchObject({ state: 'sent', document: before.document, key: before.key, answer: { id: 'sal_1' } });
    expect(after.sale).toEqual(before.sale);
    expect(after.problem).toBeUndefined();
  });

  it('keeps its number when it is mended, and gets another key', () => {
    const bad = entry(1, { state: 'aside', typed: '123', who: { name: '王*', number: '1' }, problem: { status: 404, code: 'member.not_found', detail: '' } });
    bad.sale.member = 'mem_1';
    expect(mended(bad, 'new')).toMatchObject({ key: 'new', state: 'waiting', typed: '123', document: bad.document, sale: { member: 'mem_1' } });
    expect(mended(bad, 'new', { typed: '456' })).toMatchObject({ typed: '456' });
    const nobody = mended(bad, 'new', { none: true });
    expect([nobody.typed, nobody.who, nobody.sale.member, nobody.problem]).toEqual([undefined, undefined, undefined, undefined]);
    expect(bad.sale.member, 'the one before stays as it was').toBe('mem_1');
  });

  it('is thrown away only when it is over and old', () => {
    const late = Date.parse('2026-12-26T00:00:00Z');
    expect(stale(entry(1), late)).toBe(false);
    expect(stale(entry(1, { state: 'aside' }), late)).toBe(false);
    expect(stale(entry(1, { state: 'sent', endedAt: '2026-11-26T10:00:00Z' }), late)).toBe(true);
    expect(stale(dropped(entry(1), '2026-12-25T00:00:00Z'), late)).toBe(false);
  });
});

describe('words', () => {
  it('numbers', () => {
    expect(documentOf('T2', '7KD', 42)).toBe('T2-7KD-0042');
    expect(documentOf('T2', '7KD', 12345)).toBe('T2-7KD-12345');
    expect(deviceOf(new Uint8Array([0, 30, 31]))).toBe('2Z2');
    expect(sourceOf('sh-jingan', 'T1')).toBe('till/sh-jingan/T1');
  });

  it.each([
    ['86', 2, 8600], ['86.5', 2, 8650], ['1,286.50', 2, 128650], ['.5', 2, 50], ['0', 2, 0], ['86.', 2, 8600], ['5', 0, 5],
    ['', 2, undefined], ['.', 2, undefined], ['8.655', 2, undefined], ['1.5', 0, undefined], ['-3', 2, undefined], ['8x', 2, undefined],
  ] as const)('amount %s', (text, decimals, want) => {
    expect(minorOf(text, decimals)).toBe(want);
  });

  it('references', () => {
    expect(refOf(' qr:AEAA ')).toBe('qr:AEAA');
    expect(refOf('13800138000')).toBeUndefined();
    expect(isCode('qr:AEAA')).toBe(true);
    expect(isCode('card:1')).toBe(false);
  });

  it('masks', () => {
    expect([maskName('陈国栋'), maskName('Li'), maskName('王'), maskName(undefined)]).toEqual(['陈**', 'L*', '王*', '']);
  });

  it('worth', () => {
    expect(worthOf(1200, 1_000_000)).toBe(1200);
    expect(worthOf(3, 333_333)).toBe(0);
    expect(pointsFor(1000, 500_000)).toBe(2000);
    expect(pointsFor(1000, 0)).toBe(0);
  });

  it('scanners are faster than fingers', () => {
    const at = (gap: number) => Array.from({ length: 13 }, (_, i) => i * gap);
    expect(scanned('6901234567890', at(8))).toBe(true);
    expect(scanned('6901234567890', at(90))).toBe(false);
    expect(scanned('86.50', at(8))).toBe(false);
  });
});
