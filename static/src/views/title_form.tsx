// A session's title while it is written.

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../words/en.ts';

/** `done` gets the new title, or null when it stays. */
export function TitleForm({ title, done }: { title: string; done: (text: string | null) => void }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const over = useRef(false);
  useEffect(() => field.current?.select(), []);
  const end = (text: string | null): void => {
    if (over.current) return;
    over.current = true;
    done(text?.trim() ? text.trim() : null);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        end(field.current?.value ?? null);
      }}
    >
      <input
        ref={field}
        class="field"
        maxLength={200}
        aria-label={words.sessions.title}
        defaultValue={title}
        onBlur={(event) => end(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          end(null);
        }}
      />
    </form>
  );
}
