// A growing text on the page: whoever owns it feeds it; nodes of closed blocks are never touched again.

import { type Block, type Rest, Splitter } from './blocks.ts';
import { type BlockView, viewOf } from './block_views.ts';
import { labelOf, type Piece } from './dialect.ts';
import { highlightIn } from './highlight.ts';
import { graft, make } from './nodes.ts';

const PART = 25; // blocks that are laid out, or left out of view, together
const STEP = 2_048; // characters fed at once, so that a long text is drawn over several frames
const PIECES = 4; // blocks, items and rows drawn at once: on a slow machine each takes milliseconds
const LONG_REST = 4_000; // a rest above is drawn less often: it is drawn as a whole each time
const LONG_REST_MS_PER_CHARACTER = 0.01;
const MENTION = /\[((?:\\.|[^[\]\\]){1,200})\]/g;

interface Shown {
  readonly block: Block;
  readonly view: BlockView;
  readonly isWhole: boolean;
}
interface Place {
  node: HTMLElement;
  readonly draw: () => HTMLElement;
}

export class Prose {
  readonly node = make('div', { class: 'prose' });
  readonly #splitter = new Splitter();
  readonly #places = new Map<Piece, Place>();
  readonly #mentions = new Map<string, Piece[]>();
  #labels = 0;
  readonly #parts: HTMLElement[] = [];
  #final = 0; // how many blocks are final
  #growing: { readonly block: Block; readonly view: BlockView } | null = null;
  #text = '';
  #fed = 0;
  #whole = false;
  #drawn = true;
  #behind = false; // not all that was fed is drawn
  #finished = false;
  #notBefore = 0;

  /** The text that is fed. */
  get text(): string {
    return this.#text;
  }

  /** Whether this text can become that one by growing. */
  canBecome(text: string): boolean {
    return !this.#whole && text.startsWith(this.#text);
  }

  /** What it shall show; must begin with what it showed before. */
  grow(text: string, whole = false): void {
    this.#text = text;
    this.#whole = whole;
    this.#drawn = false;
    if (whole) this.#notBefore = 0;
  }

  /** Feed and draw a little. */
  step(now: number): 'more' | 'later' | 'done' {
    if (this.#drawn) return 'done';
    if (now < this.#notBefore) return 'later';
    if (!this.#behind) this.#feed();
    const last = this.#fed === this.#text.length && this.#finished === this.#whole;
    this.#behind = !this.#draw(last, now);
    this.#drawn = last && !this.#behind;
    return this.#drawn ? 'done' : 'more';
  }

  #feed(): void {
    const end = Math.min(this.#text.length, this.#fed + STEP);
    this.#splitter.feed(this.#text.slice(this.#fed, end));
    this.#fed = end;
    if (!this.#whole || end < this.#text.length) return;
    this.#splitter.finish();
    this.#finished = true;
  }

  /** False where blocks or pieces of them are left to be drawn. */
  #draw(withRest: boolean, now: number): boolean {
    const { blocks, growing } = this.#splitter;
    const isNear = withRest && blocks.length - this.#final <= PIECES;
    const rest = isNear ? this.#splitter.rest() : null;
    const { views, isAll } = this.#shown(rest);
    const loose = isAll ? this.#loose(rest) : [];
    this.#put(views.map(({ view }) => view.node), loose);
    for (const { block, view, isWhole } of views) {
      if (block === growing || !isWhole) this.#growing = { block, view };
      else this.#close(block);
    }
    this.#follow();
    this.#notBefore = now + (rest && isAll ? pause(rest) : 0);
    return isAll;
  }

  /** The next blocks, as many as are drawn at once. */
  #shown(rest: Rest | null): { readonly views: readonly Shown[]; readonly isAll: boolean } {
    const { blocks, growing, links } = this.#splitter;
    const share = { pieces: PIECES };
    const views: Shown[] = [];
    for (const block of blocks.slice(this.#final)) {
      if (share.pieces === 0) return { views, isAll: false };
      share.pieces -= 1;
      const view = this.#growing?.block === block ? this.#growing.view : viewOf(block, links, this.#place);
      const isWhole = view.show(block === growing ? rest : null, share);
      views.push({ block, view, isWhole });
      if (!isWhole) return { views, isAll: false };
    }
    return { views, isAll: true };
  }

  /** What follows for now. */
  #loose(rest: Rest | null): HTMLElement[] {
    return (rest?.blocks ?? []).map((block) => {
      const view = viewOf(block, this.#splitter.links, () => undefined);
      view.show(null, { pieces: Infinity });
      return view.node;
    });
  }

  /** Nodes of blocks behind those that are final, and of what follows for now. */
  #put(nodes: readonly HTMLElement[], loose: readonly HTMLElement[]): void {
    const from = this.#final;
    const end = from + nodes.length;
    const last = loose.length > 0 ? Math.floor(end / PART) : Math.max(0, Math.ceil(end / PART) - 1);
    this.#parts.splice(last + 1).forEach((part) => part.remove());
    while (this.#parts.length <= last) {
      this.#parts.push(this.node.appendChild(make('div', { class: 'part' })));
    }
    for (let at = Math.min(Math.floor(from / PART), last); at <= last; at += 1) {
      const start = Math.max(from, at * PART);
      const mine = nodes.slice(start - from, (at + 1) * PART - from);
      graft(this.#parts[at]!, start - at * PART, at === last ? [...mine, ...loose] : mine);
    }
  }

  #close(block: Block): void {
    const part = this.#parts[Math.floor(this.#final / PART)];
    const node = part!.children[this.#final % PART] as HTMLElement;
    this.#final += 1;
    if (block.kind === 'flow') {
      const { links } = this.#splitter;
      this.#place(block, node, () => viewOf(block, links, this.#place).node);
    } else if (block.kind === 'code') {
      highlightIn(node);
    }
  }

  readonly #place = (piece: Piece, node: HTMLElement, draw: () => HTMLElement): void => {
    if (node.querySelector('figure')) highlightIn(node);
    if (!piece.source.includes('[')) return;
    this.#places.set(piece, { node, draw });
    for (const [, label = ''] of piece.source.matchAll(MENTION)) {
      const key = labelOf(label);
      const pieces = this.#mentions.get(key);
      if (pieces) pieces.push(piece);
      else this.#mentions.set(key, [piece]);
    }
  };

  /** A definition may stand below the links that it completes. */
  #follow(): void {
    const labels = Object.keys(this.#splitter.links);
    for (const label of labels.slice(this.#labels)) {
      for (const piece of new Set(this.#mentions.get(label))) this.#drawAgain(piece);
    }
    this.#labels = labels.length;
  }

  #drawAgain(piece: Piece): void {
    const place = this.#places.get(piece);
    if (!place) return;
    const fresh = place.draw();
    place.node.replaceWith(fresh);
    place.node = fresh;
    highlightIn(fresh);
  }
}

/** How long to wait before what is open is drawn again, so that drawing never fills the time. */
function pause({ pieces, blocks }: Rest): number {
  const length = [...pieces, ...blocks].reduce((sum, one) => sum + ('source' in one ? one.source.length : 0), 0);
  return length > LONG_REST ? length * LONG_REST_MS_PER_CHARACTER : 0;
}
