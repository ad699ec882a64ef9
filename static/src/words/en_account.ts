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
      'Kept encrypted on the server, for what the agent does on your behalf: HF_TOKEN for the Hugging Face Hub, ' +
      'GITHUB_TOKEN for GitHub, and others that a job may be given by name when you approve it. ' +
      'A value is never shown again.',
    none: 'You keep none yet.',
    loading: 'Loading…',
    name: 'Name',
    value: 'Value',
    keep: 'Keep',
    remove: (name: string) => `Remove ${name}`,
  },
} as const;
