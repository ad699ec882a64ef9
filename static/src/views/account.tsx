// Who is at the page: their name, their settings, and the way out.

import type { JSX } from 'preact';
import { Problem } from '../link/api.ts';
import { logOut } from '../session/account.ts';
import { words } from '../words/en.ts';
import { problem } from '../words/remedies.ts';
import { Item, Menu } from './overlays.tsx';
import type { Shell } from './shell.ts';
import { toast } from './voice.tsx';

export function Account({ shell }: { shell: Shell }): JSX.Element | null {
  const me = shell.myself.me.value;
  if (!me) return null;
  const leave = (everywhere: boolean): void => {
    logOut(shell.ways, everywhere).catch((error: unknown) => {
      toast(error instanceof Problem ? problem(error.code, error.message) : String(error));
    });
  };
  return (
    <Menu label={words.account.of(me.user.name)} icon="person">
      {(close) => {
        const item = (label: string, run: () => void): JSX.Element => (
          <Item
            onClick={() => {
              close();
              run();
            }}
          >
            {label}
          </Item>
        );
        return (
          <>
            <p class="under menu-note">{words.account.who(me.user.name, words.account.roles[me.user.role])}</p>
            {item(words.account.settings, () => {
              shell.overlay.value = 'settings';
            })}
            {me.auth === 'oauth' && (
              <>
                <hr />
                {item(words.account.logOut, () => leave(false))}
                {item(words.account.logOutEverywhere, () => leave(true))}
              </>
            )}
          </>
        );
      }}
    </Menu>
  );
}
