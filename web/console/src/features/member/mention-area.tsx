import { Mentions } from 'antd';
import { useColleagues } from '../../frame/lookups.ts';

interface Props {
  value?: string;
  onChange?: (text: string) => void;
  placeholder?: string;
  label: string;
  /** Given by Form.Item: ties the label to it. */
  id?: string;
}

/** Words about a member; `@` offers the colleagues to tell. */
export function MentionArea({ label, ...rest }: Props) {
  const colleagues = useColleagues();
  return <Mentions {...rest} autoSize={{ minRows: 2, maxRows: 8 }} maxLength={4000} aria-label={label} options={colleagues.map((c) => ({ key: c.id, value: c.name, label: c.name }))} />;
}

/** Whom a text names, as the API wants it: their ids, or nothing. */
export function useMentioned() {
  const colleagues = useColleagues();
  return (text: string | undefined): string[] | undefined => {
    const named = colleagues.filter((c) => c.name && text?.includes(`@${c.name}`)).map((c) => c.id);
    return named.length > 0 ? named : undefined;
  };
}
