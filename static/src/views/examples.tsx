// The first ten seconds: what this is, and what to type.

import type { JSX } from 'preact';
import { words } from '../words/en.ts';
import { Mark } from './mark.tsx';
import type { Shell } from './shell.ts';

const DEMO = 'demo';

/** What this is, in three sentences and a few things to try. */
export function Examples(props: {
  readonly shell: Shell;
  readonly model: string;
  readonly say: (text: string) => void;
  readonly busy?: boolean;
  /** It is what the page is about: nothing above it has a heading. */
  readonly top?: boolean;
}): JSX.Element {
  const { shell, model } = props;
  const Heading = props.top ? 'h1' : 'h2';
  const demo = (model || shell.myself.models.value?.default) === DEMO;
  return (
    <div class="welcome">
      <Mark />
      <Heading class="claim">{words.welcome.heading}</Heading>
      <p>{words.welcome.explanation}</p>
      <p class="label">{words.welcome.tryIt}</p>
      <div class="examples">
        {(demo ? words.welcome.demo : words.welcome.real).map(({ text, about }) => (
          <button type="button" key={text} class="button" disabled={props.busy ?? false} onClick={() => props.say(text)}>
            {text}
            <span class="under">{about}</span>
          </button>
        ))}
      </div>
      {demo && <p class="demo-note">{words.welcome.demoNote}</p>}
    </div>
  );
}
