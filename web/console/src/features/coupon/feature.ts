import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Coupons: what they give, their codes, to whom they went, what they came to; and one code with its history. */
export const coupon: Feature = {
  menu: [{ to: '/coupons', textKey: 'coupon:menu', icon: 'coupon', group: 'business', needs: 'rules.read' }],
  routes: [
    { path: '/coupons', page: lazy(() => import('./coupons-page.tsx')), needs: 'rules.read' },
    { path: '/coupons/codes', page: lazy(() => import('./codes-page.tsx')), needs: 'members.read' },
    { path: '/coupons/:id', page: lazy(() => import('./coupon-page.tsx')), needs: 'rules.read' },
  ],
};
