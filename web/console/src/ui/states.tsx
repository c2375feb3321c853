import { api, ok } from '@patron/shared/api/client.ts';
import type { Permission } from '@patron/shared/api/permission.ts';
import { asProblem } from '@patron/shared/api/problem.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

/** Something was not read. Says what is safe, then offers to try again. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation('ui');
  const problem = asProblem(error);
  if (problem.status === 403) return <ForbiddenState />;
  return (
    <Blank
      drawing="error"
      title={t('error.title')}
      text={
        <>
          {problem.message}
          {problem.traceId && <><br /><small>{t('error.trace', { id: problem.traceId })}</small></>}
        </>
      }
      action={retry && <Button onClick={retry}>{t('error.retry')}</Button>}
    />
  );
}

/** No permission: which one it takes, and who has it. */
export function ForbiddenState({ needs }: { needs?: Permission }) {
  const { t, i18n } = useTranslation('ui');
  const roles = useQuery({ queryKey: ['roles'], queryFn: () => ok(api.GET('/v1/roles')), staleTime: Infinity, enabled: needs !== undefined }).data;
  const label = (it: { label_en: string; label_zh: string }) => (i18n.language === 'zh-CN' ? it.label_zh : it.label_en);
  const permission = roles?.permissions?.find((p) => p.name === needs);
  const holders = roles?.roles?.filter((r) => permission?.roles?.includes(r.name)).map(label) ?? [];
  return (
    <Blank
      drawing="forbid"
      title={permission ? t('forbidden.titled', { permission: label(permission) }) : t('forbidden.title')}
      text={holders.length ? t('forbidden.held', { roles: holders.join(t('forbidden.comma')) }) : t('forbidden.text')}
      action={<Link to="/"><Button>{t('home')}</Button></Link>}
    />
  );
}

/** There is nothing at this address, or not for this person. */
export function NotFoundState() {
  const { t } = useTranslation('ui');
  return <Blank drawing="result" title={t('missing.title')} text={t('missing.text')} action={<Link to="/"><Button>{t('home')}</Button></Link>} />;
}
