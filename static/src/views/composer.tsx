// Where a person writes: text, files, send, queue, steer, stop. What is written here is never lost.

import type { Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { words } from '../words/en.ts';
import { Attached } from './attached.tsx';
import { Icon } from './icons.tsx';
import { coarse, narrow } from './surroundings.ts';
import type { Uploads } from './uploads.ts';

export const MOST_TEXT = 100_000;
const MOST_SHARE = 0.36;

export interface ComposerProps {
  readonly draft: Signal<string>;
  readonly placeholder: string;
  readonly send: { readonly label: string; readonly hint: string };
  readonly disabled: boolean;
  /** What is sent stays in the field, until whoever takes it has it. */
  readonly keeps?: boolean;
  readonly say: (text: string, delivery: 'queue' | 'steer') => void;
  readonly attach: (files: readonly File[]) => void;
  readonly uploads?: Uploads;
  readonly steerable?: boolean;
  readonly stop?: { readonly stopping: boolean; readonly run: () => void } | null;
  readonly notice?: ComponentChildren;
  readonly field?: (node: HTMLTextAreaElement) => void;
  readonly children?: ComponentChildren;
}

export function Composer(props: ComposerProps): JSX.Element {
  const field = useRef<HTMLTextAreaElement>(null);
  const { draft } = props;
  const written = draft.value.trim();
  /** A message does not go without the files that were put beside it. */
  const holding = props.uploads?.going.value ?? false;
  useEffect(() => {
    if (!field.current) return;
    props.field?.(field.current);
    if (!coarse.value) field.current.focus();
  }, []);
  useLayoutEffect(() => fit(field.current), [draft.value, props.placeholder]);
  const send = (delivery: 'queue' | 'steer'): void => {
    if (!written || holding || props.disabled || written.length > MOST_TEXT) return;
    props.say(written, delivery);
    if (!props.keeps) draft.value = '';
    if (coarse.value) field.current?.blur();
  };
  return (
    <form
      class={written ? 'composer written' : 'composer'}
      onSubmit={(event) => {
        event.preventDefault();
        send('queue');
      }}
    >
      {props.notice}
      {props.uploads && <Attached uploads={props.uploads} />}
      <textarea
        ref={field}
        rows={1}
        aria-label={words.composer.label}
        placeholder={props.placeholder}
        enterkeyhint={coarse.value ? 'enter' : 'send'}
        disabled={props.disabled}
        value={draft.value}
        onInput={(event) => {
          draft.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          const steer = (event.ctrlKey || event.metaKey) && props.steerable;
          if (coarse.value && !event.ctrlKey) return;
          event.preventDefault();
          send(steer ? 'steer' : 'queue');
        }}
        onPaste={(event) => {
          const files = [...(event.clipboardData?.files ?? [])];
          if (files.length === 0) return;
          event.preventDefault();
          props.attach(files);
        }}
      />
      {written.length > MOST_TEXT && (
        <p class="problem pad" role="alert">
          {words.composer.tooLong(MOST_TEXT)}
        </p>
      )}
      <div class="composer-acts">
        <Attach attach={props.attach} disabled={props.disabled} />
        {props.children}
        <span class="send">
          {props.stop && (
            <button
              type="button"
              class="button stop"
              title={words.composer.stopHint}
              disabled={props.stop.stopping}
              onClick={props.stop.run}
            >
              <Icon name="stop" />
              <span class={narrow.value && written ? 'unseen' : ''}>
                {props.stop.stopping ? words.state.stopping : words.composer.stop}
              </span>
            </button>
          )}
          {props.steerable && written && (
            <button type="button" class="button outlined" title={words.composer.steerHint} disabled={holding} onClick={() => send('steer')}>
              {words.composer.steer}
            </button>
          )}
          {(written || !props.stop) && (
            <button
              type="submit"
              class="button primary"
              title={holding ? words.composer.stillUploading : props.send.hint}
              disabled={props.disabled || holding || !written}
            >
              {holding ? words.composer.holding : props.send.label}
            </button>
          )}
        </span>
      </div>
    </form>
  );
}

/** Where the style sheet cannot do it: measuring lays out the whole page at once. */
const SIZES_ITSELF = CSS.supports('field-sizing', 'content');

function fit(field: HTMLTextAreaElement | null): void {
  if (!field || SIZES_ITSELF) return;
  field.style.height = 'auto';
  const most = (window.visualViewport?.height ?? innerHeight) * MOST_SHARE;
  field.style.height = `${Math.min(field.scrollHeight, most)}px`;
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
