import js from '@eslint/js';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['**/dist', '**/node_modules', 'shared/src/api/schema.d.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  reactHooks.configs.flat.recommended,
  jsxA11y.flatConfigs.strict,
  {
    rules: {
      'jsx-a11y/no-autofocus': 'off', // the first field of a form that a person has just asked for
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-imports': ['error', { paths: [{ name: 'echarts', message: 'Import from @patron/shared/charts: only the parts that are used.' }, { name: 'antd/es', message: 'Import from antd.' }] }],
    },
  },
  { // The portal has 200 kB for everything.
    files: ['portal/**', 'shared/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group: ['antd', 'antd/*', '@ant-design/*'], message: 'Ant Design is for the console alone.' }] }] },
  },
  { // app → features → ui → shared
    files: ['console/src/features/**', 'portal/src/features/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ regex: '^\\.\\./(?!\\.\\./)[^/]+/', message: 'Features do not import features. What two need goes to ui, app or shared.' }] }] },
  },
  { // VERSION and FILES come from the build.
    files: ['portal/worker.js', 'console/till-worker.js'],
    languageOptions: { globals: Object.fromEntries(['self', 'caches', 'fetch', 'location', 'Request', 'Response', 'URL', 'setTimeout', 'VERSION', 'FILES'].map((name) => [name, 'readonly'])) },
  },
  { files: ['portal/public/*.js'], languageOptions: { globals: { window: 'readonly', fetch: 'readonly' } } },
  { files: ['**/*.mjs', '**/*.config.*'], languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } } },
);
