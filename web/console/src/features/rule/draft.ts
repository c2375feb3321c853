import { createContext, useContext } from 'react';
import type { RuleFaultView } from '@patron/shared/api/schema.d.ts';
import type { Definition, On } from './api.ts';

type Parts = 'trigger' | 'scope' | 'effect' | 'valid' | 'caps' | 'stack';

/** The definition that is being written, and what the server finds wrong with it. */
export interface DraftContext {
  def: Definition;
  set: (patch: Partial<Definition>) => void;
  put: <K extends Parts>(part: K, patch: Partial<NonNullable<Definition[K]>>) => void;
  faults: RuleFaultView[];
  /** A condition of the builder that is not complete keeps its place among the faults. */
  block: (name: string, message: string | undefined) => void;
  disabled: boolean;
}

export const Draft = createContext<DraftContext | undefined>(undefined);

export function useDraft(): DraftContext {
  const draft = useContext(Draft);
  if (!draft) throw new Error('useDraft outside of the editor');
  return draft;
}

/** What the condition of a rule is asked of. */
export const kindOf = (on: On) => (on === 'sale' ? 'sale' : on === 'event' ? 'event' : 'member');

/** What belongs to a kind of effect; the server refuses what has no meaning. */
const own: Record<Definition['effect']['kind'], (keyof Definition['effect'])[]> = {
  per_amount: ['points', 'per', 'carry', 'rounding'],
  fixed: ['points', 'each'],
  multiplier: ['percent', 'carry', 'rounding'],
  steps: ['steps', 'rounding'],
  tag: ['tag'],
};
const ofPoints: (keyof Definition['effect'])[] = ['currency', 'pending_days', 'expires_after_days', 'earns_on_points', 'earns_on_coupons'];

/** The definition as it is sent: without what is empty, and without what belongs to another trigger or effect. */
export function tidy(def: Definition): Definition {
  const on = def.trigger.on;
  const kind = def.effect.kind;
  const keep = new Set<string>(['kind', ...own[kind], ...(kind === 'tag' ? [] : ofPoints)]);
  const effect = Object.fromEntries(Object.entries(def.effect).filter(([key]) => keep.has(key))) as Definition['effect'];
  if (on !== 'sale') delete effect.each;
  if (effect.carry) delete effect.rounding;
  const stack = { ...def.stack };
  if (kind !== 'multiplier') delete stack.base;
  const caps = kind === 'tag' ? { ...def.caps, sale: 0, day: 0, week: 0, month: 0, ever: 0, budget: 0 } : def.caps;
  const trigger: Definition['trigger'] = { on };
  if (on === 'event') trigger.event = def.trigger.event;
  if (on === 'tier_reached') trigger.tier = def.trigger.tier;
  if (on === 'anniversary') trigger.years = def.trigger.years;
  if (on === 'birthday') trigger.days_before = def.trigger.days_before;
  return drop({ ...def, trigger, effect, stack, caps, scope: on === 'sale' ? def.scope : undefined }) as Definition;
}

/** Leaves out what says nothing: empty texts and lists, no and nothing. Zeros of a step stay. */
function drop(value: unknown, inStep = false): unknown {
  if (Array.isArray(value)) return value.length > 0 ? value.map((v) => drop(v, typeof v === 'object')) : undefined;
  if (typeof value !== 'object' || value === null) return value === '' || value === null || value === false || (value === 0 && !inStep) ? undefined : value;
  const out = Object.fromEntries(Object.entries(value).map(([k, v]) => [k, drop(v, inStep)]).filter(([, v]) => v !== undefined));
  return Object.keys(out).length > 0 ? out : undefined;
}

/** A code from a name in Latin letters; one by chance where it has none. */
export function codeFrom(name: string, chance = Math.random()): string {
  const slug = name.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40).replace(/-+$/, '');
  return slug || `rule-${Math.floor(chance * 36 ** 5).toString(36).padStart(5, '0')}`;
}
