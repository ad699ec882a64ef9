// How the page is built into dist/, and how its unit tests in tests/page are run.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { compressed } from './compressed.ts';

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
  },
});
