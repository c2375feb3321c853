import react from '@vitejs/plugin-react';
import type { UserConfig } from 'vite';
import { tokens } from './shared/src/theme/vite-tokens.ts';

/** Where `npm run dev` finds the API: a running server. */
const server = process.env.PATRON_URL ?? 'http://127.0.0.1:8080';
const proxy = Object.fromEntries(['/v1', '/portal/v1', '/docs', '/openapi.json'].map((path) => [path, { target: server }]));

/** What console and portal have in common. */
export function shared(base: string, port: number): UserConfig {
  return {
    base,
    plugins: [react(), tokens()],
    server: { port: Number(process.env.PORT ?? port), proxy },
    preview: { port: Number(process.env.PORT ?? port), proxy },
    build: {
      target: 'es2022',
      assetsInlineLimit: 0, // no data: URLs, so that the content security policy stays short
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: {
        output: {
          codeSplitting: {
            groups: [
              { name: 'react', test: /\/node_modules\/(react|react-dom|scheduler|react-router|@tanstack|i18next|react-i18next)\// },
            ],
          },
        },
      },
    },
  };
}
