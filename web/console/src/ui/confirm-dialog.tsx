import { Modal } from 'antd';
import type { ReactNode } from 'react';
import { ChangeList, type Change } from './change-list.tsx';
import { ProblemAlert } from './problem-alert.tsx';
import { useLast } from './use-last.ts';

interface Props {
  open: boolean;
  /** The act: 把时区改成 Asia/Tokyo？ */
  title: string;
  change?: Change[];
  /** What follows from it. */
  children?: ReactNode;
  /** The button repeats the act. */
  act: string;
  /** 先不改. */
  cancel: string;
  /** Takes something away: the button is cinnabar. */
  danger?: boolean;
  pending: boolean;
  error: unknown;
  onOk: () => void;
  onCancel: () => void;
}

/** Confirms an act that wants no reason: what it is, before → after, what follows. */
export function ConfirmDialog({ open, title, change = [], children, act, cancel, danger, pending, error, onOk, onCancel }: Props) {
  const shown = useLast(title);
  return (
    <Modal open={open} title={shown} okText={act} cancelText={cancel} okButtonProps={{ danger, loading: pending }} onOk={onOk} onCancel={onCancel} width={460}>
      <ChangeList changes={change} />
      <ProblemAlert error={error} />
      {children}
    </Modal>
  );
}
