// Taking up a link that somebody shared: into their session, or why not.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Problem } from '../link/api.ts';
import { redeem } from '../session/shares.ts';
import { words } from '../words/en.ts';
import { problem } from '../words/remedies.ts';
import { NotLoggedIn } from './log_in.tsx';
import { sessionHref } from './route.ts';
import type { Shell } from './shell.ts';

export function Join({ shell, secret }: { shell: Shell; secret: string }): JSX.Element {
  const wrong = useSignal('');
  const known = shell.myself.me.value !== null;
  useEffect(() => {
    if (!known) return;
    redeem(shell.ways.call, secret).then(
      // The link's secret stays in no history.
      (session) => location.replace(sessionHref(session)),
      (error: unknown) => {
        wrong.value = error instanceof Problem ? problem(error.code, error.message) : String(error);
      },
    );
  }, [known, secret]);
  return (
    <main class="page">
      <div class="column joining">
        <h1>{words.sharing.joining}</h1>
        {shell.myself.reason.value === 'unauthenticated' && <NotLoggedIn shell={shell} />}
        {wrong.value && (
          <div class="bar bad" role="alert">
            <p>{wrong}</p>
            <a class="button outlined" href="#/">
              {words.sessions.list}
            </a>
          </div>
        )}
      </div>
    </main>
  );
}
