export { decimalsOf } from '@patron/shared/format/format.ts';

/** The kinds of payment of the till's buttons, as sales and shift reports name them. */
export const payKinds = ['cash', 'wechat', 'alipay', 'card'] as const;
