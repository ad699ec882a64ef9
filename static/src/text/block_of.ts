// What marked found, as a block of a text, and its items and rows as pieces. Pure.

import type { Tokens } from 'marked';
import type { Block, List } from './blocks.ts';
import type { Piece, Span } from './dialect.ts';
import { fenceIn } from './fence.ts';

export function blockOf({ token }: Span): Block[] {
  if (token.type === 'def') return [];
  if (token.type === 'list') {
    const list = token as Tokens.List;
    return [{ ...emptyList(list), loose: list.loose, pieces: piecesOf(list) }];
  }
  if (token.type === 'table') {
    const { head, length } = headOf(token.raw);
    const lines = token.raw.slice(length).split('\n', (token as Tokens.Table).rows.length);
    return [{ kind: 'table', head, pieces: lines.map((source) => ({ source })) }];
  }
  const fence = fenceIn(token.raw);
  if (fence) return [{ kind: 'code', language: fence.language, text: fence.all(token.raw) }];
  return [{ kind: 'flow', source: trimmed(token.raw) }];
}

export const emptyList = ({ ordered, start }: Tokens.List): List => ({
  kind: 'list',
  ordered,
  start: start === '' ? 1 : start,
  loose: false,
  pieces: [],
});

export const piecesOf = (list: Tokens.List): Piece[] =>
  list.items.map(({ raw }) => ({ source: raw.trimEnd() }));

/** Its header and delimiter; the pipe in front keeps the header one wherever it is read again. */
export function headOf(raw: string): { head: string; length: number } {
  const [names = '', dashes = ''] = raw.split('\n', 2);
  const pipe = /^ *\|/.test(names) ? '' : '| ';
  return { head: `${pipe}${names}\n${dashes}\n`, length: names.length + dashes.length + 2 };
}

const trimmed = (raw: string): string => {
  let end = raw.length;
  while (raw[end - 1] === '\n') end -= 1;
  return raw.slice(0, end);
};
