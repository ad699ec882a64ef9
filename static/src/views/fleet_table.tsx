// All sessions at once, live, those that need someone first.

import type { JSX } from 'preact';
import { needsPerson } from '../store/entries.ts';
import type { Row } from '../wire.ts';
import { words } from '../words/en.ts';
import { Badge, shownState } from './badge.tsx';
import { Icon } from './icons.tsx';
import { sessionHref } from './route.ts';
import type { Shell } from './shell.ts';
import { lately, narrow } from './surroundings.ts';

const { ago, count, money, percent } = words.amounts;

const ORDER: Readonly<Record<Row['state'], number>> = { awaiting_approval: 0, running: 1, idle: 2, ended: 3 };
const rank = (row: Row): number => (needsPerson(row) ? 0 : ORDER[row.state]);

export function FleetTable({ shell }: { shell: Shell }): JSX.Element {
  const rows = [...shell.sessions.rows.value.values()].sort(
    (one, other) => rank(one) - rank(other) || other.active_at.localeCompare(one.active_at),
  );
  return (
    <main class="page">
      <header class="top">
        {narrow.value && (
          <a class="button icon" href="#/" aria-label={words.sessions.list}>
            <Icon name="back" />
          </a>
        )}
        <h1>{words.fleet.heading}</h1>
      </header>
      <div class="board">
        <Sums shell={shell} />
        {rows.length === 0 ? (
          <p class="under">{words.fleet.none}</p>
        ) : (
          <table>
            <thead>
              <tr>
                {words.fleet.columns.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Line key={row.id} row={row} />
              ))}
            </tbody>
          </table>
        )}
      </div>
    </main>
  );
}

function Sums({ shell }: { shell: Shell }): JSX.Element | null {
  const totals = shell.sessions.totals.value;
  if (!totals) return null;
  const { sessions, viewers, tokens_per_second: speed, cost_usd_today: cost } = totals;
  const sums: readonly (readonly [string, string])[] = [
    [words.fleet.running, count(sessions.running)],
    [words.fleet.waiting, count(sessions.awaiting_approval)],
    [words.fleet.live, count(sessions.live)],
    [words.fleet.stored, count(sessions.stored)],
    [words.fleet.viewers, count(viewers)],
    [words.fleet.speed, String(Math.round(speed))],
    [words.fleet.cost, cost === null ? words.meters.costUnknown : money(cost)],
  ];
  return (
    <dl class="totals">
      {sums.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Line({ row }: { row: Row }): JSX.Element {
  const { id, title, owner, model, context, usage, activity } = row;
  const state = shownState(row);
  return (
    <tr>
      <td>
        <a href={sessionHref(id)}>{title || words.sessions.untitled}</a>
      </td>
      <td>
        <Badge state={state}>
          {words.state[state]}
          {activity && ` · ${words.activity[activity]}`}
        </Badge>
      </td>
      <td>{owner}</td>
      <td>{model}</td>
      <td>{percent(context.used, context.limit)}%</td>
      <td>{row.tokens_per_second ? Math.round(row.tokens_per_second) : ''}</td>
      <td>{usage.cost_usd === null ? words.meters.costUnknown : money(usage.cost_usd)}</td>
      <td>{ago(row.active_at, lately.value)}</td>
    </tr>
  );
}
