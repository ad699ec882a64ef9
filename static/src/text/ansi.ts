// What a terminal would show of a log: colours, overwritten lines, the last few thousand of them.

import { spelledOut } from './hidden.ts';
import { classesOf, looking, PLAIN } from './sgr.ts';

export interface Run {
  readonly text: string;
  readonly classes: string;
}

export interface Limits {
  readonly lines: number;
  readonly characters: number;
  readonly columns: number; // a longer line goes on in the next one
  readonly back: number; // how many lines up the cursor may go
}

export const LIMITS: Limits = { lines: 5_000, characters: 1024 * 1024, columns: 8_000, back: 50 };

const RUN_COST = 16; // a change of colour counts as so many characters
const RUNS = 500; // of one line; what follows keeps the last colours
const SEQUENCE =
  /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]{0,4000}(?:\x07|\x1b\\)|[PX^_][^\x1b]{0,4000}\x1b\\|[ -/]*[0-OQ-WYZ\\`-~])/y;
const UNFINISHED =
  /\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]{0,4000}\x1b?|[PX^_][^\x1b]{0,4000}\x1b?|[ -/]*)$/y;
const WORDS = /[^\x00-\x1f\x7f-\x9f]+/y;

/** Feed it a log in any cuts: what it shows depends on the log alone. */
export class Screen {
  readonly limits: Limits;
  readonly lines: Run[][] = [[]];
  /** The number of the first line that is kept. */
  first = 0;
  /** The number of the first line that changed since the last `seen()`. */
  changed = 0;
  #row = 0; // as a number of a line, not an index
  #column = 0;
  #look = PLAIN;
  #classes = '';
  #size = 0;
  #rest = '';

  constructor(limits: Limits = LIMITS) {
    this.limits = limits;
  }

  write(more: string): void {
    const text = this.#rest + spelledOut(more);
    this.#rest = '';
    for (let at = 0; at < text.length;) at = this.#next(text, at);
    this.#forget();
  }

  /** Start to remember changes anew. */
  seen(): void {
    this.changed = this.first + this.lines.length;
  }

  #next(text: string, at: number): number {
    const words = matchAt(WORDS, text, at);
    if (words) {
      this.#put(words[0]);
      return at + words[0].length;
    }
    if (text[at] !== '\x1b') {
      this.#control(text[at]!);
      return at + 1;
    }
    const sequence = matchAt(SEQUENCE, text, at);
    if (sequence) {
      this.#obey(sequence[2], sequence[1] ?? '');
      return at + sequence[0].length;
    }
    if (!matchAt(UNFINISHED, text, at)) return at + 1;
    this.#rest = text.slice(at);
    return text.length;
  }

  #control(character: string): void {
    if (character === '\n' || character === '\v' || character === '\f') this.#newLine();
    else if (character === '\r') this.#column = 0;
    else if (character === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (character === '\t') this.#put(' '.repeat(8 - (this.#column % 8)));
  }

  #obey(command: string | undefined, parameters: string): void {
    const number = Math.min(Number.parseInt(parameters, 10) || 0, this.limits.columns - 1);
    const count = Math.max(1, number);
    if (command === 'm') {
      if (/[<-?]/.test(parameters)) return;
      this.#look = looking(this.#look, parameters);
      this.#classes = classesOf(this.#look);
    } else if (command === 'A' || command === 'F') {
      const end = this.first + this.lines.length - 1;
      this.#row = Math.max(this.first, end - this.limits.back, this.#row - count);
      if (command === 'F') this.#column = 0;
    } else if (command === 'B' || command === 'E') {
      this.#row = Math.min(this.first + this.lines.length - 1, this.#row + count);
      if (command === 'E') this.#column = 0;
    } else if (command === 'C') {
      this.#column = Math.min(this.limits.columns - 1, this.#column + count);
    } else if (command === 'D') {
      this.#column = Math.max(0, this.#column - count);
    } else if (command === 'G') {
      this.#column = count - 1;
    } else if (command === 'H' || command === 'f') {
      this.#column = 0;
    } else if (command === 'K') {
      this.#erase(number);
    }
  }

  /** Of the line: 0 from the cursor on, 1 up to the cursor, 2 all. */
  #erase(what: number): void {
    const line = this.#line();
    const length = lengthOf(line);
    const before = what === 0 ? part(line, 0, this.#column) : [];
    const blank = what === 1 && length > this.#column ? ' '.repeat(this.#column + 1) : '';
    const after = what === 1 ? part(line, this.#column + 1, length) : [];
    this.#replace(joined([...before, ...runOf(blank, ''), ...after]));
  }

  #put(text: string): void {
    for (let at = 0; at < text.length;) {
      if (this.#column >= this.limits.columns) this.#newLine();
      const piece = text.slice(at, at + this.limits.columns - this.#column);
      this.#write(piece);
      this.#column += piece.length;
      at += piece.length;
    }
  }

  #write(text: string): void {
    const line = this.#line();
    const length = lengthOf(line);
    const last = line.at(-1);
    const classes = line.length >= RUNS ? last!.classes : this.#classes;
    if (this.#column === length && last?.classes === classes) {
      this.#replace([...line.slice(0, -1), { text: last.text + text, classes }]);
      return;
    }
    const gap = ' '.repeat(Math.max(0, this.#column - length));
    const after = part(line, this.#column + text.length, length);
    const before = part(line, 0, this.#column);
    this.#replace(joined([...before, ...runOf(gap, ''), { text, classes }, ...after]));
  }

  #newLine(): void {
    this.#row += 1;
    this.#column = 0;
    if (this.#row >= this.first + this.lines.length) this.lines.push([]);
    this.changed = Math.min(this.changed, this.#row);
    if (this.lines.length > 2 * this.limits.lines) this.#forget();
  }

  #line(): Run[] {
    return this.lines[this.#row - this.first]!;
  }

  #replace(line: Run[]): void {
    this.#size += sizeOf(line) - sizeOf(this.#line());
    this.lines[this.#row - this.first] = line;
    this.changed = Math.min(this.changed, this.#row);
  }

  /** Drop the first lines above the limits; the last one always stays. */
  #forget(): void {
    const { lines, limits } = this;
    let count = 0;
    while (
      count < lines.length - 1 &&
      (lines.length - count > limits.lines || this.#size > limits.characters)
    ) {
      this.#size -= sizeOf(lines[count]!);
      count += 1;
    }
    if (count === 0) return;
    lines.splice(0, count);
    this.first += count;
    this.#row = Math.max(this.#row, this.first);
    this.changed = Math.max(this.changed, this.first);
  }
}

/** The text of lines, as it is copied. */
export const textOf = (lines: readonly (readonly Run[])[]): string =>
  lines.map((line) => line.map(({ text }) => text).join('')).join('\n');

function part(line: readonly Run[], from: number, to: number): Run[] {
  const found: Run[] = [];
  let at = 0;
  for (const { text, classes } of line) {
    const piece = text.slice(Math.max(0, from - at), Math.max(0, to - at));
    found.push(...runOf(piece, classes));
    at += text.length;
  }
  return found;
}

/** Neighbours that look the same are one. */
function joined(runs: readonly Run[]): Run[] {
  const found: Run[] = [];
  for (const run of runs) {
    const last = found.at(-1);
    if (last?.classes !== run.classes) found.push(run);
    else found[found.length - 1] = { text: last.text + run.text, classes: run.classes };
  }
  return found;
}

const runOf = (text: string, classes: string): Run[] => (text === '' ? [] : [{ text, classes }]);

const lengthOf = (line: readonly Run[]): number =>
  line.reduce((sum, { text }) => sum + text.length, 0);

const sizeOf = (line: readonly Run[]): number => lengthOf(line) + line.length * RUN_COST;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
