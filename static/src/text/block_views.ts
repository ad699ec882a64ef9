// One view for each kind of block; each owns one element and writes to nothing else.

import type { Links } from 'marked';
import type { Block, Code, List, Plain, Rest } from './blocks.ts';
import { GrowingCode } from './code_box.ts';
import type { Piece } from './dialect.ts';
import { kept, make } from './nodes.ts';
import { showIn } from './parts.ts';
import { flowNode, itemNode } from './pieces.ts';
import { tableView } from './table_view.ts';

export interface BlockView {
  readonly node: HTMLElement;
  /** Show the block, and what follows for now; false where more of it is left to be shown. */
  show(rest: Rest | null, share: Share): boolean;
}

/** How many pieces may still be drawn: each takes time, and the page has other things to do. */
export interface Share {
  pieces: number;
}

/** Told once of each item or row that is final: where it stands, and how it is drawn anew. */
export type Placed = (piece: Piece, node: HTMLElement, draw: () => HTMLElement) => void;

export function viewOf(block: Block, links: Links, placed: Placed): BlockView {
  switch (block.kind) {
    case 'flow':
      return { node: flowNode(block, links), show: () => true };
    case 'code':
      return textView(block, new GrowingCode(block.language));
    case 'plain':
      return textView(block, new GrowingCode(null));
    case 'list':
      return listView(block, links, placed);
    case 'table':
      return tableView(block, links, placed);
  }
}

function textView(block: Code | Plain, box: GrowingCode): BlockView {
  const show = (rest: Rest | null) => {
    box.show(rest?.text ? block.text + rest.text : block.text);
    return true;
  };
  return { node: box.node, show };
}

function listView(block: List, links: Links, placed: Placed): BlockView {
  const list = (at: number): HTMLElement => {
    const start = block.start + at;
    if (!block.ordered) return make('ul');
    return make('ol', { start: start === 1 ? undefined : String(start) });
  };
  const first = list(0);
  const node = make('div', { class: 'items' }, first);
  const bodies = {
    first,
    add: (at: number) => node.appendChild(list(at)),
    remove: (body: HTMLElement) => body.remove(),
  };
  const show = showIn(bodies, block.pieces, (piece) => itemNode(piece, links), placed);
  kept.add(node);
  return {
    node,
    show(rest, share) {
      node.classList.toggle('loose', block.loose || rest?.loose === true);
      return show(rest, share);
    },
  };
}
