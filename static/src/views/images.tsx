// Images of the workspace that a text refers to: loaded when they come into sight, as blobs of this page.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { call } from '../link/api.ts';
import { fileHref, filesOf } from '../session/files.ts';
import { words } from '../words/en.ts';
import { imagesNamed } from './images_named.ts';
import { Dialog } from './overlays.tsx';

const KINDS: Readonly<Record<string, string>> = {
  png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp',
};
const MOST_BYTES = 8 * 1024 * 1024;

export function Images({ session, text }: { session: string; text: string }): JSX.Element | null {
  const named = imagesNamed(text);
  const there = useSignal<ReadonlyMap<string, number>>(new Map());
  const root = useRef<HTMLDivElement>(null);
  const names = named.join('\n');
  useEffect(() => {
    if (!names || !root.current) return undefined;
    const observer = new IntersectionObserver(([seen]) => {
      if (!seen?.isIntersecting) return;
      observer.disconnect();
      void sizes(session).then((all) => {
        there.value = all;
      });
    });
    observer.observe(root.current);
    return () => observer.disconnect();
  }, [session, names]);
  if (named.length === 0) return null;
  const shown = named.filter((path) => there.value.has(path));
  return (
    <div ref={root} class={shown.length ? 'images' : ''}>
      {shown.map((path) => (
        <WorkspaceImage key={path} session={session} path={path} size={there.value.get(path) ?? 0} />
      ))}
    </div>
  );
}

function WorkspaceImage(props: { session: string; path: string; size: number }): JSX.Element | null {
  const { session, path, size } = props;
  const address = useSignal('');
  const large = useSignal(false);
  useEffect(() => {
    if (size > MOST_BYTES) return undefined;
    const cancelled = new AbortController();
    void picture(fileHref(session, path), path, cancelled.signal).then((made) => {
      address.value = made;
    });
    return () => {
      cancelled.abort();
      URL.revokeObjectURL(address.peek());
    };
  }, [session, path, size]);
  if (size > MOST_BYTES) {
    return (
      <p class="under">
        {words.tool.imageTooLarge}{' '}
        <a href={fileHref(session, path)} download>
          {words.tool.download(path)}
        </a>
      </p>
    );
  }
  if (!address.value) return null;
  return (
    <>
      <button
        type="button"
        class="button"
        aria-label={words.tool.enlarge(path)}
        onClick={() => {
          large.value = true;
        }}
      >
        <img src={address.value} alt={words.tool.image(path)} />
      </button>
      {large.value && (
        <Dialog
          class="lightbox"
          heading={path}
          close={() => {
            large.value = false;
          }}
        >
          <img src={address.value} alt={words.tool.image(path)} />
        </Dialog>
      )}
    </>
  );
}

/** An address of the picture inside this page; '' when it cannot be had. */
async function picture(url: string, path: string, signal: AbortSignal): Promise<string> {
  try {
    const answer = await fetch(url, { signal });
    if (!answer.ok) return '';
    const kind = KINDS[path.split('.').pop()?.toLowerCase() ?? ''] ?? '';
    const made = URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type: kind }));
    if (!signal.aborted) return made;
    URL.revokeObjectURL(made);
  } catch {
    // Gone, or the network is: the text still names it.
  }
  return '';
}

const FRESH_MS = 3_000;
const lists = new Map<string, { readonly at: number; readonly list: Promise<ReadonlyMap<string, number>> }>();

/** What is in the workspace; many cards ask at once, the server is asked once. */
function sizes(session: string): Promise<ReadonlyMap<string, number>> {
  const known = lists.get(session);
  if (known && Date.now() - known.at < FRESH_MS) return known.list;
  const list = listed(session);
  lists.clear();
  lists.set(session, { at: Date.now(), list });
  return list;
}

async function listed(session: string): Promise<ReadonlyMap<string, number>> {
  try {
    const files = await filesOf(call, session);
    return new Map(files.map(({ path, size }) => [path, size]));
  } catch {
    return new Map(); // The text still names them.
  }
}
