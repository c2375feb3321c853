import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { shared } from '../vite.shared.ts';

/** What the till needs while the server is away, by the modules that its pages are made of. */
const kept = /\/(till-page\.tsx|camera\.tsx|jsQR\.js|sign-in-page\.tsx|texts\.(en|zh-CN)\.ts)$/;

/** Writes till-worker.js: the worker with the list of files to keep, and a version that changes with any of them. */
function tillWorker(): Plugin {
  return {
    name: 'patron-till-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const text = readFileSync(join(import.meta.dirname, 'till-worker.js'), 'utf8');
        const files = new Set<string>();
        const take = (name: string) => {
          const part = bundle[name];
          if (files.has(name) || part?.type !== 'chunk') return;
          files.add(name);
          part.viteMetadata?.importedCss.forEach((css) => files.add(css));
          part.imports.forEach(take);
        };
        for (const part of Object.values(bundle)) {
          if (part.type === 'chunk' && (part.isEntry || kept.test(part.facadeModuleId ?? ''))) take(part.fileName);
        }
        const list = [...files].sort();
        const hash = createHash('sha256').update(text);
        for (const name of [...list, 'index.html']) {
          const part = bundle[name]!;
          hash.update(name).update(part.type === 'chunk' ? part.code : part.source);
        }
        const urls = JSON.stringify(['/favicon.svg', ...list.map((name) => `/${name}`)]);
        this.emitFile({ type: 'asset', fileName: 'till-worker.js', source: `const VERSION = '${hash.digest('hex').slice(0, 12)}';\nconst FILES = ${urls};\n${text}` });
      },
    },
  };
}

const config = shared('/', 5173);
export default defineConfig({ ...config, plugins: [...config.plugins!, tillWorker()] });
