// What a research did on its way: a folded list under its card, each step with what came of it.

import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { LogText } from '../text/log_view.tsx';
import { Name } from '../text/name.tsx';
import { words } from '../words/en.ts';
import type { Step } from '../wire.ts';
import { summary } from './arguments.ts';
import { Icon } from './icons.tsx';

const ROWS = 12;

export function ResearchSteps({ steps }: { readonly steps: readonly Step[] }): JSX.Element {
  const open = useSignal(false);
  return (
    <div class="steps">
      <Fold open={open.value} onClick={() => (open.value = !open.value)}>
        {words.tool.steps(steps.length)}
      </Fold>
      {open.value && (
        <ol>
          {steps.map((step) => (
            <OneStep key={step.step} step={step} />
          ))}
        </ol>
      )}
    </div>
  );
}

function OneStep({ step }: { readonly step: Step }): JSX.Element {
  const open = useSignal(false);
  const { text, plain } = summary(step.tool, step.arguments);
  const state = words.tool.states[step.status] ?? step.status;
  return (
    <li class={`is-${step.status}`}>
      <Fold open={open.value} onClick={() => (open.value = !open.value)}>
        <span class="tool-name">
          <Name text={step.tool} />
        </span>
        <span class={plain ? 'tool-about ellipsis' : 'tool-about mono ellipsis'}>{text}</span>
        {step.status !== 'ok' && <span class="step-state">{state}</span>}
      </Fold>
      {open.value && (step.output ? <LogText text={step.output} rows={ROWS} /> : <p class="under">{words.tool.nothing}</p>)}
    </li>
  );
}

function Fold(props: {
  readonly open: boolean;
  readonly onClick: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <button type="button" class="step-head" aria-expanded={props.open} onClick={props.onClick}>
      <Icon name="chevron" class="twist" />
      {props.children}
    </button>
  );
}
