// Markdown on the page: text that is whole, and text that grows while it is read.

import type { ReadonlySignal } from '@preact/signals';

/** Text that will not change any more. */
export function Markdown(props: { readonly text: string }) {
  return <div class="prose">{props.text}</div>;
}

/** Text that grows at its end; what was closed is never touched again. */
export function StreamingMarkdown(props: { readonly text: ReadonlySignal<string> }) {
  return <div class="prose">{props.text}</div>;
}
