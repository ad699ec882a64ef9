// A table that grows: the browser lays out each table as a whole, so a long one becomes several.

import type { Links } from 'marked';
import type { Rest, Table } from './blocks.ts';
import type { BlockView, Placed } from './block_views.ts';
import type { Piece } from './dialect.ts';
import { graft, kept, make } from './nodes.ts';
import { rowNode, tableNode } from './pieces.ts';

const ROWS = 50; // of one table

export function tableView(block: Table, links: Links, placed: Placed): BlockView {
  const { node, rows } = tableNode(block.head, links);
  const parts = new Parts(node, rows);
  const draw = (piece: Piece) => rowNode(block.head, piece, links);
  let final = 0;
  kept.add(node);
  return {
    node,
    show(rest: Rest | null) {
      const more = block.pieces.slice(final);
      parts.put(final, [...more, ...(rest?.pieces ?? [])].map(draw));
      for (const piece of more) {
        placed(piece, parts.row(final), () => draw(piece));
        final += 1;
      }
    },
  };
}

/** The rows as several tables, in the columns of the first one, whatever its width becomes. */
class Parts {
  readonly #node: HTMLElement;
  readonly #bodies: HTMLElement[];
  readonly #names: readonly HTMLElement[];
  #widths: readonly number[] = [];
  #observer: ResizeObserver | null = null;

  constructor(node: HTMLElement, rows: HTMLElement) {
    this.#node = node;
    this.#bodies = [rows];
    this.#names = [...node.querySelectorAll<HTMLElement>('thead th')];
  }

  row(at: number): HTMLElement {
    return this.#bodies[Math.floor(at / ROWS)]!.children[at % ROWS] as HTMLElement;
  }

  /** Put rows from an index on; what was there before is replaced. */
  put(from: number, rows: readonly HTMLElement[]): void {
    const last = Math.max(0, Math.ceil((from + rows.length) / ROWS) - 1);
    for (const body of this.#bodies.splice(last + 1)) body.closest('.more-rows')?.remove();
    while (this.#bodies.length <= last) this.#bodies.push(this.#anotherPart());
    for (let part = Math.min(Math.floor(from / ROWS), last); part <= last; part += 1) {
      const start = Math.max(from, part * ROWS);
      const end = (part + 1) * ROWS;
      graft(this.#bodies[part]!, start - part * ROWS, rows.slice(start - from, end - from));
    }
  }

  #anotherPart(): HTMLElement {
    this.#watch();
    const columns = make('colgroup', {}, ...this.#names.map(() => make('col')));
    const body = make('tbody');
    const part = make('div', { class: 'more-rows' }, make('table', {}, columns, body));
    this.#align(part);
    this.#node.append(part);
    return body;
  }

  #watch(): void {
    const first = this.#node.querySelector('table');
    if (this.#observer || !first) return;
    this.#observer = new ResizeObserver(() => {
      this.#widths = this.#names.map((name) => name.getBoundingClientRect().width);
      for (const part of this.#node.querySelectorAll('.more-rows')) this.#align(part);
    });
    this.#observer.observe(first);
  }

  #align(part: Element): void {
    part.querySelectorAll('col').forEach((column, at) => {
      const width = this.#widths[at];
      if (width) column.style.width = `${width}px`;
    });
  }
}
