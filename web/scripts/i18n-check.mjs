// Fails when a text is missing in one language, used in code and defined nowhere, or defined and used
// nowhere. A namespace is a folder with i18n.en.json and i18n.zh-CN.json; the code of that folder uses it by
// useTranslation('folder'). Another namespace is named before a colon: t('ui:retry').
// A key with a changing end is written as a template, t(`state.${x}`), and uses all that begin so.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');
const languages = ['en', 'zh-CN'];
const mistakes = [];

const files = ['shared/src', 'console/src', 'portal/src'].flatMap((dir) =>
  readdirSync(join(root, dir), { recursive: true }).map((name) => join(root, dir, name)),
);

// flat lists the keys of a file: { a: { b: '…' } } is a.b. Plural endings are one key.
function flat(texts, prefix = '') {
  return Object.entries(texts).flatMap(([key, value]) => {
    if (typeof value === 'object') return flat(value, `${prefix}${key}.`);
    if (value.trim() === '') mistakes.push(`${prefix}${key} is empty`);
    return [(prefix + key).replace(/_(zero|one|two|few|many|other)$/, '')];
  });
}

// Portal and console are two programs: the same name may be a namespace in both.
const programOf = (path) => relative(root, path).split('/')[0];
const spaces = new Map(); // program/namespace → { keys, used }
for (const path of files.filter((f) => /\/i18n\.en\.json$/.test(f))) {
  const [ns, program] = [basename(dirname(path)), programOf(path)];
  const [en, zh] = languages.map((l) => {
    try {
      return new Set(flat(JSON.parse(readFileSync(path.replace('i18n.en', `i18n.${l}`), 'utf8'))));
    } catch (error) {
      mistakes.push(`${relative(root, path)}: ${l}: ${error.message}`);
      return new Set();
    }
  });
  for (const key of en) if (!zh.has(key)) mistakes.push(`${program}/${ns}: ${key} is missing in zh-CN`);
  for (const key of zh) if (!en.has(key)) mistakes.push(`${program}/${ns}: ${key} is missing in en`);
  spaces.set(`${program}/${ns}`, { keys: en, used: new Set() });
}

function refer(path, line, own, text, open) {
  const [ns, key] = text.includes(':') ? text.split(/:(.*)/s) : [own, text];
  const space = spaces.get(`${programOf(path)}/${ns}`) ?? spaces.get(`shared/${ns}`);
  const found = space ? [...space.keys].filter((k) => (open ? k.startsWith(key) : k === key)) : [];
  if (found.length === 0) mistakes.push(`${relative(root, path)}:${line}: no text ${ns}:${key}${open ? '…' : ''}`);
  found.forEach((k) => space.used.add(k));
}

for (const path of files.filter((f) => /\.tsx?$/.test(f) && !/\.(test|d)\.tsx?$/.test(f))) {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const said = /useTranslation\('(\w+)'/.exec(source.text)?.[1];
  const own = said ?? basename(dirname(path));
  const visit = (node) => {
    const at = () => source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    if (ts.isCallExpression(node) && /(^|\.)t$/.test(node.expression.getText())) {
      for (const piece of pieces(node.arguments[0])) refer(path, at(), own, piece.text, piece.open);
    } else if (ts.isJsxAttribute(node) && node.name.getText() === 'i18nKey' && node.initializer && ts.isStringLiteral(node.initializer)) {
      refer(path, at(), own, node.initializer.text, false);
    } else if (ts.isPropertyAssignment(node) && node.name.getText() === 'textKey') {
      for (const piece of pieces(node.initializer)) refer(path, at(), own, piece.text, piece.open); // { textKey: 'nav' }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}

// pieces are the keys that an argument may be: a literal, either side of ?:, the start of a template.
function pieces(node) {
  if (!node) return [];
  if (ts.isStringLiteralLike(node)) return [{ text: node.text, open: false }];
  if (ts.isTemplateExpression(node)) return node.head.text ? [{ text: node.head.text, open: true }] : [];
  if (ts.isConditionalExpression(node)) return [...pieces(node.whenTrue), ...pieces(node.whenFalse)];
  return [];
}

for (const [name, { keys, used }] of spaces) for (const key of keys) if (!used.has(key)) mistakes.push(`${name}: ${key} is used nowhere`);

if (mistakes.length) {
  console.error(mistakes.join('\n'));
  process.exit(1);
}
