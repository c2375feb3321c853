import { Blank } from '@patron/shared/ui/blank.tsx';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Module } from '../frame/feature.ts';
import { useCan } from '../frame/me.ts';

/** The page of a module that the programme does not use. What it had is kept; who runs the programme switches it on. */
export function OffState({ module }: { module: Module }) {
  const { t } = useTranslation('frame');
  const mine = useCan()('program.manage');
  return (
    <Blank
      drawing="result"
      title={t('off.title', { module: t(`modules.${module}`) })}
      text={mine ? t('off.textMine') : t('off.text')}
      action={mine ? <Link to="/settings"><Button>{t('off.act')}</Button></Link> : <Link to="/"><Button>{t('ui:home')}</Button></Link>}
    />
  );
}
