// The words of what goes wrong and of what is over, in English: the connection, sessions and turns.

import { several } from './several.ts';

export const troubleWords = {
  connection: {
    reconnecting: 'Reconnecting…',
    lost: 'No connection to the server. What you send is kept.',
    offline: 'You are offline. What you send is kept.',
    later: (messages: number, decisions: number) => {
      const said = [
        messages ? several(messages, 'message', 'messages') : '',
        decisions ? several(decisions, 'decision', 'decisions') : '',
      ];
      return `${said.filter(Boolean).join(' and ')} ${messages + decisions === 1 ? 'is' : 'are'} sent when it is back.`;
    },
    pending: (what: string) => `Sent when the connection is back: ${what}.`,
    asked: {
      undo: 'undo the last turn',
      retry: 'try the last turn again',
      compact: 'summarise to free context',
      resume: 'continue the queue',
      withdraw: 'withdraw a queued message',
      set_model: 'change the model',
      set_auto_approval: 'change auto-approve',
    } as Readonly<Record<string, string>>,
    nextTry: (left: number) => `Next try in ${left} s.`,
    trying: 'Trying…',
    now: 'Retry now',
    unloaded: 'This part of the page could not be loaded. What you wrote is kept.',
    storage: 'This browser stores nothing here: what is unsent is lost when you close the page.',
  },
  gone: {
    deleted: 'This session was deleted, or it belongs to someone else.',
    expired: 'Your log-in is no longer valid.',
    expiredHint:
      'This page has no log-in of its own: come in again the way you came, or ask the operator. ' +
      'What you wrote is kept and sent then.',
    noLogIn:
      'This server asks for a token, and this page has no log-in yet. Use a client that sends one ' +
      '(curl, a bot, an app), or ask the operator for a way in.',
    ended: 'This session has ended. It stays readable.',
    forbidden: 'You may not see this session. Ask its owner to share it.',
    fresh: 'Start a new session',
    copyDraft: 'Copy my text',
  },

  ended: {
    failed: (message: string) => `This turn failed. ${message}`,
    limit: (what: string, wayOut: string) => `Stopped at a limit: ${what}. ${wayOut}`,
    stopped: 'Stopped.',
    server_restart: 'The server restarted and this turn was cut short. What was said is kept. Say “Go on”, or run the turn again.',
    superseded: 'Your newer message took the place of this turn.',
    session: 'This session has ended. It stays readable.',
    limits: {
      iterations: 'the number of steps',
      repetition: 'going in circles',
      budget_usd: 'the budget',
      tokens: 'the number of tokens',
      time: 'the time',
    } as Readonly<Record<string, string>>,
    /** What to do: each turn has all of what it may use. */
    goOn: 'Say “Go on” to let it continue.',
    waysOut: {
      repetition: 'Say it in other words, or tell it what to try instead.',
      budget_usd: 'Say “Go on” if it is worth as much again.',
      tokens: 'Say “Go on”, or ask for less at once.',
    } as Readonly<Record<string, string>>,
  },
} as const;
