import type { Permission } from '@patron/shared/api/permission.ts';

/** What the server can tell about a first day: whether this is done. */
export type Fact = 'stores' | 'tills' | 'staff' | 'members' | 'sales' | 'backups';

/** One step. Its words are help:guide.<role>.<key>.title, .text and .go. */
export interface Step {
  key: string;
  /** Where it is done; without one it is only told. */
  to?: string;
  /** What one needs to be let in there: who lacks it reads the step without the link. */
  needs?: Permission;
  /** A page outside of the console. */
  outside?: boolean;
  done?: Fact;
}

export const roles = ['owner', 'manager', 'cashier', 'agent', 'analyst', 'auditor', 'integrator'] as const;
export type Role = (typeof roles)[number];

export const guides: Record<Role, Step[]> = {
  owner: [
    { key: 'programme', to: '/settings', needs: 'program.manage' },
    { key: 'stores', to: '/stores', needs: 'program.manage', done: 'stores' },
    { key: 'tills', to: '/stores/tills', needs: 'program.manage', done: 'tills' },
    { key: 'points', to: '/currencies', needs: 'points.read' },
    { key: 'staff', to: '/settings/staff', needs: 'staff.manage', done: 'staff' },
    { key: 'member', to: '/members', needs: 'members.write', done: 'members' },
    { key: 'import', to: '/imports', needs: 'lists.import' },
    { key: 'sale', to: '/till', needs: 'sales.write', done: 'sales' },
    { key: 'join', to: '/join-code', needs: 'members.write' },
    { key: 'backup', to: '/system', needs: 'system.operate', done: 'backups' },
  ],
  manager: [
    { key: 'overview', to: '/' },
    { key: 'approvals', to: '/approvals', needs: 'points.adjust' },
    { key: 'queues', to: '/sales?unassigned=true', needs: 'sales.read' },
    { key: 'members', to: '/members', needs: 'members.read' },
    { key: 'liability', to: '/liability', needs: 'reports.read' },
    { key: 'join', to: '/join-code', needs: 'members.write' },
  ],
  cashier: [
    { key: 'till', to: '/till', needs: 'sales.write' },
    { key: 'find' },
    { key: 'sell' },
    { key: 'spend' },
    { key: 'return' },
    { key: 'offline' },
    { key: 'shift' },
  ],
  agent: [
    { key: 'find', to: '/members', needs: 'members.read' },
    { key: 'why' },
    { key: 'note' },
    { key: 'adjust' },
    { key: 'tasks', to: '/tasks', needs: 'members.read' },
    { key: 'twice' },
  ],
  analyst: [
    { key: 'figures', to: '/' },
    { key: 'filter', to: '/sales', needs: 'sales.read' },
    { key: 'liability', to: '/liability', needs: 'reports.read' },
    { key: 'export', to: '/sales', needs: 'lists.export' },
  ],
  auditor: [
    { key: 'trail', to: '/audit', needs: 'audit.read' },
    { key: 'entries', to: '/points', needs: 'points.read' },
    { key: 'roles', to: '/settings/roles' },
    { key: 'liability', to: '/liability', needs: 'reports.read' },
  ],
  integrator: [
    { key: 'key', to: '/settings/keys', needs: 'keys.manage' },
    { key: 'docs', to: '/docs', outside: true },
    { key: 'again' },
    { key: 'batch' },
    { key: 'events' },
  ],
};
