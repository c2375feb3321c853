import { Button, Form, Input, Space } from 'antd';
import { useTranslation } from 'react-i18next';
import { byChance } from './by-chance.ts';

interface Props {
  value?: string;
  onChange?: (value: string) => void;
  id?: string;
}

/** A password that one makes for somebody else: readable, since it is handed over, and made by chance on a click. */
function Chance({ value, onChange, id }: Props) {
  const { t } = useTranslation('staff');
  return (
    <Space.Compact block>
      <Input id={id} value={value} maxLength={128} autoComplete="off" spellCheck={false} onChange={(e) => onChange?.(e.target.value)} />
      <Button onClick={() => onChange?.(byChance())}>{t('password.make')}</Button>
    </Space.Compact>
  );
}

export function PasswordField() {
  const { t } = useTranslation('staff');
  return (
    <Form.Item name="password" label={t('password.label')} extra={t('password.help')} rules={[{ required: true, message: t('password.needed') }]}>
      <Chance />
    </Form.Item>
  );
}
