import { Icon } from '@patron/shared/ui/icon.tsx';
import { App, Button, Input, Space, type InputRef } from 'antd';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';

/** A text to take along. Where a browser keeps its clipboard shut (plain http), the text is selected, ready for Ctrl-C. */
export function CopyField({ value, label }: { value: string; label: string }) {
  const { t } = useTranslation('ui');
  const { message } = App.useApp();
  const field = useRef<InputRef>(null);
  async function copy() {
    try {
      await navigator.clipboard.writeText(value);
      void message.success(t('copy.done'));
    } catch {
      field.current?.focus({ cursor: 'all' });
      void message.info(t('copy.byHand'));
    }
  }
  return (
    <Space.Compact block>
      <Input ref={field} readOnly value={value} aria-label={label} onFocus={(e) => e.target.select()} />
      <Button icon={<Icon name="copy" size={18} />} onClick={() => void copy()}>{t('copy.act')}</Button>
    </Space.Compact>
  );
}
