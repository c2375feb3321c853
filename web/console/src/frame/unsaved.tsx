import { App } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useBlocker } from 'react-router';

/** How a page leaves that has just saved what was changed: nothing is asked, whether it has been drawn anew or not. */
export const kept = { replace: true, state: { kept: true } } as const;

/** Asks before a page with changes is left, by a link, by back or by closing the tab. */
export function useUnsaved(changed: boolean): void {
  const { t } = useTranslation('frame');
  const { modal } = App.useApp();
  const blocker = useBlocker(({ currentLocation, nextLocation }) => changed && currentLocation.pathname !== nextLocation.pathname && !(nextLocation.state as { kept?: boolean } | null)?.kept);

  useEffect(() => {
    if (blocker.state !== 'blocked') return;
    const dialog = modal.confirm({
      title: t('unsaved.title'),
      content: t('unsaved.body'),
      okText: t('unsaved.leave'),
      okButtonProps: { danger: true },
      cancelText: t('unsaved.stay'),
      onOk: () => blocker.proceed(),
      onCancel: () => blocker.reset(),
    });
    return dialog.destroy;
  }, [blocker, modal, t]);

  useEffect(() => {
    if (!changed) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [changed]);
}
