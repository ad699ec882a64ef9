// The page's own rooms: small functions, and every word in the table.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PURE_ROOMS } from '../../static/pure_rooms.ts';
import { parseSync } from '../../static/syntax.ts';

const ROOT = fileURLToPath(new URL('../../static/src', import.meta.url));
const LINES_OF_A_ROOM = 300;
const LINES_OF_A_FUNCTION = 40;
/** Made from the server's schema. */
const MADE = 'wire.ts';
/** What a person may read or hear of an element. */
const SAID = new Set(['aria-label', 'title', 'placeholder', 'alt', 'label']);
const NAMES = new Set(['class', 'rel']);
/** What takes selectors. */
const SELECT = new Set(['closest', 'querySelector', 'querySelectorAll']);
/** Lists of names, for the browser. */
const LISTS = new Set(['text/dialect.ts', 'text/decorate.ts']);

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const rooms = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && name !== MADE)
  .map((name) => ({ name, source: readFileSync(join(ROOT, name), 'utf8') }));

function* nodes(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value) yield value as Node;
  for (const inner of Object.values(value)) yield* nodes(inner);
}

const treeOf = ({ name, source }: { name: string; source: string }): unknown =>
  parseSync(name, source).program;
const isFunction = ({ type }: Node): boolean =>
  ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(type);

test.each(rooms)('$name is small and says what is in it', (room) => {
  const lines = (text: string): number => text.split('\n').length - 1;
  expect(room.source).toMatch(/^(?:\/\/|\/\*\*) \S/);
  expect(lines(room.source)).toBeLessThanOrEqual(LINES_OF_A_ROOM);
  const long = [...nodes(treeOf(room))]
    .filter(isFunction)
    .map(({ start, end }) => room.source.slice(start, end))
    .filter((text) => lines(text) + 1 > LINES_OF_A_FUNCTION)
    .map((text) => `${lines(text) + 1} lines: ${text.slice(0, 60)}`);
  expect(long).toEqual([]);
});

/** What stands in the source, but for names: of classes, in selectors, and what only a developer reads. */
function* literals(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const inner of value) yield* literals(inner);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const node = value as Node & { name?: { name: string }; callee?: { name?: string; property?: { name?: string } }; value?: unknown };
  if (node.type === 'JSXAttribute' && NAMES.has(node.name?.name ?? '')) return;
  const called = node.callee?.name ?? node.callee?.property?.name ?? '';
  if (node.type === 'NewExpression' && /Error$/.test(called)) return;
  if (node.type === 'CallExpression' && SELECT.has(called)) return void (yield* literals(node.callee));
  if (node.type === 'Literal' && typeof node.value === 'string') yield node.value;
  if (node.type === 'TemplateElement') yield (node.value as unknown as { cooked: string }).cooked;
  for (const inner of Object.values(node)) yield* literals(inner);
}

test.each(rooms.filter(({ name }) => !name.startsWith('words')))('$name has its words from the table', (room) => {
  const said = [...nodes(treeOf(room))].flatMap((node) => {
    if (node.type === 'JSXText') return [String(node['value'])];
    if (node.type !== 'JSXAttribute') return [];
    const { name, value } = node as unknown as { name: { name: string }; value: { type: string; value?: unknown } | null };
    return SAID.has(name.name) && value?.type === 'Literal' ? [String(value.value)] : [];
  });
  expect(said.filter((text) => /\p{Letter}{2}/u.test(text))).toEqual([]);
  const sentences = [...literals(treeOf(room))].filter((text) => /\p{Letter}{2},?\s+\p{Letter}{2}/u.test(text));
  expect(LISTS.has(room.name) ? [] : sentences).toEqual([]);
});

const isPure = (name: string): boolean =>
  PURE_ROOMS.some((room) => room === name || (room.endsWith('*.ts') && name.startsWith(room.slice(0, -'*.ts'.length))));
const OUTSIDE = new Set([
  ...['document', 'window', 'globalThis', 'self', 'navigator', 'location', 'history', 'performance', 'crypto'],
  ...['Date', 'fetch', 'localStorage', 'sessionStorage', 'indexedDB', 'setTimeout', 'setInterval', 'queueMicrotask'],
  ...['requestAnimationFrame', 'requestIdleCallback', 'WebSocket', 'XMLHttpRequest', 'matchMedia', 'console'],
]);

/** Names that are used, not those of fields: what is outside a room that it does not import. */
function outsideOf(room: { name: string; source: string }): string[] {
  const all = [...nodes(treeOf(room))];
  const fields = new Set(all.flatMap(({ property, computed, key }) => (computed ? [] : [property, key])));
  const names = all.filter((node) => node.type === 'Identifier' && !fields.has(node)).map(({ name }) => String(name));
  const chance = /\bMath\s*\.\s*random\b/.test(room.source) ? ['Math.random'] : [];
  return [...names.filter((name) => OUTSIDE.has(name)), ...chance];
}

/** Whoever calls them twice alike hears the same twice. */
const pure = rooms.filter(({ name }) => isPure(name));

test('every room that is called pure is there', () => {
  const names = pure.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(PURE_ROOMS.filter((room) => !room.includes('*'))));
  expect(names).toContain('store/reduce.ts');
});

test.each(pure)('$name knows no clock, no chance, no page and no network', (room) => {
  expect(outsideOf(room)).toEqual([]);
});
