// Puts a .br and a .gz beside each text file of built faces, as the server sends them
// (internal/kit/spa): node scripts/press.mjs web/console/dist web/portal/dist
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const texts = /\.(js|mjs|css|html|svg|json|map|webmanifest|txt|xml|wasm|ico|ttf)$/;
const least = 1024; // below this a packet is sent either way
const worth = 0.9; // of the file, or unpacking it costs more than it saves

const dirs = process.argv.slice(2);
if (dirs.length === 0) {
  console.error('usage: node scripts/press.mjs DIR…');
  process.exit(2);
}
for (const dir of dirs) {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (!entry.isFile() || !texts.test(path)) continue;
    const plain = readFileSync(path);
    const pressed = {
      '.br': () => brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }),
      '.gz': () => gzipSync(plain, { level: 9 }),
    };
    for (const [suffix, press] of Object.entries(pressed)) {
      rmSync(path + suffix, { force: true }); // of an earlier build
      if (plain.length < least) continue;
      const small = press();
      if (small.length < plain.length * worth) writeFileSync(path + suffix, small);
    }
  }
}
