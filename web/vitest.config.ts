import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['{shared,console,portal}/src/**/*.test.ts'] } });
