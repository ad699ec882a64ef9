// A table that grows: the browser lays out each table as a whole, so a long one becomes several.

import type { Links } from 'marked';
import type { Table } from './blocks.ts';
import type { BlockView, Placed } from './block_views.ts';
import { kept, make } from './nodes.ts';
import { showIn } from './parts.ts';
import { rowNode, tableNode } from './pieces.ts';

export function tableView(block: Table, links: Links, placed: Placed): BlockView {
  const { node, rows } = tableNode(block.head, links);
  const columns = new Columns(node);
  kept.add(node);
  const bodies = {
    first: rows,
    add: () => columns.another(),
    remove: (body: HTMLElement) => body.closest('.more-rows')?.remove(),
  };
  return { node, show: showIn(bodies, block.pieces, (row) => rowNode(block.head, row, links), placed) };
}

/** Further tables in the columns of the first one, whatever its width becomes. */
class Columns {
  readonly #node: HTMLElement;
  readonly #names: readonly HTMLElement[];
  #widths: readonly number[] = [];
  #observer: ResizeObserver | null = null;

  constructor(node: HTMLElement) {
    this.#node = node;
    this.#names = [...node.querySelectorAll<HTMLElement>('thead th')];
  }

  another(): HTMLElement {
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
