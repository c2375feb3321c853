import type { ProgramModules } from '@patron/shared/api/schema.d.ts';
import type { Permission } from '@patron/shared/api/permission.ts';
import type { IconName } from '@patron/shared/ui/icon.tsx';
import type { ComponentType } from 'react';

/** A part of the programme that can be switched off. */
export type Module = keyof ProgramModules;

/** The parts of the menu. */
export type MenuGroup = 'daily' | 'business' | 'manage';

export interface MenuEntry {
  to: string;
  /** Its text, with the namespace: `members:menu`. */
  textKey: string;
  icon: IconName;
  group: MenuGroup;
  /** What one needs to see it, one of them where there are several; without it everybody does. */
  needs?: Permission | Permission[];
  /** What it belongs to; while that is switched off, it is not there. */
  module?: Module;
  /** A hook that gives how many things wait there. */
  useCount?: () => number | undefined;
}

export interface FeatureRoute {
  path: string;
  /** Wrap it in React.lazy: what a page needs is fetched when somebody goes there. */
  page: ComponentType;
  /** Who lacks it is told which permission it is and who has it. */
  needs?: Permission;
  /** What it belongs to; while that is switched off, the page says so. */
  module?: Module;
  /** Without menu and sheet, as the till. */
  bare?: boolean;
  /** Goes on without the server and asks for its permission itself; who has to sign in again finds it as it was. */
  offline?: boolean;
}

/** What a folder under features/ shows to the app, from its feature.ts. */
export interface Feature {
  menu?: MenuEntry[];
  routes: FeatureRoute[];
  /** Stands in the top bar of every page, as the search does. Make it small, or lazy: it has the place of a button until it is here, or of the search field. */
  tool?: { part: ComponentType; wide?: boolean };
}
