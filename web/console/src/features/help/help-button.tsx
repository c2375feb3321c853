import { Icon } from '@patron/shared/ui/icon.tsx';
import { Button, Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

/** The way to the guide, from every page. */
export default function HelpButton() {
  const { t } = useTranslation('help');
  const navigate = useNavigate();
  return <Tooltip title={t('title')}><Button type="text" icon={<Icon name="help" />} aria-label={t('title')} onClick={() => void navigate('/help')} /></Tooltip>;
}
