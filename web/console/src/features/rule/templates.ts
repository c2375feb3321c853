import type { Definition } from './api.ts';

/** Three beginnings that most shops know; each is a draft that one goes on with. */
export const templates = ['yuan', 'birthday', 'memberday'] as const;
export type Template = (typeof templates)[number];

const names: Record<Template, Pick<Definition, 'code' | 'name_en' | 'name_zh'>> = {
  yuan: { code: 'per-yuan', name_en: 'A point per yuan', name_zh: '消费一元得一分' },
  birthday: { code: 'birthday-month', name_en: 'Birthday month, triple points', name_zh: '生日月三倍积分' },
  memberday: { code: 'member-day', name_en: 'Member day, double points', name_zh: '会员日双倍积分' },
};

export function fromTemplate(template: Template, currency: string): Definition {
  const bare = { ...blank(currency), ...names[template] };
  switch (template) {
    case 'yuan':
      return bare;
    case 'birthday':
      return {
        ...bare,
        condition: 'member.birthday.this_month',
        effect: { kind: 'multiplier', currency, percent: 300 },
        caps: { month: 500 },
        stack: { stage: 10 },
      };
    case 'memberday':
      return { ...bare, effect: { kind: 'multiplier', currency, percent: 200 }, valid: { month_days: [8] }, stack: { stage: 10 } };
  }
}

/** A rule of which nothing is said yet: one point for each unit of money, on each purchase. */
export const blank = (currency: string): Definition => ({ code: '', trigger: { on: 'sale' }, effect: { kind: 'per_amount', currency, points: 1, per: 100 } });
