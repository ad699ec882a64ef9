// Many rows or items as several short bodies, so that one more is laid out among few, not among all.

import type { BlockView, Placed } from './block_views.ts';
import type { Piece } from './dialect.ts';
import { graft } from './nodes.ts';

const SIZE = 50; // pieces of one body

export interface Bodies {
  readonly first: HTMLElement;
  /** Another one at the end; `at` is the index of its first piece. */
  add(at: number): HTMLElement;
  /** What `add` gave, and what it put around it. */
  remove(body: HTMLElement): void;
}

/** Shows pieces; those that are final are drawn once. */
export function showIn(
  bodies: Bodies,
  pieces: readonly Piece[],
  draw: (piece: Piece) => HTMLElement,
  placed: Placed,
): BlockView['show'] {
  const all = [bodies.first];
  let final = 0;
  const put = (from: number, nodes: readonly HTMLElement[]): void => {
    const last = Math.max(0, Math.ceil((from + nodes.length) / SIZE) - 1);
    all.splice(last + 1).forEach((body) => bodies.remove(body));
    while (all.length <= last) all.push(bodies.add(all.length * SIZE));
    for (let part = Math.min(Math.floor(from / SIZE), last); part <= last; part += 1) {
      const start = Math.max(from, part * SIZE);
      const end = (part + 1) * SIZE;
      graft(all[part]!, start - part * SIZE, nodes.slice(start - from, end - from));
    }
  };
  return (rest, share) => {
    const more = pieces.slice(final, final + share.pieces);
    const isAll = final + more.length === pieces.length;
    share.pieces -= more.length;
    put(final, [...more, ...((isAll && rest?.pieces) || [])].map(draw));
    for (const piece of more) {
      const node = all[Math.floor(final / SIZE)]!.children[final % SIZE] as HTMLElement;
      placed(piece, node, () => draw(piece));
      final += 1;
    }
    return isAll;
  };
}
