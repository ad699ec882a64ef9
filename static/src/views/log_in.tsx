// Who is not logged in: the way in, where there is one, and what to do where there is none.

import type { JSX } from 'preact';
import { toLogIn } from '../session/account.ts';
import { words } from '../words/en.ts';
import type { Shell } from './shell.ts';

/** The operator may have let them in meanwhile: only a new page asks again who they are. */
export function NotLoggedIn({ shell }: { shell: Shell }): JSX.Element {
  const known = shell.myself.login.value !== null;
  return (
    <div class="bar warn" role="alert">
      <p>{known ? words.account.logInFirst : words.gone.noLogIn}</p>
      {known ? (
        <LogIn shell={shell} />
      ) : (
        <button type="button" class="button outlined" onClick={() => location.reload()}>
          {words.retry}
        </button>
      )}
    </div>
  );
}

export function LogIn({ shell }: { shell: Shell }): JSX.Element | null {
  const address = shell.myself.login.value;
  return address === null ? null : (
    <button type="button" class="button primary" onClick={() => toLogIn(address)}>
      {words.account.logIn}
    </button>
  );
}
