// A growing text on the page: whoever owns it feeds it; nodes of closed blocks are never touched again.

import { type Block, type Rest, Splitter } from './blocks.ts';
import { type BlockView, viewOf } from './block_views.ts';
import { labelOf, type Piece } from './dialect.ts';
import { highlightIn } from './highlight.ts';
import { graft, make } from './nodes.ts';

const PART = 25; // blocks that are laid out, or left out of view, together
const STEP = 2_048; // characters fed at once, so that a long text is drawn over several frames
const LONG_REST = 4_000; // a rest above is drawn less often: it is drawn as a whole each time
const LONG_REST_MS_PER_CHARACTER = 0.01;
const MENTION = /\[((?:\\.|[^[\]\\]){1,200})\]/g;

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
    const end = Math.min(this.#text.length, this.#fed + STEP);
    this.#splitter.feed(this.#text.slice(this.#fed, end));
    this.#fed = end;
    const last = end === this.#text.length;
    if (last && this.#whole) this.#splitter.finish();
    this.#draw(last, now);
    this.#drawn = last;
    return last ? 'done' : 'more';
  }

  #draw(withRest: boolean, now: number): void {
    const { blocks, growing, links } = this.#splitter;
    const rest = withRest ? this.#splitter.rest() : null;
    const placed = this.#place;
    const views = blocks.slice(this.#final).map((block) => {
      const view = this.#growing?.block === block ? this.#growing.view : viewOf(block, links, placed);
      view.show(block === growing ? rest : null);
      return { block, view };
    });
    const loose = (rest?.blocks ?? []).map((block) => {
      const view = viewOf(block, links, () => undefined);
      view.show(null);
      return view.node;
    });
    this.#put(views.map(({ view }) => view.node), loose);
    for (const { block, view } of views) {
      if (block === growing) this.#growing = { block, view };
      else this.#close(block);
    }
    this.#follow();
    this.#notBefore = now + (rest ? pause(rest) : 0);
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
