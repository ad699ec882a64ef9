// What outlives a reload, where storage is allowed: unanswered submissions, unsent drafts.

import { type ReadonlySignal, signal } from '@preact/signals';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { Submission } from '../wire.ts';
import { InHand } from './in_hand.ts';

/** A submission on its way, and what is to follow once it is accepted. */
export interface KeptItem {
  readonly id: string;
  readonly session: string;
  /** The page that sends it. */
  readonly tab: string;
  readonly order: number;
  /** When a person asked for it, by this machine's clock. */
  readonly at: number;
  readonly frame: Submission;
  readonly then: readonly Submission[];
  readonly refused: { readonly code: string; readonly message: string } | null;
}

interface Shape extends DBSchema {
  outbox: { key: string; value: KeptItem };
  drafts: { key: string; value: string };
}
type Database = IDBPDatabase<Shape>;
const NAME = 'mooring';
const VERSION = 1;
/** Nobody waits longer than this for a storage; what it is asked meanwhile it does when it comes. */
const PATIENCE_MS = 1_000;

async function emptied(db: Database): Promise<true> {
  await Promise.all([db.clear('outbox'), db.clear('drafts')]);
  return true;
}

/** All of it is in memory too: a storage that is full or forbidden costs only reloads. */
export class Kept {
  readonly #durable = signal(true);
  readonly #items = new Map<string, KeptItem>();
  readonly #drafts = new Map<string, string>();
  /** Taken out while there was no database. */
  readonly #removed = new Set<string>();
  #anew: boolean;
  #isOpen = false;
  #database: Promise<Database | null>;
  #fails = false;
  /** How much of what was asked of it takes longer than anybody waits. */
  #late = 0;
  readonly #after: (milliseconds: number, run: () => void) => () => void;
  readonly #inHand: InHand;

  /** `anew`: what is stored is somebody else's, and goes before anything is read. */
  constructor(
    after: (milliseconds: number, run: () => void) => () => void,
    storage: () => Storage | undefined = () => undefined,
    anew = false,
  ) {
    this.#after = after;
    this.#inHand = new InHand(storage);
    this.#anew = anew;
    if (anew) this.#inHand.clear();
    this.#database = this.#within(this.#open());
  }

  /** False: what is kept lasts only as long as this page, or until the storage answers after all. */
  get durable(): ReadonlySignal<boolean> {
    return this.#durable;
  }

  /** Of all sessions, oldest first within each. */
  async all(): Promise<readonly KeptItem[]> {
    const stored = await this.#ask((db) => db.getAll('outbox'));
    const known = [...this.#inHand.all(), ...(stored ?? []), ...this.#items.values()];
    const all = new Map(known.map((item) => [item.id, item]));
    return [...all.values()].sort((a, b) => a.order - b.order);
  }

  async items(session: string): Promise<readonly KeptItem[]> {
    return (await this.all()).filter((item) => item.session === session);
  }

  /** From now on it outlives a reload; `put` is to follow. */
  hold(item: KeptItem): void {
    this.#items.set(item.id, item);
    this.#inHand.put(item);
  }

  async put(item: KeptItem): Promise<void> {
    this.#items.set(item.id, item);
    const stored = await this.#ask((db) => db.put('outbox', item));
    if (stored !== null) this.#inHand.drop(item.id);
  }

  async remove(id: string): Promise<void> {
    this.#forget(id);
    await this.#ask((db) => db.delete('outbox', id));
  }

  /** One takes the place of the other, or nothing happens. */
  async replace(id: string, item: KeptItem): Promise<void> {
    this.#forget(id);
    this.#items.set(item.id, item);
    await this.#ask(async (db) => {
      const change = db.transaction('outbox', 'readwrite');
      await Promise.all([change.store.delete(id), change.store.put(item), change.done]);
      return true;
    });
  }

  async draft(of: string): Promise<string> {
    const known = this.#drafts.get(of);
    return known ?? (await this.#ask((db) => db.get('drafts', of))) ?? '';
  }

  async keepDraft(of: string, text: string): Promise<void> {
    this.#drafts.set(of, text);
    await this.#ask((db) => putDraft(db, of, text));
  }

  /** Somebody else uses this browser now. */
  async clear(): Promise<void> {
    this.#items.clear();
    this.#drafts.clear();
    this.#inHand.clear();
    this.#anew = true;
    await this.#ask(emptied);
  }

  #forget(id: string): void {
    this.#items.delete(id);
    if (!this.#isOpen) this.#removed.add(id);
    this.#inHand.drop(id);
  }

  async #open(): Promise<Database> {
    const database = await openDB<Shape>(NAME, VERSION, {
      upgrade(db) {
        db.createObjectStore('outbox', { keyPath: 'id' });
        db.createObjectStore('drafts');
      },
      blocking: (_old, _new, event) => (event.target as IDBDatabase).close(),
    });
    if (this.#anew) await emptied(database);
    this.#isOpen = true;
    this.#database = Promise.resolve(database);
    await this.#takeOver(database);
    return database;
  }

  /** Whoever could not wait for it kept these in memory. */
  async #takeOver(db: Database): Promise<void> {
    const changes = [
      ...[...this.#removed].map((id) => db.delete('outbox', id)),
      ...[...this.#items.values()].map((item) => db.put('outbox', item)),
      ...[...this.#drafts].map(([of, text]) => putDraft(db, of, text)),
    ];
    await Promise.all(changes);
  }

  async #ask<T>(what: (db: Database) => Promise<T>): Promise<T | null> {
    const db = await this.#database;
    return db === null ? null : this.#within(what(db));
  }

  /** Storage may be forbidden, full, or slow: then we go on without it, and say so while it is. */
  async #within<T>(doing: Promise<T>): Promise<T | null> {
    let late = 0;
    let stop = (): void => {};
    const patience = new Promise<null>((resolve) => {
      stop = this.#after(PATIENCE_MS, () => {
        late = 1;
        this.#tell(late);
        resolve(null);
      });
    });
    const broken = (): null => {
      this.#fails = true;
      return null;
    };
    const answered = doing.catch(broken).finally(() => {
      stop();
      this.#tell(-late);
    });
    return Promise.race([answered, patience]);
  }

  #tell(late: number): void {
    this.#late += late;
    this.#durable.value = !this.#fails && this.#late === 0;
  }
}

async function putDraft(db: Database, of: string, text: string): Promise<true> {
  if (text === '') await db.delete('drafts', of);
  else await db.put('drafts', text, of);
  return true;
}
