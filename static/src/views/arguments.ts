// A call's arguments as a person reads and edits them: one field for each name. Pure.

import type { Json, JsonObject } from '../wire.ts';
import { words } from '../words/en.ts';

export type Shape = 'script' | 'line' | 'number' | 'boolean' | 'json';

const SCRIPTS = new Set(['command', 'content', 'old', 'new', 'script', 'code', 'text', 'query']);
const LINE = 80;

export function shapeOf(name: string, value: Json): Shape {
  if (typeof value === 'string') {
    return SCRIPTS.has(name) || value.includes('\n') || value.length > LINE ? 'script' : 'line';
  }
  if (typeof value === 'number') return 'number';
  return typeof value === 'boolean' ? 'boolean' : 'json';
}

/** The value as the text of its field. */
export const fieldText = (value: Json): string =>
  typeof value === 'string' ? value : JSON.stringify(value, null, typeof value === 'object' ? 2 : 0);

export type Read = { readonly value: Json } | { readonly problem: string };

/** What a person wrote into the field of a value that was `original`. */
export function readField(name: string, text: string, original: Json): Read {
  if (typeof original === 'string') return { value: text };
  if (typeof original === 'number') {
    const value = Number(text);
    const usable = text.trim() !== '' && Number.isFinite(value);
    return usable ? { value } : { problem: words.approval.notNumber(name) };
  }
  return readJson(text);
}

export function readJson(text: string): Read {
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { problem: words.approval.notJson((error as Error).message) };
  }
}

/** The whole object, written as JSON by hand. */
export function readObject(text: string): { readonly value: JsonObject } | { readonly problem: string } {
  const read = readJson(text);
  if ('problem' in read) return read;
  const { value } = read;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return { problem: words.approval.notObject };
  }
  return { value: value as JsonObject };
}

export const same = (one: Json, other: Json): boolean => sorted(one) === sorted(other);

function sorted(value: Json): string {
  return JSON.stringify(value, (_, part: Json) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

export interface Change {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** What differs, name by name, as texts that can be compared line by line. */
export function changes(before: JsonObject, after: JsonObject): readonly Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const text = (value: Json | undefined): string => (value === undefined ? '' : fieldText(value));
  return names
    .filter((name) => {
      const [was, is] = [before[name], after[name]];
      return was === undefined || is === undefined ? was !== is : !same(was, is);
    })
    .map((name) => ({ name, before: text(before[name]), after: text(after[name]) }));
}

/** What a call is about, in one line. `plain` is for people, otherwise it is code. */
export function summary(tool: string, given: JsonObject): { readonly text: string; readonly plain: boolean } {
  const said = given['description'] ?? given['task'];
  if (typeof said === 'string' && said.trim()) return { text: firstLine(said), plain: true };
  if (tool === 'plan' && Array.isArray(given['items'])) {
    return { text: words.tool.steps(given['items'].length), plain: true };
  }
  for (const name of ['command', 'path', 'query', 'url', 'operation']) {
    const value = given[name];
    if (typeof value === 'string' && value.trim()) return { text: firstLine(value), plain: false };
  }
  return { text: Object.keys(given).join(', '), plain: true };
}

const MOST = 200;
const firstLine = (text: string): string => text.trim().split('\n', 1)[0]!.slice(0, MOST);
