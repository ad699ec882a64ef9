// What a person keeps secret, by name: set, replaced, removed; no value ever comes back.

import { type ReadonlySignal, type Signal, useSignal } from '@preact/signals';
import type { InputHTMLAttributes, JSX } from 'preact';
import { keepSecret, removeSecret, type Secret, secretsOf } from '../session/account.ts';
import { words } from '../words/en.ts';
import { Dialog } from './dialog.tsx';
import { Icon } from './icons.tsx';
import { useKeptList } from './kept_list.ts';
import type { Shell } from './shell.ts';
import { lately } from './surroundings.ts';
import { ToolServers } from './tool_servers.tsx';

const { ago, moment } = words.amounts;

const WELL_KNOWN = ['HF_TOKEN', 'GITHUB_TOKEN', 'ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY'];
/** As of environment variables. */
const NAME = '[A-Za-z_][A-Za-z0-9_]{0,63}';

export function SettingsDialog({ shell, close }: { shell: Shell; close: () => void }): JSX.Element {
  const { call } = shell.ways;
  const { items, wrong, attempt } = useKeptList(() => secretsOf(call));
  const change = (secret: Promise<unknown>): Promise<boolean> =>
    attempt(async () => {
      await secret;
      await shell.myself.loadModels();
    });
  return (
    <Dialog heading={words.settings.heading} close={close}>
      <h3>{words.settings.secrets}</h3>
      <p class="under">{words.settings.about}</p>
      {wrong.value && (
        <p class="problem" role="alert">
          {wrong}
        </p>
      )}
      <Secrets secrets={items} remove={(name) => void change(removeSecret(call, name))} />
      <NewSecret keep={(name, value) => change(keepSecret(call, name, value))} />
      <ToolServers call={call} />
    </Dialog>
  );
}

function Secrets(props: {
  readonly secrets: ReadonlySignal<readonly Secret[] | null>;
  readonly remove: (name: string) => void;
}): JSX.Element {
  const all = props.secrets.value;
  if (all === null) return <p class="under">{words.settings.loading}</p>;
  if (all.length === 0) return <p class="under">{words.settings.none}</p>;
  return (
    <ul class="file-list">
      {all.map(({ name, changed_at: at }) => (
        <li key={name}>
          <code class="grow">{name}</code>
          <time class="under" dateTime={at} title={moment(at)}>
            {ago(at, lately.value)}
          </time>
          <button
            type="button"
            class="button icon small"
            aria-label={words.settings.remove(name)}
            onClick={() => props.remove(name)}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}

function NewSecret({ keep }: { keep: (name: string, value: string) => Promise<boolean> }): JSX.Element {
  const name = useSignal('');
  const value = useSignal('');
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!(await keep(name.value.trim(), value.value))) return;
    name.value = '';
    value.value = '';
  };
  return (
    <form class="new-secret" onSubmit={(event) => void save(event)}>
      <Field label={words.settings.name} text={name} list="known-secrets" pattern={NAME} spellcheck={false} />
      <datalist id="known-secrets">
        {WELL_KNOWN.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <Field label={words.settings.value} text={value} type="password" minLength={8} maxLength={4096} />
      <button type="submit" class="button primary">
        {words.settings.keep}
      </button>
    </form>
  );
}

type FieldProps = { readonly label: string; readonly text: Signal<string> } & InputHTMLAttributes;

function Field({ label, text, ...more }: FieldProps): JSX.Element {
  return (
    <label>
      <span class="under">{label}</span>
      <input
        {...more}
        class="field"
        required
        autocomplete="off"
        value={text}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
      />
    </label>
  );
}
