import { ColorPicker, Input, Space } from 'antd';
import { useTranslation } from 'react-i18next';

/** Patron's own colour, and others that bear white text. */
export const ownColor = '#612F4E';
const tried = [ownColor, '#1F7161', '#3F5B94', '#8A5A00', '#B3321F', '#24507A', '#4B5D23', '#2A2028'];

export const isColor = (text: string | undefined) => /^#[0-9a-f]{6}$/i.test(text ?? '');

interface Props {
  id?: string;
  value?: string;
  onChange?: (color: string) => void;
}

/** A colour: picked by hand, or typed, since the picker is not for the keyboard. */
export function ColorField({ id, value, onChange }: Props) {
  const { t } = useTranslation('program');
  return (
    <Space.Compact>
      <Input id={id} style={{ width: 120 }} maxLength={7} spellCheck={false} placeholder={ownColor} value={value} onChange={(e) => onChange?.(e.target.value.toUpperCase())} />
      <ColorPicker disabledAlpha presets={[{ label: t('brand.tried'), colors: tried }]} value={isColor(value) ? value : ownColor} onChange={(c) => onChange?.(c.toHexString().slice(0, 7).toUpperCase())} />
    </Space.Compact>
  );
}
