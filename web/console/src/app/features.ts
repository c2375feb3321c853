import type { Feature } from '../frame/feature.ts';
import { account } from '../features/account/feature.ts';
import { dashboard } from '../features/dashboard/feature.ts';
import { members } from '../features/members/feature.ts';

/** What the console is made of, in the order of the menu. */
export const features: Feature[] = [
  dashboard,
  members,
  account,
];
