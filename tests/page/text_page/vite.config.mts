// Builds the page of these tests with the sources and the packages of the real one.

import { fileURLToPath } from 'node:url';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Packages are installed beside the sources, not beside the tests. */
const packagesOfThePage = {
  name: 'packages-of-the-page',
  resolveId(this: { resolve(id: string, from: string): unknown }, id: string, from?: string) {
    const outside = /^[@\w]/.test(id) && from?.startsWith(here('.'));
    return outside ? this.resolve(id, here('../../../static/src/main.tsx')) : null;
  },
};

export const config = {
  root: here('../../../static'),
  base: './',
  publicDir: false,
  plugins: [packagesOfThePage],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    emptyOutDir: true,
    rolldownOptions: {
      input: { text: here('main.tsx') },
      output: { entryFileNames: '[name].js', assetFileNames: '[name][extname]' },
    },
  },
};
export { config as default };
