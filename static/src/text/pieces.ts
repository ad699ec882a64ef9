// How each piece of a text looks: its clean, decorated nodes.

import type { Links } from 'marked';
import { clean } from './clean.ts';
import { decorate, scroller } from './decorate.ts';
import { flowHtml, itemHtml, overloaded, tableHtml, type Piece } from './dialect.ts';
import { make } from './nodes.ts';

/** One element, whatever is in it. */
export function flowNode(piece: Piece, links: Links): HTMLElement {
  const html = flowHtml(piece.source, links);
  if (html === null) return make('p', { class: 'as-is' }, piece.source);
  const nodes = decorate(clean(html));
  const [only] = nodes.children;
  const alone = nodes.children.length === 1 && nodes.textContent?.trim() === only?.textContent?.trim();
  return alone ? (only as HTMLElement) : make('div', {}, nodes);
}

export function itemNode(piece: Piece, links: Links): HTMLElement {
  const html = itemHtml(piece.source, links);
  if (html === null) return make('li', {}, make('p', { class: 'as-is' }, piece.source));
  return make('li', {}, decorate(clean(html)));
}

/** A table without rows, in its region. */
export function tableNode(head: string, links: Links): { node: HTMLElement; rows: HTMLElement } {
  const nodes = overloaded(head) ? null : decorate(clean(tableHtml(head, [], links)));
  const node = (nodes?.firstElementChild as HTMLElement | null) ?? scroller();
  const table = node.querySelector('table') ?? node.appendChild(make('table'));
  const rows = make('tbody');
  table.append(rows);
  return { node, rows };
}

export function rowNode(head: string, piece: Piece, links: Links): HTMLElement {
  if (!overloaded(piece.source) && !overloaded(head)) {
    const nodes = decorate(clean(tableHtml(head, [piece.source], links)));
    const row = nodes.querySelector<HTMLElement>('tbody > tr');
    if (row) return row;
  }
  return make('tr', {}, make('td', { class: 'as-is' }, piece.source));
}
