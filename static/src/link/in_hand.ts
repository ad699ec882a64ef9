// What was asked a moment ago: kept where writing takes no time, until the database has it.

import type { KeptItem } from './kept.ts';

const PREFIX = 'outbox:';

/** Storage that is full or forbidden keeps nothing, and costs nothing. */
export class InHand {
  readonly #storage: () => Storage | undefined;

  constructor(storage: () => Storage | undefined) {
    this.#storage = storage;
  }

  put(item: KeptItem): void {
    this.#with((storage) => storage.setItem(PREFIX + item.id, JSON.stringify(item)));
  }

  drop(id: string): void {
    this.#with((storage) => storage.removeItem(PREFIX + id));
  }

  clear(): void {
    this.#with((storage) => {
      for (const key of keysOf(storage)) storage.removeItem(key);
    });
  }

  /** Of all pages, also of those that are gone. */
  all(): readonly KeptItem[] {
    const found: KeptItem[] = [];
    this.#with((storage) => {
      for (const key of keysOf(storage)) found.push(JSON.parse(storage.getItem(key) ?? '') as KeptItem);
    });
    return found;
  }

  #with(what: (storage: Storage) => void): void {
    try {
      const storage = this.#storage();
      if (storage !== undefined) what(storage);
    } catch {
      // The database is what counts.
    }
  }
}

const keysOf = (storage: Storage): readonly string[] =>
  Array.from({ length: storage.length }, (_, at) => storage.key(at) ?? '').filter((one) => one.startsWith(PREFIX));
