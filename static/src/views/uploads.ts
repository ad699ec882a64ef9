// The files beside a message: on their way into the workspace, there, or refused.

import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { Upload } from './upload.ts';

export interface Attachment {
  readonly id: number;
  readonly name: string;
  /** Null while others go first. */
  readonly upload: Upload | null;
  /** Null where it is in the workspace already. */
  readonly file: File | null;
}

const AT_ONCE = 2;

export class Uploads {
  readonly items = signal<readonly Attachment[]>([]);
  readonly going: ReadonlySignal<boolean> = computed(() => this.items.value.some(isGoing));
  readonly #session: string;
  #last = 0;

  constructor(session: string) {
    this.#session = session;
  }

  /** A file of the same name takes the place of the one before. */
  take(files: readonly File[]): void {
    const names = new Set(files.map((file) => file.name));
    const kept = this.items.value.filter((item) => !names.has(item.name));
    for (const item of this.items.value) if (names.has(item.name)) item.upload?.cancel();
    const fresh = files.map((file): Attachment => {
      this.#last += 1;
      return { id: this.#last, name: file.name, upload: null, file };
    });
    this.items.value = [...kept, ...fresh];
    this.#next();
  }

  /** Files of the workspace go with the next message, as they went with one before. */
  put(names: readonly string[]): void {
    const there = new Set(this.items.value.map(({ name }) => name));
    const fresh = names.filter((name) => !there.has(name)).map((name): Attachment => {
      this.#last += 1;
      return { id: this.#last, name, upload: null, file: null };
    });
    this.items.value = [...this.items.value, ...fresh];
  }

  /** Cancels what is going; what is there stays in the workspace, beside no message. */
  drop(id: number): void {
    this.items.value.find((item) => item.id === id)?.upload?.cancel();
    this.items.value = this.items.value.filter((item) => item.id !== id);
    this.#next();
  }

  again(id: number): void {
    const item = this.items.value.find((one) => one.id === id);
    if (item?.file) this.take([item.file]);
  }

  /** The paths that go with the message; what was refused stays, to be tried again. */
  taken(): readonly string[] {
    const there = this.items.value.filter(({ file, upload }) => file === null || upload?.view.value.state === 'done');
    this.items.value = this.items.value.filter((item) => !there.includes(item));
    return there.map(({ name }) => name);
  }

  #next(): void {
    const going = this.items.value.filter(({ upload }) => upload?.view.value.state === 'sending').length;
    const waiting = this.items.value.filter(isWaiting).slice(0, Math.max(0, AT_ONCE - going));
    if (waiting.length === 0) return;
    this.items.value = this.items.value.map((item) =>
      item.file && waiting.includes(item) ? { ...item, upload: this.#begin(item.file) } : item,
    );
  }

  #begin(file: File): Upload {
    const upload = new Upload(this.#session, file);
    void upload.ended.then(() => this.#next());
    return upload;
  }
}

const isWaiting = ({ file, upload }: Attachment): boolean => file !== null && upload === null;
const isGoing = (item: Attachment): boolean =>
  isWaiting(item) || item.upload?.view.value.state === 'sending';
