// Files into a session's workspace, with progress, and out of it.

import { type ReadonlySignal, signal } from '@preact/signals';
import { type Call, type FileEntry, type FileList, filePath, problemOf, sessionPath } from '../link/api.ts';

export interface UploadView {
  readonly state: 'sending' | 'done' | 'failed' | 'cancelled';
  /** From 0 to 1. */
  readonly progress: number;
  readonly code?: string;
  readonly message?: string;
}

/** One file on its way; `ended` gives what the workspace calls it, or null. */
export class Upload {
  readonly file: File;
  readonly ended: Promise<FileEntry | null>;
  readonly #view = signal<UploadView>({ state: 'sending', progress: 0 });
  readonly #request: XMLHttpRequest;

  constructor(session: string, file: File, request = new XMLHttpRequest()) {
    this.file = file;
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
    const gone = { code: 'offline', message: 'The connection was lost before the file was there.' };
    const { code, message } = status === 0 ? gone : problemOf(status, said);
    this.#set({ state: 'failed', progress: 0, code, message });
    return null;
  }

  #set(view: UploadView): void {
    this.#view.value = view;
  }
}

export async function filesOf(call: Call, session: string): Promise<readonly FileEntry[]> {
  return (await call<FileList>('GET', sessionPath(session, '/files'))).files;
}

/** Addresses for links with `download`. */
export const fileHref = (session: string, path: string): string => `/api${filePath(session, path)}`;
export const exportHref = (session: string, format: 'md' | 'jsonl'): string =>
  `/api${sessionPath(session, `/export?format=${format}`)}`;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
