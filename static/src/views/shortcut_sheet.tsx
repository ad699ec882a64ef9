// The sheet that lists what keys do.

import type { JSX } from 'preact';
import { words } from '../words/en.ts';
import { Dialog } from './dialog.tsx';

export function ShortcutSheet({ close }: { close: () => void }): JSX.Element {
  return (
    <Dialog heading={words.shortcuts.heading} close={close}>
      <dl class="shortcuts">
        {words.shortcuts.rows.map(([keys, does]) => (
          <>
            <dt key={keys}>
              {keys.split(', ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd key={does}>{does}</dd>
          </>
        ))}
      </dl>
    </Dialog>
  );
}
