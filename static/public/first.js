// What does not wait for the page's scripts: the theme that was chosen here, and the line to the session in the address.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden: the system's theme it is.
}
{
  // As src/link/early.ts takes it over; what it would not have asked for is closed there.
  const session = /^#\/?s\/([\w-]+)$/.exec(location.hash)?.[1];
  if (session) {
    const path = `/sessions/${session}/socket?after=0&most=200`;
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api${path}`, 'mooring.v1');
    const heard = [];
    socket.onmessage = socket.onclose = (event) => heard.push(event);
    window.early = { path, socket, heard };
  }
}
