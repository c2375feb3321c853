import 'virtual:tokens.css';
import '@patron/shared/theme/base.css';
import './frame/portal.css';
import { startI18n } from '@patron/shared/i18n/i18n.ts';
import { createRoot } from 'react-dom/client';
import { App, readAhead } from './app/app.tsx';
import { startWorker } from './app/worker.ts';

readAhead(); // while the texts are on their way
await startI18n({ en: () => import('./app/texts.en.ts'), 'zh-CN': () => import('./app/texts.zh-CN.ts') });
createRoot(document.getElementById('root')!).render(<App />);
startWorker();
