// The rooms of src/ that take all they know as parameters: tests run every branch of them, and see that they know nothing else.

export const PURE_ROOMS: readonly string[] = [
  ...['link/backoff.ts', 'store/*.ts'],
  ...['ansi', 'block_of', 'blocks', 'dialect', 'diff', 'fence', 'hidden', 'links', 'sgr'].map((name) => `text/${name}.ts`),
  ...['arguments', 'filling', 'rows', 'trouble'].map((name) => `views/${name}.ts`),
];
