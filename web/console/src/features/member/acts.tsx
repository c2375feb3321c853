import type { IconName } from '@patron/shared/ui/icon.tsx';
import type { MenuProps } from 'antd';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { useCan, useUses } from '../../frame/me.ts';
import type { Member } from './api.ts';

const dialogs = {
  adjust: lazy(() => import('./adjust.tsx')),
  transfer: lazy(() => import('./transfer.tsx')),
  edit: lazy(() => import('./edit.tsx')),
  block: lazy(() => import('./block.tsx')),
  merge: lazy(() => import('./merge.tsx')),
  unmerge: lazy(() => import('./unmerge.tsx')),
  erase: lazy(() => import('./erase.tsx')),
};
type Act = keyof typeof dialogs;

/** What every dialog of an act is given. It stays while it closes, so it may be shown and hidden. */
export interface ActProps {
  member: Member;
  open: boolean;
  onClose: () => void;
}

export interface ActsState {
  buttons: { key: string; label: string; icon?: IconName; onClick: () => void }[];
  more: NonNullable<MenuProps['items']>;
  act: Act | undefined;
  used: Act[];
  close: () => void;
}

/** What this person may do with the member: two buttons, the others under more. */
export function useActs(member: Member): ActsState {
  const { t } = useTranslation('member');
  const can = useCan();
  const uses = useUses();
  const navigate = useNavigate();
  const [act, setAct] = useState<Act>();
  const [used, setUsed] = useState<Act[]>([]); // their parts are fetched when they are first used
  const begin = (which: Act) => {
    setUsed((list) => (list.includes(which) ? list : [...list, which]));
    setAct(which);
  };
  const alive = !member.erased_at && !member.merged_into;
  const item = (key: Act, danger = false) => ({ key, danger, label: t(`acts.${key}`), onClick: () => begin(key) });
  const blocked = member.cards?.blocked;
  const groups = [
    [can('members.write') && alive && item('edit'), can('points.write') && uses('transfers') && alive && item('transfer')],
    [
      can('members.manage') && alive && { ...item('block'), label: t(blocked?.earn || blocked?.spend ? 'acts.unblock' : 'acts.block') },
      can('members.manage') && alive && item('merge'),
      can('members.manage') && !!member.merged?.length && item('unmerge'),
    ],
    [
      can('members.manage') && { key: 'export-json', label: <a href={`/v1/members/${member.id}/export?format=json`} download>{t('acts.export', { format: 'JSON' })}</a> },
      can('members.manage') && { key: 'export-csv', label: <a href={`/v1/members/${member.id}/export?format=csv`} download>{t('acts.export', { format: 'CSV' })}</a> },
    ],
    [can('members.manage') && alive && item('erase', true)],
  ].map((g) => g.filter((x) => x !== false)).filter((g) => g.length > 0);
  return {
    act,
    used,
    close: () => setAct(undefined),
    buttons: [
      ...(can('members.write') && alive ? [{ key: 'note', label: t('acts.note'), icon: 'note' as const, onClick: () => void navigate(`/members/${member.id}/notes`) }] : []),
      ...(can('points.adjust') && alive ? [{ key: 'adjust', label: t('acts.adjust'), onClick: () => begin('adjust') }] : []),
    ],
    more: groups.flatMap((g, i) => (i === 0 ? g : [{ type: 'divider' as const, key: `d${i}` }, ...g])),
  };
}

export function Acts({ member, acts }: { member: Member; acts: ActsState }) {
  return (
    <Suspense fallback={null}>
      {acts.used.map((key) => {
        const Dialog = dialogs[key];
        return <Dialog key={key} member={member} open={acts.act === key} onClose={acts.close} />;
      })}
    </Suspense>
  );
}
