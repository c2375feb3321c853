import { Icon } from '@patron/shared/ui/icon.tsx';
import { Input } from 'antd';
import { useEffect, useRef, useState } from 'react';

interface Props {
  value: string;
  /** What it looks for; the placeholder too. */
  label: string;
  onChange: (value: string) => void;
}

/** A field that searches while one types, half a word behind, and at once on Enter. */
export function SearchField({ value, label, onChange }: Props) {
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  if (value !== known) {
    // Somebody else changed it: back, or “clear filters”.
    setKnown(value);
    setText(value);
  }
  useEffect(() => () => clearTimeout(timer.current), []);

  function say(next: string, wait: number) {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      setKnown(next.trim());
      onChange(next.trim());
    }, wait);
  }

  return (
    <Input
      value={text}
      allowClear
      maxLength={100}
      aria-label={label}
      placeholder={label}
      prefix={<Icon name="search" size={18} />}
      style={{ width: 260, maxWidth: '100%' }}
      onChange={(e) => say(e.target.value, 300)}
      onPressEnter={() => say(text, 0)}
    />
  );
}
