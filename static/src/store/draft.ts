// A session's state while one batch of frames is folded into it: copied once, whatever the batch.

import type { AssistantEntry, Entry, OpenText, SessionState, ToolEntry } from './state.ts';
import { NAMELESS, nothing } from './state.ts';
import type { DurableEvent } from '../wire.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };
const unopened: OpenText = { text: nothing, reasoning: nothing };

export class Draft {
  readonly now: Writable<Omit<SessionState, 'entries' | 'open' | 'events'>>;
  readonly #from: SessionState;
  #closed: Entry[] | null = null;
  #opened: AssistantEntry[] = [];
  #places = new Map<string, number>();
  #texts: Map<string, OpenText> | null = null;
  #events: DurableEvent[] | null = null;

  constructor(from: SessionState) {
    this.now = { ...from };
    this.#from = from;
  }

  done(): SessionState {
    return {
      ...this.now,
      entries: this.#closed === null ? this.#from.entries : [...this.#closed, ...this.#opened],
      open: this.#texts ?? this.#from.open,
      events: this.#events ?? this.#from.events,
    };
  }

  record(event: DurableEvent): void {
    this.#events ??= [...this.#from.events];
    this.#events.push(event);
  }

  // ---- entries: the log's in its order, then those that are still open ------------------------

  find(key: string): Entry | undefined {
    const closed = this.#entries();
    const place = this.#places.get(key);
    return place === undefined ? this.#opened.find((e) => e.key === key) : closed[place];
  }

  /** Put an entry of the log at its end, or in the place of the one with its key. */
  put(entry: Entry): void {
    const closed = this.#entries();
    this.#opened = this.#opened.filter((e) => e.key !== entry.key);
    const place = this.#places.get(entry.key) ?? closed.length;
    this.#places.set(entry.key, place);
    closed[place] = entry;
  }

  begin(entry: AssistantEntry): void {
    this.#entries();
    this.#opened = [...this.#opened, entry];
  }

  /** Forget open entries that no event closed. */
  abandon(those: (entry: AssistantEntry) => boolean): void {
    if (!this.#hasOpen()) return;
    this.#entries();
    for (const { key } of this.#opened.filter(those)) this.shut(key);
    this.#opened = this.#opened.filter((entry) => !those(entry));
  }

  drop(key: string): void {
    this.abandon((entry) => entry.key === key);
  }

  change(those: (entry: Entry) => boolean, how: (entry: Entry) => Entry): void {
    const each = (entry: Entry) => (those(entry) ? how(entry) : entry);
    this.#closed = this.#entries().map(each);
    this.#opened = this.#opened.map((entry) => each(entry) as AssistantEntry);
  }

  /** Change the card of a call; one whose beginning is further back than we have gets a blank. */
  tool(call: string, { turn, at }: { turn: string; at: string }, how: Partial<ToolEntry>): void {
    const key = `c:${call}`;
    const old = this.find(key);
    const blank: ToolEntry = {
      ...{ kind: 'tool', key, call, turn, at, tool: NAMELESS, arguments: {} },
      ...{ effect: 'read', state: 'queued' },
    };
    this.put({ ...(old?.kind === 'tool' ? old : blank), ...how });
  }

  // ---- the texts of what is open ---------------------------------------------------------------

  text(key: string): OpenText | undefined {
    return (this.#texts ?? this.#from.open).get(key);
  }

  write(key: string, change: Partial<OpenText>): void {
    this.#open().set(key, { ...(this.text(key) ?? unopened), ...change });
  }

  shut(key: string): void {
    if (this.text(key) !== undefined) this.#open().delete(key);
  }

  get texts(): readonly (readonly [string, OpenText])[] {
    return [...(this.#texts ?? this.#from.open)];
  }

  #open(): Map<string, OpenText> {
    this.#texts ??= new Map(this.#from.open);
    return this.#texts;
  }

  #entries(): Entry[] {
    if (this.#closed !== null) return this.#closed;
    const all = this.#from.entries;
    let end = all.length;
    while (end > 0 && isOpen(all[end - 1])) end -= 1;
    this.#opened = all.slice(end) as AssistantEntry[];
    this.#closed = all.slice(0, end);
    this.#places = new Map(this.#closed.map((entry, place) => [entry.key, place]));
    return this.#closed;
  }

  #hasOpen(): boolean {
    return this.#closed === null ? isOpen(this.#from.entries.at(-1)) : this.#opened.length > 0;
  }
}

const isOpen = (entry: Entry | undefined): boolean => entry?.kind === 'assistant' && entry.open;
