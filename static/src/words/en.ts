// Every word on the page, in English: one table, so that another language is one more table.

import { accountWords } from './en_account.ts';
import { amountWords } from './en_amounts.ts';
import { errorWords } from './en_errors.ts';
import { sessionWords } from './en_session.ts';
import { textWords } from './en_text.ts';
import { troubleWords } from './en_trouble.ts';
import { several } from './several.ts';

const pageWords = {
  name: 'Mooring',
  close: 'Close',
  cancel: 'Cancel',
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'The browser does not allow copying here. Select the text instead.',
  retry: 'Try again',
  undo: 'Undo',
  dismiss: 'Dismiss',
  notices: 'Notices',

  welcome: {
    heading: 'An agent that keeps working while you come and go.',
    explanation:
      'Say what you want done. It plans, writes and runs code in a sandbox, and asks you before ' +
      'anything risky. Close the page whenever you like: it goes on, and every word is here when ' +
      'you come back, on any device.',
    tryIt: 'Try one of these',
    demoNote:
      'This server runs the demo model: a fixed script, no AI. It shows everything for real: ' +
      'tools, approvals, a plan.',
    demo: [
      { text: 'Show me what you can do', about: 'A tour: a plan, a script that runs, an approval' },
      { text: 'Ask for my approval before you delete a file', about: 'Approve, edit or reject a command' },
      { text: 'Count to sixty in the sandbox', about: 'A live log; stop it, or leave and come back' },
      { text: 'Show me markdown with a table and code', about: 'How answers are drawn' },
    ],
    real: [
      { text: 'Look through the workspace and tell me what is in it', about: 'Reads files, asks before it changes any' },
      { text: 'Write a Python script that plots a learning curve from a CSV file, and test it', about: 'Writes and runs code in the sandbox' },
      { text: 'Plan how to fine-tune a small language model on my data', about: 'A plan that you can follow live' },
    ],
    placeholder: 'What should be done?',
    starting: 'Starting a session…',
    noModel: 'No model can be used yet. Run "mooring doctor" on the server: it says what is missing.',
  },

  sessions: {
    heading: 'Sessions',
    fresh: 'New session',
    begin: 'New',
    untitled: 'New session',
    none: 'Your sessions will be listed here.',
    loading: 'Loading your sessions…',
    older: 'Show older sessions',
    noLogIn: 'You are not logged in, so there is nothing to list.',
    unreachable: 'The list cannot be loaded just now. It is tried again by itself.',
    rename: 'Rename',
    title: 'Title',
    remove: 'Delete',
    removed: (title: string) => `“${title}” is deleted.`,
    more: (title: string) => `Actions for ${title}`,
    list: 'All sessions',
    dashboard: 'Dashboard',
    waiting: (number: number) => `${several(number, 'session needs', 'sessions need')} you`,
  },

  state: {
    idle: 'Idle',
    running: 'Working',
    awaiting_approval: 'Needs you',
    ended: 'Ended',
    error: 'Failed',
    opening: 'Opening…',
    stopping: 'Stopping…',
  },
  activity: {
    waiting: 'waiting for a free slot',
    model: 'the model is writing',
    retrying: 'asking the model again',
    tools: 'running tools',
    compacting: 'summarising the conversation',
  },

  search: {
    label: 'Search sessions and messages',
    placeholder: 'Search sessions…',
    nothing: (text: string) => `Nothing found for “${text}”. Try a single word of a title or a message.`,
  },

  header: {
    more: 'More',
    rename: 'Rename…',
    titleHint: 'Click to rename',
    files: 'Files',
    details: 'Plan and usage',
    compact: 'Summarise to free context',
    undo: 'Undo the last turn',
    retry: 'Try the last turn again',
    exportMarkdown: 'Export as Markdown',
    exportLines: 'Export as JSON lines',
    remove: 'Delete session',
    notify: 'Notify me when it needs me',
    notifying: 'Notifications are on',
    notifyDenied: 'This browser blocks notifications for this page. Allow them in its site settings.',
    notifyUnsupported: 'Notifications need HTTPS or this very machine. The tab’s title shows a mark instead.',
  },

  notification: {
    title: 'You are needed',
    body: (title: string) => `“${title}” waits for you`,
  },

  themes: { label: 'Theme', system: 'System', light: 'Light', dark: 'Dark' },

  shortcuts: {
    heading: 'Keyboard shortcuts',
    open: 'Keyboard shortcuts',
    rows: [
      ['Enter', 'Send (Shift+Enter: new line)'],
      ['Ctrl+Enter', 'Steer: the running turn reads it at its next step'],
      ['Esc', 'Stop the running turn'],
      ['Ctrl+K', 'Search sessions'],
      ['Alt+N', 'New session'],
      ['/', 'Write a message'],
      ['A', 'Approve the question in focus'],
      ['R', 'Reject the question in focus'],
      ['J, K', 'Next or previous message'],
      ['End', 'To the end of the conversation'],
      ['?', 'This list'],
    ],
  },

  fleet: {
    heading: 'Dashboard',
    running: 'Working',
    waiting: 'Need someone',
    live: 'Live',
    stored: 'Stored',
    viewers: 'Viewers',
    speed: 'Tokens/s',
    cost: 'Cost today',
    columns: ['Session', 'State', 'Owner', 'Model', 'Context', 'Tokens/s', 'Cost', 'Active'],
    none: 'No sessions yet.',
  },
} as const;

export const words = {
  ...pageWords,
  ...sessionWords,
  ...troubleWords,
  ...errorWords,
  ...accountWords,
  text: textWords,
  amounts: amountWords,
} as const;
