// Who else has this session: by name or by link, to look or to drive, until it is taken back.

import { type ReadonlySignal, type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { revoke, type Share, share, type ShareRole, sharesOf } from '../session/shares.ts';
import { words } from '../words/en.ts';
import { copy } from './copying.ts';
import type { Desk } from './desk.ts';
import { Dialog } from './dialog.tsx';
import { Icon } from './icons.tsx';
import { useKeptList } from './kept_list.ts';
import type { Shell } from './shell.ts';

const { moment } = words.amounts;

export function SharingDialog({ shell, desk, close }: { shell: Shell; desk: Desk; close: () => void }): JSX.Element {
  const { call } = shell.ways;
  const { items, wrong, attempt } = useKeptList(() => sharesOf(call, desk.open.id));
  const link = useSignal('');
  const add = (role: ShareRole, user: string): Promise<boolean> =>
    attempt(async () => {
      link.value = (await share(call, desk.open.id, role, user)).link ?? '';
    });
  return (
    <Dialog heading={words.sharing.heading} close={close}>
      <p class="under">{words.sharing.about}</p>
      {wrong.value && (
        <p class="problem" role="alert">
          {wrong}
        </p>
      )}
      <NewShare add={add} />
      {link.value && <Fresh link={link.value} />}
      <Shares
        shares={items}
        remove={(id) => {
          link.value = '';
          void attempt(() => revoke(call, desk.open.id, id));
        }}
      />
    </Dialog>
  );
}

function NewShare({ add }: { add: (role: ShareRole, user: string) => Promise<boolean> }): JSX.Element {
  const role = useSignal<ShareRole>('viewer');
  const user = useSignal('');
  const made = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (await add(role.value, user.value.trim())) user.value = '';
  };
  return (
    <form class="new-share" onSubmit={(event) => void made(event)}>
      <label>
        <span class="under">{words.sharing.user}</span>
        <input
          class="field"
          maxLength={200}
          autocomplete="off"
          placeholder={words.sharing.anybody}
          value={user}
          onInput={(event) => {
            user.value = event.currentTarget.value;
          }}
        />
      </label>
      <RolePicker role={role} />
      <button type="submit" class="button primary">
        {user.value.trim() ? words.sharing.share : words.sharing.makeLink}
      </button>
    </form>
  );
}

function RolePicker({ role }: { role: Signal<ShareRole> }): JSX.Element {
  return (
    <label>
      <span class="under">{words.sharing.may}</span>
      <select
        class="field"
        value={role}
        onChange={(event) => {
          role.value = event.currentTarget.value as ShareRole;
        }}
      >
        <option value="viewer">{words.sharing.roles.viewer}</option>
        <option value="driver">{words.sharing.roles.driver}</option>
      </select>
    </label>
  );
}

/** A link is told once: whoever has it comes in. */
function Fresh({ link }: { link: string }): JSX.Element {
  return (
    <div class="bar fresh-link">
      <label class="grow">
        <span class="under">{words.sharing.once}</span>
        <input class="field" readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <button type="button" class="button outlined" onClick={() => void copy(link)}>
        <Icon name="copy" />
        {words.copy}
      </button>
    </div>
  );
}

function Shares(props: {
  readonly shares: ReadonlySignal<readonly Share[] | null>;
  readonly remove: (id: string) => void;
}): JSX.Element {
  const all = props.shares.value;
  if (all === null) return <p class="under">{words.settings.loading}</p>;
  if (all.length === 0) return <p class="under">{words.sharing.nobody}</p>;
  return (
    <ul class="file-list">
      {all.map((one) => {
        const name = one.user ?? words.sharing.link(one.used.map(({ user }) => user).join(', '));
        return (
          <li key={one.id}>
            <span class="grow">{name}</span>
            <span class="under">{words.sharing.roles[one.role]}</span>
            {one.expires_at && <span class="under">{words.sharing.until(moment(one.expires_at))}</span>}
            <button type="button" class="button small bad" onClick={() => props.remove(one.id)}>
              {words.sharing.revoke}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
