// Words about who is at the page: logging in and out, settings, sharing.

export const accountWords = {
  account: {
    of: (name: string) => `Account of ${name}`,
    who: (name: string, role: string | undefined) => (role ? `${name}, ${role}` : name),
    roles: { viewer: 'may look', user: 'user', operator: 'operator' } as Readonly<Record<string, string>>,
    settings: 'Settings',
    logIn: 'Log in',
    logOut: 'Log out',
    logOutEverywhere: 'Log out everywhere',
    logInFirst: 'Log in to go on. What you wrote is kept.',
  },

  settings: {
    heading: 'Settings',
    secrets: 'Secrets',
    about:
      'Kept encrypted on the server, for what the agent does on your behalf: HF_TOKEN for the Hugging Face Hub ' +
      'and its models, GITHUB_TOKEN for GitHub, keys of models such as OPENAI_API_KEY, and others that a job may be given by name when you approve it. ' +
      'A value is never shown again.',
    none: 'You keep none yet.',
    loading: 'Loading…',
    name: 'Name',
    value: 'Value',
    keep: 'Keep',
    remove: (name: string) => `Remove ${name}`,
    servers: 'Servers of tools',
    aboutServers: 'Connect those where you have an account of your own: the agent then has their tools in your sessions.',
    connect: 'Connect',
    connected: 'connected',
    disconnect: 'Disconnect',
  },

  sharing: {
    open: 'Share…',
    heading: 'Share this session',
    about:
      'Others see everything in it, as it happens. Who drives also speaks to the agent, which acts with your keys, ' +
      'and rules on what it asks.',
    user: 'With',
    anybody: 'anybody who has the link',
    may: 'They may',
    roles: { viewer: 'look on', driver: 'drive' },
    share: 'Share',
    makeLink: 'Make a link',
    once: 'Copy the link now: it is not shown again.',
    nobody: 'Nobody else has this session.',
    link: (users: string) => (users ? `Link, used by ${users}` : 'Link, not used yet'),
    until: (when: string) => `until ${when}`,
    revoke: 'Take back',
    joining: 'Opening a shared session',
    by: (owner: string) => `by ${owner}`,
    here: (names: string) => `Here now: ${names}`,
    person: (name: string, role: string) =>
      role === 'owner' ? name : `${name} (${role === 'viewer' ? 'looks on' : role === 'driver' ? 'drives' : role})`,
    asViewer: (owner: string) => `You are looking on. ${owner} can let you drive.`,
    asOperator: (owner: string) => `You see this session of ${owner} as an operator: you may stop it, and speak for nobody.`,
    notYours: 'Who drives this session decides.',
  },
} as const;
