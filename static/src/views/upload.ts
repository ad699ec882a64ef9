// One file on its way into a session's workspace, with progress, until it is there or was refused.

import { signal, type ReadonlySignal } from '@preact/signals';
import { words } from '../words/en.ts';
import { problemOf, sessionPath, type FileEntry, type FileList } from '../link/api.ts';

export interface UploadView {
  readonly state: 'sending' | 'done' | 'failed' | 'cancelled';
  /** From 0 to 1. */
  readonly progress: number;
  readonly code?: string;
  readonly message?: string;
}

/** `fetch` tells nothing of progress, so it is an XMLHttpRequest. */
export class Upload {
  /** What the workspace calls it, or null. */
  readonly ended: Promise<FileEntry | null>;
  readonly #view = signal<UploadView>({ state: 'sending', progress: 0 });
  readonly #request: XMLHttpRequest;

  constructor(session: string, file: File, request = new XMLHttpRequest()) {
    this.#request = request;
    const form = new FormData();
    form.append('file', file, file.name);
    request.upload.onprogress = ({ loaded, total }) =>
      this.#set({ state: 'sending', progress: total > 0 ? loaded / total : 0 });
    this.ended = new Promise((resolve) => {
      request.onloadend = () => resolve(this.#answered());
    });
    request.open('POST', `/api${sessionPath(session, '/files')}`);
    request.send(form);
  }

  get view(): ReadonlySignal<UploadView> {
    return this.#view;
  }

  cancel(): void {
    if (this.#view.peek().state !== 'sending') return;
    this.#set({ state: 'cancelled', progress: 0 });
    this.#request.abort();
  }

  #answered(): FileEntry | null {
    if (this.#view.peek().state === 'cancelled') return null;
    const { status, responseText } = this.#request;
    const said = parsed(responseText);
    if (status === 201) {
      this.#set({ state: 'done', progress: 1 });
      return (said as FileList).files[0] ?? null;
    }
    const gone = { code: 'offline', message: words.composer.uploadLost };
    const { code, message } = status === 0 ? gone : problemOf(status, said);
    this.#set({ state: 'failed', progress: 0, code, message });
    return null;
  }

  #set(view: UploadView): void {
    this.#view.value = view;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
