/** Decimals of a money currency, as the browser knows them. */
export const decimalsOf = (currency: string): number => new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;

/** The kinds of payment of the till's buttons, as sales and shift reports name them. */
export const payKinds = ['cash', 'wechat', 'alipay', 'card'] as const;
