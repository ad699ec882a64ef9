// Files that are dropped, anywhere on the page: what is on screen takes them, and none is opened in its place.

import { signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';

type Take = (files: readonly File[]) => void;

const taker = signal<Take | null>(null);
/** Whether somebody holds files over the page, and it would take them. */
export const dropping = signal(false);

/** What takes files while this is on screen; null where nobody may bring any. */
export function useDrops(take: Take | null): void {
  useLayoutEffect(() => {
    taker.value = take;
    return () => {
      taker.value = null;
    };
  });
}

/** Until what is returned is called. */
export function watchDrops(): () => void {
  const stop = new AbortController();
  const on = (type: 'dragover' | 'dragleave' | 'drop', heard: (event: DragEvent) => void): void =>
    addEventListener(type, heard, { signal: stop.signal });
  on('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    dropping.value = taker.peek() !== null;
    if (!dropping.peek()) event.dataTransfer.dropEffect = 'none';
  });
  on('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) dropping.value = false;
  });
  on('drop', (event) => {
    dropping.value = false;
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    const files = [...event.dataTransfer.files];
    if (files.length > 0) taker.peek()?.(files);
  });
  return () => stop.abort();
}
