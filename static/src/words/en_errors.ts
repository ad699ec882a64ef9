// What went wrong and what to do about it, in English, by stable codes: every error that is shown says a way out.

const NO_LOG_IN =
  'Log in again; where this page has no log-in, use a client that sends a token, or ask the operator.';

const VERSIONS = 'This page and the server may be of different versions; tell the operator if it stays.';
const OPERATOR = 'Tell the operator: “mooring doctor” on the server says what to do.';

const MODEL = 'Try again, or pick another model below the message field.';

/** What the page itself found; of everything else the server says what happened. */
const found: Readonly<Record<string, string>> = {
  offline: 'The server does not answer.',
  not_connected: 'Nothing was done.',
  stale_approval: 'Your decision is more than ten minutes old and was not sent.',
  too_long: 'This is larger than one message may be.',
  too_many_queued: 'As many messages wait to be sent as can be kept.',
};

const remedies: Readonly<Record<string, string>> = {
  offline: 'It is tried again by itself; what you send now is kept.',
  not_connected: 'The server cannot be reached just now. Try again when the connection is back.',
  stale_approval: 'Look at the question again and decide anew.',
  busy: 'Stop the running turn first, or wait until it ends.',
  already_decided: 'Somebody else was first; nothing more to do here.',
  no_such_question: 'It was answered or taken back already.',
  nothing_to_undo: 'There is no turn left to take back.',
  nothing_to_compact: 'The conversation is still short.',
  nothing_running: 'The turn has ended by itself.',
  not_queued: 'It has already begun.',
  no_such_model: 'Pick another model below the message field.',
  too_long: 'Put the text into a file, attach it, and refer to it.',
  too_large: 'Split the file, or put it where the agent can download it.',
  too_many_queued: 'Withdraw a queued message, or wait until one has begun.',
  too_many_sessions: 'Delete a session you no longer need.',
  too_many_connections: 'Close another tab of this page.',
  rate_limited: 'Wait a moment, then try again.',
  server_full: 'The server is busy. Try again in a minute.',
  unavailable: 'Try again in a moment.',
  unexpected:
    'This came from something between the page and the server, or the two are of different versions. ' +
    'Try again; if it stays, tell the operator.',
  internal_error: 'Try again; if it stays, tell the operator the time it happened.',
  unauthorized: NO_LOG_IN,
  unauthenticated: NO_LOG_IN,
  forbidden: 'Ask the owner of this session for access.',
  no_such_session: 'It was deleted, or it belongs to someone else. Start a new one.',
  no_such_file: 'It was moved or deleted. The Files list shows what is there.',
  session_ended: 'Start a new session to go on.',
  too_many_secrets: 'Remove one that you no longer need.',
  no_such_secret: 'It is gone already.',
  no_such_share: 'Ask for a new link: this one was taken back, or is too old.',
  too_many_shares: 'Take back shares that are no longer needed.',
  bad_path: 'Choose a plain file name.',
  disk_full: 'The operator has to free space on the server.',
  no_room: 'Delete files the workspace no longer needs.',
  bad_request: VERSIONS,
  malformed: VERSIONS,
  not_found: VERSIONS,
  id_conflict: 'Send it again: it gets an id of its own.',
  stale_turn: 'That turn is over; look at what runs now.',
  no_such_turn: 'It was undone or has not ended yet. Choose another.',
  no_such_call: 'That call is over; look at what the agent asks now.',
  nothing_asked: 'The question is over; nothing more to do here.',
  nothing_held: 'The queue goes on by itself.',
  bad_login: 'Log in again.',
  mcp_login_failed: 'Try again; if it stays, ask the operator whether that server is set up right.',
  login_failed: 'Log in again, or ask the operator.',
  not_admitted: 'Ask the operator to let you in.',
  provider_unavailable: 'The place where you log in does not answer. Try again in a minute.',
  too_slow: 'The connection is slow; try again.',
  forbidden_origin: 'Open the page under an address that the server allows, or ask the operator.',
  forbidden_host: 'Open the page under the address that the server printed when it started.',
  data_dir_read_only: OPERATOR,
  log_damaged: OPERATOR,
  store_busy: 'Try again in a moment.',
  store_corrupt: OPERATOR,
  store_failed: OPERATOR,
  store_io_error: OPERATOR,
  workspace_damaged: OPERATOR,
  workspace_unusable: OPERATOR,
};

/** A turn's error is the model's: the same codes ask for other things there. */
const ofTurns: Readonly<Record<string, string>> = {
  ...remedies,
  overloaded: 'Try again in a minute, or pick another model below the message field.',
  unreachable: `${MODEL} If it stays, tell the operator.`,
  timed_out: MODEL,
  stream_cut: MODEL,
  garbled: MODEL,
  provider_error: MODEL,
  unauthorized: 'Or pick another model below the message field.',
  forbidden: 'Or pick another model below the message field.',
  model_not_found: 'Or pick another model below the message field, then try again.',
  bad_request: 'Change the message or pick another model, then try again.',
  context_overflow: 'Summarise the conversation (menu ⋯), then try again.',
};

export const errorWords = { errors: { found, remedies, ofTurns } } as const;
