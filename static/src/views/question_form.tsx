// A question of a server of tools: what it asks, a form or a page to open, and what a person can say to it.

import { useComputed } from '@preact/signals';
import type { JSX, RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Inquired } from '../store/state.ts';
import { address } from '../text/links.ts';
import { Name } from '../text/name.tsx';
import type { Answer, QuestionAsked } from '../wire.ts';
import { words } from '../words/en.ts';
import { watched } from './approval_acts.tsx';
import type { Desk } from './desk.ts';
import { QuestionFields } from './question_fields.tsx';
import { coarse } from './surroundings.ts';

export function QuestionForm({ desk, asked }: { desk: Desk; asked: QuestionAsked }): JSX.Element {
  const filling = desk.fillings.of(asked);
  const root = useRef<HTMLFormElement>(null);
  const { busy, told, say } = useAnswer(desk, asked, root);
  return (
    <form
      ref={root}
      class="approval question"
      aria-label={words.question.region(asked.server)}
      noValidate
      onKeyDown={stayHere}
      onSubmit={(event) => {
        event.preventDefault();
        say('accept');
      }}
    >
      <Asked asked={asked} />
      {asked.url != null ? (
        <PageToOpen asked={asked} url={asked.url} />
      ) : (
        <Fields desk={desk} asked={asked} busy={busy} />
      )}
      {filling.problem.value && (
        <p class="problem" role="alert">
          {filling.problem}
        </p>
      )}
      {desk.drives.value ? (
        <Acts desk={desk} asked={asked} busy={busy} say={say} />
      ) : (
        <p class="under">{words.sharing.notYours}</p>
      )}
      {busy && <p class="under">{told}</p>}
    </form>
  );
}

/** What this page has said to the question, and how to say it. */
function useAnswer(desk: Desk, asked: QuestionAsked, root: RefObject<HTMLFormElement | null>) {
  const { question, url } = asked;
  const sent = useComputed(() => desk.open.outbox.value.findLast((item) => isAnswer(item.frame, question)));
  const state = sent.value?.state;
  const say = (action: Answer['action']): void => {
    const content = action === 'accept' && url == null ? desk.fillings.of(asked).content() : undefined;
    if (content === null) return;
    const focused = root.current?.contains(document.activeElement);
    desk.open.answer({ question, action, ...(content && { content }) });
    if (focused && !coarse.value) desk.focus();
  };
  const told = state === 'offline' ? words.question.offline : words.question.sending;
  return { busy: state !== undefined && state !== 'refused', told, say };
}

function Asked({ asked }: { asked: QuestionAsked }): JSX.Element {
  return (
    <>
      <p class="why">
        <strong>
          <Name text={words.question.asks(asked.server)} />
        </strong>
      </p>
      <p class="question-text">
        <bdi>{asked.message}</bdi>
      </p>
    </>
  );
}

function Fields({ desk, asked, busy }: { desk: Desk; asked: QuestionAsked; busy: boolean }): JSX.Element {
  const { fields = [], question } = asked;
  const filling = desk.fillings.of(asked);
  return (
    <>
      <QuestionFields fields={fields} filling={filling} id={question} busy={busy || !desk.drives.value} />
      {fields.length > 0 && <p class="under">{words.question.secrets}</p>}
    </>
  );
}

/** Nothing is loaded of it before somebody follows the link; it knows nothing of where they came from. */
function PageToOpen({ asked, url }: { asked: QuestionAsked; url: string }): JSX.Element {
  const place = address(url);
  return (
    <div class="question-page">
      <p>{words.question.page}</p>
      {place && (
        <a href={place.href} target="_blank" rel="noopener noreferrer">
          {place.href}
        </a>
      )}
      <p class="under">
        <strong>{words.question.host(asked.host ?? place?.host ?? '')}</strong>
      </p>
    </div>
  );
}

function Acts(props: {
  readonly desk: Desk;
  readonly asked: QuestionAsked;
  readonly busy: boolean;
  readonly say: (action: Answer['action']) => void;
}): JSX.Element {
  const { desk, asked, busy, say } = props;
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => watched(desk, asked.question, row.current), [asked.question]);
  return (
    <div class="approval-acts" ref={row}>
      <button type="submit" class="button primary" disabled={busy}>
        {asked.url != null ? words.question.opened : words.question.accept}
      </button>
      <button type="button" class="button outlined" disabled={busy} onClick={() => say('decline')}>
        {words.question.decline}
      </button>
      <button type="button" class="button outlined" disabled={busy} onClick={() => say('cancel')}>
        {words.question.cancel}
      </button>
    </div>
  );
}

/** What became of it, for everyone who looks. */
export function Answered({ desk, inquired }: { desk: Desk; inquired: Inquired }): JSX.Element | null {
  const { asked, answer } = inquired;
  if (!answer) return null;
  const who = desk.isMe(answer.by) ? words.approval.you : answer.by;
  const said = { accept: words.question.accepted, decline: words.question.declined, cancel: words.question.cancelled };
  const told = answer.submission == null ? words.question.takenBack : said[answer.action](who);
  const values = Object.entries(answer.content ?? {}).map(([name, value]) => `${name}: ${plain(value)}`);
  return (
    <p class="under">
      <bdi>{asked.message}</bdi> · {told}
      {values.length > 0 && <bdi>{` (${values.join('; ')})`}</bdi>}
    </p>
  );
}

const plain = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value));

const isAnswer = (frame: { readonly type: string; readonly question?: unknown }, question: string): boolean =>
  frame.type === 'answer' && frame.question === question;

/** Esc must not stop the turn under somebody who fills in a form. */
function stayHere(event: KeyboardEvent): void {
  if (event.key !== 'Escape') return;
  event.preventDefault();
  event.stopPropagation();
}
