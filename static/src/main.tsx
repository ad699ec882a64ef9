// Wires everything: nothing else knows all rooms.

import { render } from 'preact';

render(<h1>Mooring</h1>, document.body);
