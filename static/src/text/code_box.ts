// A box of code: its language, wrapping and copying, and rows of lines, so that growth stays cheap.

import { words } from '../words/en.ts';
import { copyButton } from './copy_button.ts';
import { kept, make } from './nodes.ts';

// A row is laid out by itself: what is appended to the last one moves nothing in the others.
const ROW_LINES = 50;
const ROW_CHARACTERS = 4_000;

/** A box with text that is whole. */
export function codeBox(text: string, language: string, label?: string): HTMLElement {
  const box = emptyBox(language, label);
  box.querySelector('code')!.append(...rowsOf(text).map((row) => make('span', { class: 'rows' }, row)));
  return box;
}

/** A box whose text grows. */
export class GrowingCode {
  readonly node: HTMLElement;
  readonly #code: HTMLElement;
  #shown = '';
  #row: Text | null = null;
  #rowLines = 0;

  constructor(language: string | null) {
    this.node = language === null ? plainBox() : emptyBox(language);
    this.#code = this.node.querySelector('code')!;
    kept.add(this.node);
  }

  show(text: string): void {
    if (text === this.#shown) return;
    if (!text.startsWith(this.#shown)) this.#backTo(text);
    this.#append(text.slice(this.#shown.length));
    this.#shown = text;
  }

  #append(more: string): void {
    for (let from = 0; from < more.length;) {
      if (!this.#row || this.#full(this.#row)) {
        this.#row = document.createTextNode('');
        this.#rowLines = 0;
        this.#code.append(make('span', { class: 'rows' }, this.#row));
      }
      const to = rowEnd(more, from, this.#row.length, this.#rowLines);
      const piece = more.slice(from, to);
      this.#row.appendData(piece);
      this.#rowLines += linesIn(piece);
      from = to;
    }
  }

  #full(row: Text): boolean {
    return this.#rowLines >= ROW_LINES || row.length >= ROW_CHARACTERS;
  }

  /** The last line turned out to be none of the code. */
  #backTo(text: string): void {
    const keep = text.lastIndexOf('\n') + 1;
    const same = this.#shown.startsWith(text.slice(0, keep)) ? keep : 0;
    let length = this.#shown.length;
    while (length > same) {
      const row = this.#code.lastChild!.firstChild as Text;
      const start = length - row.length;
      if (start >= same) this.#code.lastChild!.remove();
      else row.deleteData(same - start, row.length);
      length = Math.max(start, same);
    }
    this.#row = (this.#code.lastChild?.firstChild as Text | null) ?? null;
    this.#rowLines = this.#row ? linesIn(this.#row.data) : 0;
    this.#shown = this.#shown.slice(0, same);
  }
}

function rowsOf(text: string): string[] {
  const rows: string[] = [];
  for (let from = 0; from < text.length;) {
    const to = rowEnd(text, from, 0, 0);
    rows.push(text.slice(from, to));
    from = to;
  }
  return rows;
}

/** Where the row ends that has `length` characters and `lines` lines before `from`. */
function rowEnd(text: string, from: number, length: number, lines: number): number {
  const limit = Math.min(text.length, from + ROW_CHARACTERS - length);
  let at = from;
  for (let line = lines; line < ROW_LINES; line += 1) {
    const end = text.indexOf('\n', at);
    if (end < 0 || end >= limit) return limit;
    at = end + 1;
  }
  return at;
}

function linesIn(text: string): number {
  let lines = 0;
  for (let at = -1; (at = text.indexOf('\n', at + 1)) >= 0;) lines += 1;
  return lines;
}

function plainBox(): HTMLElement {
  return make('div', { class: 'plain' }, make('code'));
}

function emptyBox(language: string, label?: string): HTMLElement {
  const wrap = make('button', { type: 'button', 'aria-pressed': 'false' }, words.text.wrap);
  const code = make('code');
  const copy = copyButton(() => code.textContent ?? '');
  const name = label ?? words.text.code(language);
  const pre = make('pre', { tabindex: '0', role: 'group', 'aria-label': name }, code);
  const about = make('figcaption', {}, make('span', { class: 'language' }, language), wrap, copy);
  const box = make('figure', { class: 'code', 'data-language': language }, about, pre);
  wrap.addEventListener('click', () => {
    wrap.setAttribute('aria-pressed', String(box.classList.toggle('wrapped')));
  });
  return box;
}
