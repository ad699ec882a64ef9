// The build's own parser, for the test that reads the rooms of the page.

export { parseSync } from 'vite';
