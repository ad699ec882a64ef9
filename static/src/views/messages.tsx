// What people and the agent said, and what is still on its way: one view for each entry.

import { useComputed, useSignal, type ReadonlySignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { fileHref } from '../session/files.ts';
import { type OutboxItem, wordsOf } from '../link/outbox.ts';
import type { AssistantEntry, UserEntry } from '../store/state.ts';
import { Markdown, StreamingMarkdown } from '../text/markdown.tsx';
import { Name } from '../text/name.tsx';
import type { UserInput } from '../wire.ts';
import { words } from '../words/en.ts';
import { problem } from '../words/remedies.ts';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';
import { Images } from './images.tsx';
import { imagesNamed } from './images_named.ts';
import { still } from './still.tsx';

const { moment } = words.amounts;

const TALL = 1_500; // characters

export const UserMessage = still(function UserMessage({ desk, entry }: { desk: Desk; entry: UserEntry }): JSX.Element {
  const { text, author, attachments, steered } = entry;
  const mine = desk.isMe(author);
  return (
    <article class="entry user" data-key={entry.key} tabIndex={-1} aria-label={mine ? words.conversation.you : author}>
      <div class={text.length > TALL ? 'bubble tall' : 'bubble'} title={moment(entry.at)}>
        {text}
      </div>
      <div class="under">
        {!mine && <Name text={author} />}
        {attachments.map((path) => (
          <a key={path} href={fileHref(desk.open.id, path)} download>
            <Name text={path} />
          </a>
        ))}
        {steered && <span>{words.conversation.steered}</span>}
      </div>
    </article>
  );
});

/** A message on its way: sending, kept for the connection, or refused. */
export function Outgoing({ desk, item }: { desk: Desk; item: OutboxItem }): JSX.Element | null {
  const frame = wordsOf(item);
  if (!frame) return null;
  const refused = item.state === 'refused';
  const told = refused
    ? words.conversation.notSent(problem(item.code ?? '', item.message ?? ''))
    : words.conversation.onItsWay[item.state];
  return (
    <article class={`entry user outgoing is-${item.state}`}>
      <div class="bubble">{frame.text}</div>
      <div class="under" role={refused ? 'alert' : undefined}>
        <span>{told}</span>
        {refused && desk.usable.value && <Anew desk={desk} id={item.frame.id} frame={frame} />}
        {refused && (
          <button type="button" class="button small soft" onClick={() => desk.open.forget(item.frame.id)}>
            {words.conversation.discard}
          </button>
        )}
      </div>
    </article>
  );
}

/** Once more as it is, or written differently. */
function Anew({ desk, id, frame }: { desk: Desk; id: string; frame: UserInput }): JSX.Element {
  return (
    <>
      <button type="button" class="button small soft" onClick={() => desk.open.sendAgain(id)}>
        {words.conversation.again}
      </button>
      <button
        type="button"
        class="button small soft"
        onClick={() => {
          desk.open.forget(id);
          desk.put(frame.text, frame.attachments ?? []);
        }}
      >
        {words.conversation.edit}
      </button>
    </>
  );
}

export const Answer = still(function Answer({ desk, entry }: { desk: Desk; entry: AssistantEntry }): JSX.Element | null {
  const text = useText(desk, entry, 'text');
  const reasoning = useText(desk, entry, 'reasoning');
  const silent = useComputed(() => text.value === '' && reasoning.value === '');
  const writing = useComputed(() => text.value !== '');
  if (silent.value) return null;
  return (
    <article class="entry assistant" data-key={entry.key} tabIndex={-1} aria-label={words.conversation.agent}>
      <Reasoning text={reasoning} thinking={entry.open && !writing.value} />
      {entry.open ? <StreamingMarkdown text={text} /> : <Markdown text={entry.text} />}
      {entry.partial && <p class="under">{words.conversation.partial}</p>}
      {!entry.open && <Images session={desk.open.id} paths={imagesNamed(entry.text)} />}
    </article>
  );
});

/** The text as it grows, and as it stands at the end: one signal, so that nothing is drawn twice. */
function useText(desk: Desk, entry: AssistantEntry, which: 'text' | 'reasoning'): ReadonlySignal<string> {
  const closed = useSignal<string | null>(entry.open ? null : entry[which]);
  const latest = useRef('');
  useEffect(() => {
    closed.value = entry.open ? null : entry[which];
  }, [entry]);
  return useComputed(() => {
    latest.current = closed.value ?? desk.open.textOf(entry.key).value?.[which].text ?? latest.current;
    return latest.current;
  });
}

function Reasoning({ text, thinking }: { text: ReadonlySignal<string>; thinking: boolean }): JSX.Element | null {
  const open = useSignal(false);
  const there = useComputed(() => text.value !== '');
  if (!there.value) return null;
  return (
    <div class="reasoning">
      <button
        type="button"
        class="button small"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <Icon name="chevron" class="twist" />
        {thinking ? words.conversation.thinking : words.conversation.thought(wordsIn(text.peek()))}
      </button>
      {open.value && <div class="thought">{text}</div>}
    </div>
  );
}

const wordsIn = (text: string): number => text.split(/\s+/).filter(Boolean).length;
