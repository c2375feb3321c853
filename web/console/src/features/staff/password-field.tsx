import { Button, Form, Input, Space } from 'antd';
import { useTranslation } from 'react-i18next';

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

/** Letters that survive being read out: none that looks like another. */
const letters = 'abcdefghjkmnpqrstuvwxyz23456789';

/** Five groups of four: about 99 bits. */
export function byChance(): string {
  const pick = (n: number): string[] => {
    const out: string[] = [];
    while (out.length < n) {
      for (const b of crypto.getRandomValues(new Uint8Array(n))) {
        if (b < 256 - (256 % letters.length) && out.length < n) out.push(letters[b % letters.length]!); // no letter is likelier
      }
    }
    return out;
  };
  return Array.from({ length: 5 }, () => pick(4).join('')).join('-');
}
