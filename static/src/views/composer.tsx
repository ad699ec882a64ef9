// Where a person writes: text, files, send, queue, steer, stop. What is written here is never lost.

import type { Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { words } from '../words/en.ts';
import { Attach, Attached } from './attached.tsx';
import { Icon } from './icons.tsx';
import { coarse, narrow } from './surroundings.ts';
import type { Uploads } from './uploads.ts';

export const MOST_TEXT = 100_000;
const MOST_SHARE = 0.36;

type Delivery = 'queue' | 'steer';

export interface ComposerProps {
  readonly draft: Signal<string>;
  readonly placeholder: string;
  readonly submit: { readonly label: string; readonly hint: string };
  readonly disabled: boolean;
  /** What is sent stays in the field, until whoever takes it has it. */
  readonly keeps?: boolean;
  readonly say: (text: string, delivery: Delivery) => void;
  readonly attach: (files: readonly File[]) => void;
  readonly uploads?: Uploads;
  readonly steerable?: boolean;
  readonly stop?: { readonly stopping: boolean; readonly run: () => void } | null;
  readonly notice?: ComponentChildren;
  readonly field?: (node: HTMLTextAreaElement) => void;
  readonly children?: ComponentChildren;
}

export function Composer(props: ComposerProps): JSX.Element {
  const { draft } = props;
  const written = draft.value.trim();
  const send = (delivery: Delivery): void => {
    if (!written || isHolding(props) || props.disabled || written.length > MOST_TEXT) return;
    props.say(written, delivery);
    if (!props.keeps) draft.value = '';
    if (coarse.value && document.activeElement instanceof HTMLElement) document.activeElement.blur();
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
      <Field {...props} send={send} />
      {written.length > MOST_TEXT && (
        <p class="problem pad" role="alert">
          {words.composer.tooLong(MOST_TEXT)}
        </p>
      )}
      <div class="composer-acts">
        <Attach attach={props.attach} disabled={props.disabled} />
        {props.children}
        <Buttons {...props} written={written !== ''} send={send} />
      </div>
    </form>
  );
}

/** A message does not go without the files that were put beside it. */
const isHolding = ({ uploads }: ComposerProps): boolean => uploads?.going.value ?? false;

function Field(props: ComposerProps & { readonly send: (delivery: Delivery) => void }): JSX.Element {
  const { draft, send } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (!field.current) return;
    props.field?.(field.current);
    if (!coarse.value) field.current.focus();
  }, []);
  useLayoutEffect(() => fit(field.current), [draft.value, props.placeholder]);
  const pressed = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    const steer = (event.ctrlKey || event.metaKey) && props.steerable;
    if (coarse.value && !event.ctrlKey) return;
    event.preventDefault();
    send(steer ? 'steer' : 'queue');
  };
  return (
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
      onKeyDown={pressed}
      onPaste={(event) => pasted(event, props.attach)}
    />
  );
}

/** Files go beside the text; a text goes where it was pasted. */
function pasted(event: ClipboardEvent, attach: ComposerProps['attach']): void {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length === 0) return;
  event.preventDefault();
  attach(files);
}

function Buttons(props: ComposerProps & { written: boolean; send: (delivery: Delivery) => void }): JSX.Element {
  const { written, stop } = props;
  const holding = isHolding(props);
  return (
    <span class="send">
      {stop && <Stop {...stop} short={narrow.value && written} />}
      {props.steerable && written && (
        <button
          type="button"
          class="button outlined"
          title={words.composer.steerHint}
          disabled={holding}
          onClick={() => props.send('steer')}
        >
          {words.composer.steer}
        </button>
      )}
      {(written || !stop) && (
        <button
          type="submit"
          class="button primary"
          title={holding ? words.composer.stillUploading : props.submit.hint}
          disabled={props.disabled || holding || !written}
        >
          {holding ? words.composer.holding : props.submit.label}
        </button>
      )}
    </span>
  );
}

function Stop(props: { stopping: boolean; run: () => void; short: boolean }): JSX.Element {
  return (
    <button
      type="button"
      class="button stop"
      title={words.composer.stopHint}
      disabled={props.stopping}
      onClick={props.run}
    >
      <Icon name="stop" />
      <span class={props.short ? 'unseen' : ''}>
        {props.stopping ? words.state.stopping : words.composer.stop}
      </span>
    </button>
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
