// Who is at the page: their name, their settings, and the way out.

import type { JSX } from 'preact';
import { Problem } from '../link/api.ts';
import { logOut } from '../session/account.ts';
import { words } from '../words/en.ts';
import { problem } from '../words/remedies.ts';
import { Choice, Menu } from './menu.tsx';
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
  const settings = (): void => {
    shell.overlay.value = 'settings';
  };
  return (
    <Menu label={words.account.of(me.user.name)} icon="person">
      {(close) => (
        <>
          <p class="under menu-note">{words.account.who(me.user.name, words.account.roles[me.user.role])}</p>
          <Choice close={close} label={words.account.settings} run={settings} />
          {me.auth === 'oauth' && (
            <>
              <hr />
              <Choice close={close} label={words.account.logOut} run={() => leave(false)} />
              <Choice close={close} label={words.account.logOutEverywhere} run={() => leave(true)} />
            </>
          )}
        </>
      )}
    </Menu>
  );
}
