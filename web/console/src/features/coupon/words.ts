import type { CouponView, CouponVoucherView } from '@patron/shared/api/schema.d.ts';
import type { Tone } from '@patron/shared/ui/status-tag.tsx';

export const tones: Record<CouponView['state'], Tone> = { draft: 'warning', scheduled: 'info', live: 'success', paused: 'plain', ended: 'plain' };

export const voucherTones: Record<CouponVoucherView['state'], Tone> = { issued: 'info', claimed: 'success', held: 'warning', gifting: 'warning', redeemed: 'plain', revoked: 'error', expired: 'plain' };

/** The last instant that counts, as the first that does not: what a deadline is written of. */
export const endOf = (until: string) => new Date(Date.parse(until) + 1).toISOString();
