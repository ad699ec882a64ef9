// Messages that wait for the running turn: in sight of everybody, to edit, withdraw, or steer with now.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import type { QueuedInput } from '../store/state.ts';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';

export function Queue({ desk }: { desk: Desk }): JSX.Element | null {
  const held = useComputed(() => desk.status.value?.held ?? false);
  const queued = useComputed(() => desk.open.state.value.queued);
  if (queued.value.length === 0) return null;
  return (
    <section class="queue" aria-label={words.queue.label}>
      {held.value && desk.usable.value && (
        <div class="held">
          <span>{words.queue.held}</span>
          <button type="button" class="button primary" onClick={() => desk.open.resume()}>
            {words.queue.resume}
          </button>
        </div>
      )}
      <ul>
        {queued.value.map((input) => (
          <Waiting key={input.submission} desk={desk} input={input} />
        ))}
      </ul>
    </section>
  );
}

function Waiting({ desk, input }: { desk: Desk; input: QueuedInput }): JSX.Element {
  const { text, delivery, attachments } = input;
  return (
    <li>
      <span class="tag">{delivery === 'steer' ? words.queue.joins : words.queue.next}</span>
      <span class="ellipsis grow" title={text}>
        {text}
      </span>
      {attachments.length > 0 && <span class="under">{words.queue.attached(attachments.length)}</span>}
      {desk.usable.value && <TakeBack desk={desk} input={input} />}
    </li>
  );
}

function TakeBack({ desk, input }: { desk: Desk; input: QueuedInput }): JSX.Element {
  const { submission, text, delivery, attachments } = input;
  const going = useComputed(() =>
    desk.open.outbox.value.some(({ frame }) => frame.type === 'withdraw' && frame.submission === submission),
  );
  const steerable = desk.phase.value === 'running' && delivery !== 'steer';
  return (
    <>
      {steerable && <SteerNow desk={desk} submission={submission} going={going.value} />}
      <button
        type="button"
        class="button small"
        disabled={going.value}
        onClick={() => {
          desk.open.withdraw(submission);
          desk.put(text, attachments);
        }}
      >
        {words.queue.edit}
      </button>
      <button
        type="button"
        class="button small icon"
        aria-label={words.queue.withdraw}
        title={words.queue.withdraw}
        disabled={going.value}
        onClick={() => desk.open.withdraw(submission)}
      >
        <Icon name="close" />
      </button>
    </>
  );
}

function SteerNow(props: { desk: Desk; submission: string; going: boolean }): JSX.Element {
  return (
    <button
      type="button"
      class="button small"
      title={words.queue.steerHint}
      disabled={props.going}
      onClick={() => props.desk.open.steerNow(props.submission)}
    >
      {words.queue.steer}
    </button>
  );
}
