// What is rare is loaded when somebody looks for the first time: then shown, or why it could not be.

import { signal } from '@preact/signals';
import type { ComponentChildren, FunctionComponent, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { words } from '../words/en.ts';

/** `around` is what stands there meanwhile, and around what is said where nothing comes. */
export function lazy<P extends object>(
  load: () => Promise<FunctionComponent<P>>,
  around: (told: ComponentChildren) => JSX.Element | null,
): FunctionComponent<P> {
  const view = signal<FunctionComponent<P> | null>(null);
  const lost = signal(false);
  return function Lazy(props: P) {
    useEffect(() => {
      if (view.peek()) return;
      lost.value = false;
      load().then(
        (found) => {
          view.value = found;
        },
        () => {
          lost.value = true;
        },
      );
    }, []);
    const View = view.value;
    return View ? <View {...props} /> : around(lost.value && <Unloaded />);
  };
}

/** A server that was upgraded has other files: only a new page knows their names. */
function Unloaded(): JSX.Element {
  return (
    <div class="bar warn" role="alert">
      <p>{words.connection.unloaded}</p>
      <button type="button" class="button outlined" onClick={() => location.reload()}>
        {words.retry}
      </button>
    </div>
  );
}
