import type { Feature } from '../frame/feature.ts';
import { member } from '../features/member/feature.ts';
import { account } from '../features/account/feature.ts';
import { approval } from '../features/approval/feature.ts';
import { ledger } from '../features/ledger/feature.ts';
import { sale } from '../features/sale/feature.ts';
import { audit } from '../features/audit/feature.ts';
import { system } from '../features/system/feature.ts';
import { places, program } from '../features/program/feature.ts';
import { staff } from '../features/staff/feature.ts';
import { coupon } from '../features/coupon/feature.ts';
import { offer } from '../features/offer/feature.ts';
import { price } from '../features/price/feature.ts';
import { reward } from '../features/reward/feature.ts';
import { draw } from '../features/draw/feature.ts';
import { plan } from '../features/plan/feature.ts';
import { tier } from '../features/tier/feature.ts';
import { offline } from '../features/offline/feature.ts';
import { till } from '../features/till/feature.ts';
import { insight } from '../features/insight/feature.ts';
import { catalog } from '../features/catalog/feature.ts';
import { rule } from '../features/rule/feature.ts';
import { connect } from '../features/connect/feature.ts';
import { help } from '../features/help/feature.ts';

/** What the console is made of, in the order of the menu. */
export const features: Feature[] = [
  insight,
  member,
  sale,
  till,
  ledger,
  rule,
  offer,
  coupon,
  price,
  reward,
  draw,
  tier,
  plan,
  catalog,
  places,
  approval,
  offline,
  connect,
  audit,
  system,
  program,
  staff,
  account,
  help,
];
