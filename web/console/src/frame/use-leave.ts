import { App } from 'antd';
import { useTranslation } from 'react-i18next';
import { useUnsaved } from './unsaved.tsx';

/** The guard of a drawer with a form: it asks when the page is left and when the drawer is closed with changes in it. */
export function useLeave(changed: boolean, close: () => void): () => void {
  const { t } = useTranslation('frame');
  const { modal } = App.useApp();
  useUnsaved(changed);
  return () => {
    if (!changed) return close();
    modal.confirm({ title: t('unsaved.title'), content: t('unsaved.body'), okText: t('unsaved.leave'), okButtonProps: { danger: true }, cancelText: t('unsaved.stay'), onOk: close });
  };
}
