import { api, ok } from '@patron/shared/api/client.ts';
import type { PortalProgramView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button, Field, fieldError, Refusal } from '../../frame/parts.tsx';
import type { Address, Proof } from './door-page.tsx';

interface Props {
  program: PortalProgramView;
  store: string | undefined;
  address: Address;
  proof: Proof;
  onDone: () => Promise<void>;
  /** The code is over: back to asking for one. */
  onCode: () => void;
}

/** What a new member says of themselves: little, and nothing ticked for them. */
export function JoinForm({ program, store, address, proof, onDone, onCode }: Props) {
  const { t } = useTranslation('door');
  const { language } = useFormat();
  const [name, setName] = useState('');
  const [birthday, setBirthday] = useState('');
  const [given, setGiven] = useState<Record<string, boolean>>({});
  const purposes = (program.consents ?? []).filter((c) => c.text_version); // without a text there is nothing to agree to
  const join = useMutation({
    mutationFn: () => ok(api.POST('/portal/v1/join', {
      body: {
        ...address, ...proof, language, ...(store && { store }), ...(name.trim() && { name: name.trim() }), ...(birthday && { birthday }),
        consents: purposes.map((c) => ({ purpose: c.purpose, channel: 'any' as const, granted: !!given[c.purpose], text_version: c.text_version! })),
      },
    })),
    onSuccess: onDone,
  });
  return (
    <form className="stack" noValidate onSubmit={(e) => { e.preventDefault(); join.mutate(); }}>
      <p>{t('join.new')}</p>
      <Refusal error={join.error} beside={['name', 'birthday']} />
      {join.error?.code === 'portal.code' && <Button onClick={onCode}>{t('join.newCode')}</Button>}
      <Field label={t('join.name')} autoComplete="name" name="name" maxLength={100} value={name} onChange={(e) => setName(e.target.value)} error={fieldError(join.error, 'name')} help={t('join.nameHelp')} />
      <Field label={t('join.birthday')} type="date" autoComplete="bday" name="birthday" max={new Date().toISOString().slice(0, 10)} value={birthday} onChange={(e) => setBirthday(e.target.value)} error={fieldError(join.error, 'birthday')} help={t('join.birthdayHelp')} />
      {purposes.length > 0 && (
        <div role="group" aria-label={t('join.consents')}>
          {purposes.map((c) => (
            <label key={c.purpose} className="tick">
              <input type="checkbox" checked={!!given[c.purpose]} onChange={(e) => setGiven({ ...given, [c.purpose]: e.target.checked })} />
              <span>{language === 'zh-CN' ? c.text_zh || c.text_en : c.text_en || c.text_zh}</span>
            </label>
          ))}
          <p className="small">{t('join.free')}</p>
        </div>
      )}
      <Button type="submit" look="filled" className="wide" busy={join.isPending}>{t('join.submit')}</Button>
    </form>
  );
}
