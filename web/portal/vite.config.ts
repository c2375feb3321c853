import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { shared } from '../vite.shared.ts';

const base = '/portal/';

/** Writes sw.js: the worker with the list of files to keep, and a version that changes with any of them. */
function worker(): Plugin {
  return {
    name: 'patron-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const text = readFileSync(join(import.meta.dirname, 'worker.js'), 'utf8');
        const still = readdirSync(join(import.meta.dirname, 'public'));
        const made = Object.keys(bundle).filter((name) => !name.endsWith('.map') && name !== 'index.html');
        const files = [base, ...[...made, ...still].sort().map((name) => base + name)];
        const hash = createHash('sha256').update(text);
        for (const [name, part] of Object.entries(bundle).sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(name).update(part.type === 'chunk' ? part.code : part.source);
        for (const name of still) hash.update(readFileSync(join(import.meta.dirname, 'public', name)));
        const source = `const VERSION = '${hash.digest('hex').slice(0, 12)}';\nconst FILES = ${JSON.stringify(files)};\n${text}`;
        this.emitFile({ type: 'asset', fileName: 'sw.js', source });
      },
    },
  };
}

/** The texts of both languages come with the page, which does not know yet which it needs: 3 kB are less than a round trip. */
function texts(): Plugin {
  return {
    name: 'patron-texts',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle }) => Object.keys(bundle ?? {}).filter((name) => /\/texts\..*\.js$/.test(name)).map((name) => ({ tag: 'link', attrs: { rel: 'modulepreload', crossorigin: true, href: base + name }, injectTo: 'head' as const })),
    },
  };
}

const config = shared(base, 5174);
export default defineConfig({
  ...config,
  plugins: [...config.plugins!, worker(), texts()],
  build: {
    ...config.build,
    cssCodeSplit: false,
    // Few files: a browser fetches six at a time, and each costs a phone a round trip.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /\/node_modules\// },
            { name: 'frame', test: /\/(shared\/src|portal\/src\/frame)\/.*\.tsx?$/ },
          ],
        },
      },
    },
  },
});
