// Copying to the clipboard, which needs HTTPS or this machine: where it is not allowed, it says so.

import { copyText } from '../text/copy_button.ts';
import { words } from '../words/en.ts';
import { toast } from './voice.tsx';

export async function copy(text: string): Promise<void> {
  if (await copyText(text)) toast(words.copied, undefined, { bad: false, ms: 2_000 });
  else toast(words.copyFailed, undefined, { bad: true, ms: 8_000 });
}
