// How the page is built into dist/, and how its unit tests in tests/page are run.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { compressed } from './compressed.ts';
import { PURE_ROOMS } from './pure_rooms.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  base: '/static/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [compressed()],
  build: {
    target: 'es2022',
    // A data: address in a style sheet would be one more thing for the policy to allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: 'licenses.md' },
    reportCompressedSize: false,
  },
  server: { fs: { allow: [here('..')] } },
  test: {
    dir: here('../tests/page'),
    include: ['**/*.test.{ts,tsx}'],
    globals: true,
    reporters: ['default'],
    // For a machine that is slow and busy.
    testTimeout: 60_000,
    coverage: {
      enabled: true,
      provider: 'v8',
      include: PURE_ROOMS.map((room) => `src/${room}`),
      reporter: [['text', { skipFull: true }]],
      reportsDirectory: here('./node_modules/.coverage'),
      thresholds: { 100: true, perFile: true },
    },
  },
});
