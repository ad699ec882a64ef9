// A growing text as blocks: those that nothing can change any more, and what the rest looks like.

import type { Links, Tokens } from 'marked';
import { blockOf, emptyList, headOf, piecesOf } from './block_of.ts';
import { type Piece, type Span, spansOf } from './dialect.ts';
import { fenceIn, type Fence } from './fence.ts';
import { spelledOut } from './hidden.ts';

const LONGEST = 64 * 1024; // a block above is plain text up to the next blank line
const MOST_LINKS = 200; // definitions of one text; later ones are not followed

export interface Flow extends Piece {
  readonly kind: 'flow';
}
export interface Code {
  readonly kind: 'code';
  readonly language: string;
  text: string;
}
export interface Plain {
  readonly kind: 'plain';
  text: string;
}
export interface List {
  readonly kind: 'list';
  readonly ordered: boolean;
  readonly start: number;
  loose: boolean;
  readonly pieces: Piece[];
}
export interface Table {
  readonly kind: 'table';
  readonly head: string;
  readonly pieces: Piece[];
}
export type Block = Flow | Code | Plain | List | Table;

/** What follows the closed blocks as the text stands now; the next words may change all of it. */
export interface Rest {
  /** More of the block that grows: items or rows of a list or a table, words of code. */
  readonly pieces: readonly Piece[];
  readonly text: string;
  readonly loose: boolean;
  readonly blocks: readonly Block[];
}

type Read = typeof spansOf;

// Blocks that are what they are whatever stands before them.
const OF_ITSELF = new Set(['list', 'table', 'code', 'blockquote', 'hr']);
const NOTHING: Rest = { pieces: [], text: '', loose: false, blocks: [] };

/**
 * Feed it a text in any cuts: `blocks`, `links` and `rest()` depend on the text alone.
 *
 * A decision that closes something looks at whole lines only, so that half a line decides nothing.
 */
export class Splitter {
  /** All are final, but the last one still grows at its end while `growing` is it. */
  readonly blocks: Block[] = [];
  readonly links: Links = Object.create(null);
  growing: Code | Plain | List | Table | null = null;
  readonly #read: Read;
  #fence: Fence | null = null;
  #tail = ''; // from the first character that is in no block or piece yet
  #seen = 0; // how much of the tail was looked at without a result
  #labels = 0;
  #return = false; // the last character was a carriage return

  /** `read` finds the blocks of a text; what it is given is what growing costs. */
  constructor(read: Read = spansOf) {
    this.#read = read;
  }

  feed(more: string): void {
    this.#tail += spelledOut(this.#unixLines(more));
    while (this.#step());
  }

  /** The text is whole: close what is open. */
  finish(): void {
    if (this.#return) this.feed('\n');
    if (this.#tail !== '' && !this.#tail.endsWith('\n')) this.feed('\n');
    const { pieces, text, loose, blocks } = this.rest();
    const growing = this.growing;
    if (growing && 'text' in growing) growing.text += text;
    if (growing && 'pieces' in growing) growing.pieces.push(...pieces);
    if (growing?.kind === 'list') growing.loose ||= loose;
    this.blocks.push(...blocks);
    this.growing = null;
    this.#tail = '';
  }

  rest(): Rest {
    const tail = this.#tail;
    if (tail === '') return NOTHING;
    const growing = this.growing;
    if (growing?.kind === 'code') return { ...NOTHING, text: this.#fence!.unfinished(tail) };
    if (growing?.kind === 'plain') return { ...NOTHING, text: tail };
    if (growing?.kind === 'table') return rowsIn(growing.head, tail, this.#read);
    if (tail.length > LONGEST) return { ...NOTHING, blocks: [{ kind: 'plain', text: tail }] };
    const spans = this.#read(tail);
    const first = spans[0]?.token;
    if (growing?.kind !== 'list' || first?.type !== 'list') {
      return { ...NOTHING, blocks: spans.flatMap(blockOf) };
    }
    const pieces = piecesOf(first as Tokens.List);
    return { pieces, text: '', loose: first['loose'], blocks: spans.slice(1).flatMap(blockOf) };
  }

  #step(): boolean {
    switch (this.growing?.kind) {
      case 'code':
        return this.#inCode(this.growing);
      case 'plain':
        return this.#inPlain(this.growing);
      case 'list':
        return this.#inList(this.growing);
      case 'table':
        return this.#inTable(this.growing);
      default:
        return this.#between();
    }
  }

  #between(): boolean {
    const lines = this.#wholeLines();
    if (lines.length <= this.#seen) return false;
    const spans = this.#spans(lines);
    const open = openIn(spans);
    const first = spans[open];
    if (!first) return this.#take(lines.length);
    for (const span of spans.slice(0, open)) this.blocks.push(...blockOf(span));
    this.#take(first.from);
    this.#seen = lines.length - first.from;
    const long = open === 0 && lines.length >= LONGEST;
    return (open === spans.length - 1 && this.#begin(first.token, long)) || open > 0;
  }

  /** Whether what the last block is can grow piece by piece. */
  #begin(token: Span['token'], long: boolean): boolean {
    const { raw } = token;
    if (token.type === 'list') {
      this.#grow(emptyList(token as Tokens.List));
    } else if (token.type === 'table') {
      const { head, length } = headOf(raw);
      this.#grow({ kind: 'table', head, pieces: [] });
      this.#take(length);
    } else if ((this.#fence = fenceIn(raw))) {
      this.#grow({ kind: 'code', language: this.#fence.language, text: '' });
      this.#take(this.#fence.opening);
    } else if (long) {
      this.#grow({ kind: 'plain', text: '' });
    } else {
      return false;
    }
    return true;
  }

  #inCode(code: Code): boolean {
    const { text, taken, closed } = this.#fence!.read(this.#tail);
    code.text += text;
    this.#take(taken);
    return closed && this.#close();
  }

  #inPlain(plain: Plain): boolean {
    const lines = this.#tail.slice(0, this.#tail.lastIndexOf('\n') + 1);
    const blank = /^[ \t]*\n/m.exec(lines);
    const end = blank ? blank.index : lines.length;
    plain.text += lines.slice(0, end);
    this.#take(end);
    return blank !== null && this.#close();
  }

  #inList(list: List): boolean {
    const lines = this.#wholeLines();
    if (lines.length <= this.#seen) return false;
    const [first, next] = this.#spans(lines);
    if (first?.token.type !== 'list') return this.#close();
    const token = first.token as Tokens.List;
    const pieces = piecesOf(token);
    list.loose ||= token.loose;
    if (next) {
      list.pieces.push(...pieces);
      this.#take(next.from);
      return this.#close();
    }
    list.pieces.push(...pieces.slice(0, -1));
    const from = token.items.slice(0, -1).reduce((sum, item) => sum + item.raw.length, 0);
    this.#take(from);
    this.#seen = lines.length - from;
    if (from > 0) return true;
    return lines.length >= LONGEST && this.#close() && this.#grow({ kind: 'plain', text: '' });
  }

  #inTable(table: Table): boolean {
    const lines = this.#wholeLines();
    if (lines === '') return false;
    const token = this.#spans(table.head + lines)[0]?.token as Tokens.Table;
    const all = lines.slice(0, -1).split('\n');
    const rows = all.slice(0, token.rows.length);
    table.pieces.push(...rows.map((source) => ({ source })));
    this.#take(rows.reduce((sum, row) => sum + row.length + 1, 0));
    return rows.length < all.length ? this.#close() : rows.length > 0;
  }

  #grow(block: NonNullable<Splitter['growing']>): boolean {
    this.blocks.push(block);
    this.growing = block;
    this.#seen = 0;
    return true;
  }

  #close(): boolean {
    this.growing = null;
    this.#seen = 0;
    return true;
  }

  #take(length: number): boolean {
    if (length > 0) this.#tail = this.#tail.slice(length);
    this.#seen = 0;
    return length > 0;
  }

  /** Whole lines at the start of the tail; no more than it takes to know that a block is too long. */
  #wholeLines(): string {
    const enough = this.#tail.indexOf('\n', LONGEST - 1);
    return this.#tail.slice(0, (enough < 0 ? this.#tail.lastIndexOf('\n') : enough) + 1);
  }

  #spans(lines: string): Span[] {
    const links: Links = Object.create(null);
    const spans = this.#read(lines, links);
    for (const [label, link] of Object.entries(links)) {
      if (label in this.links || this.#labels >= MOST_LINKS) continue;
      this.links[label] = link;
      this.#labels += 1;
    }
    return spans;
  }

  #unixLines(more: string): string {
    const text = this.#return ? `\r${more}` : more;
    this.#return = text.endsWith('\r');
    const kept = this.#return ? text.slice(0, -1) : text;
    return kept.replace(/\r\n?/g, '\n');
  }
}

/** Which block is the first that more text may change: the last, and what it is read in the light of. */
function openIn(spans: readonly Span[]): number {
  let open = Math.max(0, spans.length - 1);
  for (; open > 0; open -= 1) {
    const { token, from } = spans[open]!;
    const before = spans[open - 1]!;
    const apart = before.token.type !== 'paragraph' || before.from + before.token.raw.length < from;
    if (apart || OF_ITSELF.has(token.type)) break;
  }
  return open;
}

function rowsIn(head: string, tail: string, read: Read): Rest {
  const spans = read(head + tail);
  const rows = (spans[0]?.token as Tokens.Table).rows.length;
  const pieces = tail.split('\n', rows).map((source) => ({ source }));
  return { ...NOTHING, pieces, blocks: spans.slice(1).flatMap(blockOf) };
}
