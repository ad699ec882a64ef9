// The way in, and out again, where the server has people log in.

import type { JSX } from 'preact';
import { Problem } from '../link/api.ts';
import { words } from '../words/en.ts';
import { problem } from '../words/remedies.ts';
import type { Shell } from './shell.ts';
import { toast } from './voice.tsx';

/** Nobody is known yet: a way in, or else what to do without one. */
export function NoLogIn({ shell }: { shell: Shell }): JSX.Element {
  const login = shell.myself.login.value;
  return (
    <div class="bar warn" role="alert">
      <p>{login === null ? words.gone.noLogIn : words.gone.logInFirst}</p>
      {login === null ? <Again /> : <LogIn at={login} />}
    </div>
  );
}

/** Comes back to this very place. */
export function LogIn({ at }: { at: string }): JSX.Element {
  return (
    <a class="button primary" href={`${at}?next=${encodeURIComponent(`/${location.hash}`)}`}>
      {words.gone.logIn}
    </a>
  );
}

/** The operator may have let them in meanwhile: only a new page asks again who they are. */
function Again(): JSX.Element {
  return (
    <button type="button" class="button outlined" onClick={() => location.reload()}>
      {words.retry}
    </button>
  );
}

/** Who is logged in here, and the way out. */
export function Account({ shell }: { shell: Shell }): JSX.Element | null {
  const me = shell.myself.me.value;
  if (me?.auth !== 'oauth') return null;
  const leave = (): void => {
    shell.myself.leave().then(
      (next) => location.assign(next),
      (error: unknown) => toast(error instanceof Problem ? problem(error.code, error.message) : String(error)),
    );
  };
  return (
    <p class="account">
      <span class="ellipsis" title={me.user.id}>
        {me.user.name}
      </span>
      <button type="button" class="button small soft" onClick={leave}>
        {words.sessions.logOut}
      </button>
    </p>
  );
}
