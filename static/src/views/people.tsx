// Who is here besides you, and what to do in a session that one may only look at.

import type { JSX } from 'preact';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';

const MOST_SHOWN = 4;

/** Nothing while one is alone. */
export function People({ desk }: { desk: Desk }): JSX.Element | null {
  const all = desk.people.value;
  if (all.length < 2) return null;
  const named = words.sharing.here(all.map(({ name, role }) => words.sharing.person(name, role)).join(', '));
  return (
    <span class="people" role="img" aria-label={named} title={named}>
      {all.slice(0, MOST_SHOWN).map(({ id, name }) => (
        <span key={id} class="initial" aria-hidden="true">
          {[...name][0]?.toUpperCase()}
        </span>
      ))}
      {all.length > MOST_SHOWN && <span class="under">+{all.length - MOST_SHOWN}</span>}
    </span>
  );
}

/** In place of the composer. */
export function Watching({ desk }: { desk: Desk }): JSX.Element {
  const { access, owner = '' } = desk.session.value ?? {};
  const operator = access === 'operator';
  const { stopping } = desk.open;
  return (
    <div class="bar watching">
      <p>{operator ? words.sharing.asOperator(owner) : words.sharing.asViewer(owner)}</p>
      {desk.stoppable.value && (
        <button type="button" class="button danger" disabled={stopping.value} onClick={() => desk.open.stop()}>
          {words.composer.stop}
        </button>
      )}
    </div>
  );
}
