// The fields of a form that a server of tools asks, each as what it is.

import type { JSX } from 'preact';
import { Name } from '../text/name.tsx';
import type { Field } from '../wire.ts';
import { words } from '../words/en.ts';
import { nameOf, type Filling, type Value } from './filling.ts';

interface Props {
  readonly field: Field;
  readonly filling: Filling;
  readonly id: string;
  readonly busy: boolean;
}

/** Which keys a phone shows. */
const MODES: Readonly<Record<string, 'numeric' | 'decimal' | 'email' | 'url'>> = {
  ...{ integer: 'numeric', number: 'decimal' },
  ...{ email: 'email', uri: 'url' },
};

export function QuestionFields({ fields, ...rest }: Omit<Props, 'field'> & { fields: readonly Field[] }): JSX.Element {
  return (
    <div class="editor">
      {fields.map((field) => (
        <QuestionField key={field.name} {...rest} field={field} id={`${rest.id}-${field.name}`} />
      ))}
    </div>
  );
}

function QuestionField(props: Props): JSX.Element {
  const { field, id } = props;
  const about = field.description ? `${id}-about` : undefined;
  return (
    <div class="question-field">
      <Control {...props} about={about} />
      {field.description && (
        <p class="under" id={about}>
          <bdi>{field.description}</bdi>
        </p>
      )}
    </div>
  );
}

function Control(props: Props & { about: string | undefined }): JSX.Element {
  const { field, filling, busy, about } = props;
  const value = filling.values.value[field.name] ?? '';
  const write = (next: Value): void => filling.write(field.name, next);
  if (field.kind === 'choices') return <Several {...props} chosen={Array.isArray(value) ? value : []} />;
  if (field.kind === 'boolean') {
    return (
      <label class="check">
        <input
          type="checkbox"
          disabled={busy}
          aria-describedby={about}
          checked={value === true}
          onChange={(event) => write(event.currentTarget.checked)}
        />
        <Label field={field} />
      </label>
    );
  }
  return (
    <label>
      <Label field={field} />
      {field.kind === 'choice' ? (
        <Choice {...props} value={String(value)} write={write} />
      ) : (
        <Line {...props} value={String(value)} write={write} />
      )}
    </label>
  );
}

function Line(props: Props & { about: string | undefined; value: string; write: (value: Value) => void }): JSX.Element {
  const { field, busy, about, value, write } = props;
  const rest = {
    class: 'field',
    autocomplete: 'off',
    disabled: busy,
    required: field.required === true,
    'aria-describedby': about,
    value,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => write(event.currentTarget.value),
  } as const;
  if (field.format === 'date') return <input type="date" {...rest} />;
  return <input type="text" inputMode={MODES[field.format ?? field.kind] ?? 'text'} {...rest} />;
}

function Label({ field }: { field: Field }): JSX.Element {
  return (
    <span>
      <Name text={nameOf(field)} />
      {field.required && field.kind !== 'boolean' && ` ${words.question.required}`}
    </span>
  );
}

function Choice(props: Props & { about: string | undefined; value: string; write: (value: Value) => void }): JSX.Element {
  const { field, busy, about, value, write } = props;
  return (
    <select
      class="field"
      disabled={busy}
      required={field.required === true}
      aria-describedby={about}
      value={value}
      onChange={(event) => write(event.currentTarget.value)}
    >
      <option value="">{words.question.choose}</option>
      {(field.choices ?? []).map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.title ?? choice.value}
        </option>
      ))}
    </select>
  );
}

function Several(props: Props & { about: string | undefined; chosen: readonly string[] }): JSX.Element {
  const { field, filling, busy, about, chosen } = props;
  return (
    <fieldset aria-describedby={about} disabled={busy}>
      <legend>
        <Label field={field} />
      </legend>
      {(field.choices ?? []).map(({ value, title }) => (
        <label key={value} class="check">
          <input
            type="checkbox"
            checked={chosen.includes(value)}
            onChange={(event) => {
              const others = chosen.filter((one) => one !== value);
              filling.write(field.name, event.currentTarget.checked ? [...others, value] : others);
            }}
          />
          <Name text={title ?? value} />
        </label>
      ))}
    </fieldset>
  );
}
