import type { Feature } from '../frame/feature.ts';
import { account } from '../features/account/feature.ts';
import { approval } from '../features/approval/feature.ts';
import { ledger } from '../features/ledger/feature.ts';
import { sale } from '../features/sale/feature.ts';
import { insight } from '../features/insight/feature.ts';

/** What the console is made of, in the order of the menu. */
export const features: Feature[] = [
  insight,
  sale,
  ledger,
  approval,
  account,
];
