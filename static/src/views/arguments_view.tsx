// A call's arguments on the page: to read, and to edit as a form or as JSON.

import type { JSX } from 'preact';
import { Code } from '../text/code.tsx';
import type { Json, JsonObject } from '../wire.ts';
import { words } from '../words/en.ts';
import { fieldText, shapeOf } from './arguments.ts';
import type { Ruling } from './ruling.ts';

const ROWS = 16;

/** Scripts as blocks of code, all else as a list. `script` leaves out what a question says anyway. */
export function ArgumentsView({ given, script = false }: { given: JsonObject; script?: boolean }): JSX.Element {
  const names = Object.keys(given).filter((name) => !(script && name === 'description'));
  return (
    <dl class="arguments">
      {names.map((name) => {
        const value = given[name] ?? null;
        const shape = shapeOf(name, value);
        const block = shape === 'script' || shape === 'json';
        return (
          <>
            <dt key={`${name}:`} class={script && block && name === 'command' ? 'unseen' : ''}>
              {name}
            </dt>
            <dd key={name} class={block ? 'block' : ''}>
              {block ? (
                <Code text={fieldText(value)} language={languageOf(name, given, shape === 'json')} />
              ) : (
                <span>{fieldText(value)}</span>
              )}
            </dd>
          </>
        );
      })}
    </dl>
  );
}

const LANGUAGES: Readonly<Record<string, string>> = {
  py: 'python', sh: 'bash', js: 'javascript', ts: 'typescript', json: 'json', yaml: 'yaml', yml: 'yaml',
  md: 'markdown', html: 'xml', xml: 'xml', css: 'css', toml: 'ini', diff: 'diff',
};

export function languageOf(name: string, given: JsonObject, json: boolean): string {
  if (json) return 'json';
  if (name === 'command') return 'bash';
  const path = given['path'];
  const ending = typeof path === 'string' ? path.split('.').pop() : undefined;
  return LANGUAGES[ending ?? ''] ?? '';
}

export function ArgumentsEditor({ ruling }: { ruling: Ruling }): JSX.Element {
  const json = ruling.mode.value === 'json';
  return (
    <div class="editor">
      {json ? (
        <textarea
          class="field mono"
          aria-label={words.approval.json}
          spellcheck={false}
          rows={rowsOf(ruling.json.value)}
          value={ruling.json.value}
          onInput={(event) => {
            ruling.json.value = event.currentTarget.value;
            ruling.problem.value = '';
          }}
        />
      ) : (
        Object.keys(ruling.fields.value).map((name) => <Field key={name} name={name} ruling={ruling} />)
      )}
      <div class="row wrap">
        <button type="button" class="button small soft" onClick={() => ruling.turnTo(json ? 'form' : 'json')}>
          {json ? words.approval.asForm : words.approval.asJson}
        </button>
        <button type="button" class="button small soft" onClick={() => ruling.reset()}>
          {words.approval.reset}
        </button>
      </div>
    </div>
  );
}

function Field({ name, ruling }: { name: string; ruling: Ruling }): JSX.Element {
  const text = ruling.fields.value[name] ?? '';
  const original: Json = ruling.given[name] ?? '';
  const shape = shapeOf(name, original);
  const write = (value: string): void => ruling.write(name, value);
  if (shape === 'boolean') {
    return (
      <label class="check">
        <input
          type="checkbox"
          checked={text === 'true'}
          onChange={(event) => write(String(event.currentTarget.checked))}
        />
        {name}
      </label>
    );
  }
  return (
    <label>
      {name}
      {shape === 'script' || shape === 'json' ? (
        <textarea
          class="field mono"
          spellcheck={false}
          rows={rowsOf(text)}
          value={text}
          onInput={(event) => write(event.currentTarget.value)}
        />
      ) : (
        <input
          class={shape === 'number' ? 'field mono' : 'field'}
          inputMode={shape === 'number' ? 'decimal' : 'text'}
          value={text}
          onInput={(event) => write(event.currentTarget.value)}
        />
      )}
    </label>
  );
}

const rowsOf = (text: string): number => Math.min(ROWS, Math.max(2, text.split('\n').length));
