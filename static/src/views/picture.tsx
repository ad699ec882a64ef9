// One image of the workspace: loaded as a blob of this page, large on a click, a link where it is too large.

import { useSignal, type ReadonlySignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { fileHref } from '../session/files.ts';
import { words } from '../words/en.ts';
import { Dialog } from './dialog.tsx';

const KINDS: Readonly<Record<string, string>> = {
  png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp',
};
const MOST_BYTES = 8 * 1024 * 1024;

export function Picture(props: { session: string; path: string; size: number }): JSX.Element | null {
  const { session, path, size } = props;
  const address = usePicture(fileHref(session, path), path, size <= MOST_BYTES);
  const large = useSignal(false);
  if (size > MOST_BYTES) return <TooLarge session={session} path={path} />;
  if (!address.value) return null;
  const image = <img src={address.value} alt={words.tool.image(path)} />;
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
        {image}
      </button>
      {large.value && (
        <Dialog
          class="lightbox"
          heading={path}
          close={() => {
            large.value = false;
          }}
        >
          {image}
        </Dialog>
      )}
    </>
  );
}

function TooLarge({ session, path }: { session: string; path: string }): JSX.Element {
  return (
    <p class="under">
      {words.tool.imageTooLarge}{' '}
      <a href={fileHref(session, path)} download>
        {words.tool.download(path)}
      </a>
    </p>
  );
}

/** An address of the picture inside this page; '' until it is there, and where it cannot be had. */
function usePicture(url: string, path: string, wanted: boolean): ReadonlySignal<string> {
  const address = useSignal('');
  useEffect(() => {
    if (!wanted) return undefined;
    const cancelled = new AbortController();
    void loaded(url, path, cancelled.signal).then((made) => {
      address.value = made;
    });
    return () => {
      cancelled.abort();
      URL.revokeObjectURL(address.peek());
    };
  }, [url, wanted]);
  return address;
}

async function loaded(url: string, path: string, signal: AbortSignal): Promise<string> {
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
