import { useTranslation } from 'react-i18next';
import { useActors } from '../../frame/lookups.ts';

/** Who did something, in words: a colleague's name, or what kind of one it was. */
export function useWho() {
  const { t } = useTranslation('member');
  const named = useActors();
  return (actor: string | undefined): string => {
    if (!actor) return t('who.system');
    const name = named(actor);
    if (name !== actor) return name;
    const kind = actor.split(':')[0]!;
    if (kind.startsWith('stf_')) return t('who.staff');
    return t(`who.${kind === 'staff' || kind === 'key' || kind === 'member' || kind === 'till' ? kind : 'system'}`);
  };
}
