// The files beside a message: picked, shown as chips that say how far they are, cancelled or tried again.

import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { Name } from '../text/name.tsx';
import { words } from '../words/en.ts';
import { problem } from '../words/remedies.ts';
import { Icon } from './icons.tsx';
import { Meter } from './meters.tsx';
import type { Attachment, Uploads } from './uploads.ts';

export function Attached({ uploads }: { uploads: Uploads }): JSX.Element | null {
  const items = uploads.items.value;
  if (items.length === 0) return null;
  return (
    <div class="attached">
      {items.map((item) => (
        <One key={item.id} uploads={uploads} item={item} />
      ))}
    </div>
  );
}

function One({ uploads, item }: { uploads: Uploads; item: Attachment }): JSX.Element {
  const { id, name, upload, file } = item;
  const { state = file ? 'sending' : 'done', progress = 0, code = '', message = '' } = upload?.view.value ?? {};
  const done = Math.round(100 * progress);
  const failed = state === 'failed';
  return (
    <span class={failed ? 'chip bad' : 'chip'} role={failed ? 'alert' : undefined}>
      {failed ? (
        <span>{words.composer.uploadFailed(name, problem(code, message))}</span>
      ) : (
        <span class="ellipsis">
          <Name text={name} />
        </span>
      )}
      {state === 'sending' && <Meter share={done} label={words.composer.uploading(name, done)} />}
      {failed && (
        <button type="button" class="button small soft" aria-label={words.composer.again(name)} onClick={() => uploads.again(id)}>
          {words.retry}
        </button>
      )}
      <button
        type="button"
        class="button icon small"
        aria-label={state === 'sending' ? words.composer.cancelUpload(name) : words.composer.detach(name)}
        onClick={() => uploads.drop(id)}
      >
        <Icon name="close" />
      </button>
    </span>
  );
}

export function Attach(props: { attach: (files: readonly File[]) => void; disabled: boolean }): JSX.Element {
  const picker = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class="button icon"
        aria-label={words.composer.attach}
        title={words.composer.attach}
        disabled={props.disabled}
        onClick={() => picker.current?.click()}
      >
        <Icon name="clip" />
      </button>
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        aria-label={words.composer.attach}
        onChange={(event) => {
          props.attach([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
    </>
  );
}
