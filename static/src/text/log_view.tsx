// What a tool prints: its last lines with colours while it runs, and a whole log afterwards.

import type { ReadonlySignal } from '@preact/signals';

/** As in the store: a text that lost `skipped` code points at its front. */
export interface GrowingLog {
  readonly text: string;
  readonly skipped: number;
  readonly length: number;
  readonly stale: boolean;
}

/** A log that grows; `rows` is how many lines are visible at once. */
export function LogTail(props: {
  readonly log: ReadonlySignal<GrowingLog | undefined>;
  readonly rows?: number;
}) {
  return <pre class="log">{props.log.value?.text}</pre>;
}

/** A log that is whole. */
export function LogText(props: { readonly text: string; readonly rows?: number }) {
  return <pre class="log">{props.text}</pre>;
}
