// A button that copies a text, and says for a moment whether the browser let it.

import { words } from '../words/en.ts';
import { make } from './nodes.ts';

const SAID_FOR_MS = 2_000;

/** `text` is asked for at each click. */
export function copyButton(text: () => string): HTMLElement {
  const button = make('button', { type: 'button' }, words.text.copy);
  button.addEventListener('click', () => void copyWith(button, text()));
  return button;
}

async function copyWith(button: HTMLElement, text: string): Promise<void> {
  button.textContent = (await copyText(text)) ? words.text.copied : words.text.copyFailed;
  setTimeout(() => (button.textContent = words.text.copy), SAID_FOR_MS);
}

/** Whether the browser let us; it does so on secure pages only. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError) return false;
    throw error;
  }
}
