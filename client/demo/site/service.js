// The push service's control API and the application server, both on this origin.
const CONTROL = '/_mockpush/v1';
const PAUSE = 3_000;

export const control = (method, path, body) => call(method, CONTROL + path, body);
export const server = (method, path, body) => call(method, `/api${path}`, body);

// JSON, or an Error in the words of the problem document (RFC 9457), with its status.
async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { Accept: 'application/json' },
    body: body && JSON.stringify(body),
  }).catch(() => {
    throw Object.assign(new Error('The push service is away. Start it again: mockpush demo'), { away: true });
  });
  const text = await answer.text();
  const json = /json/.test(answer.headers.get('Content-Type'));
  const content = json ? JSON.parse(text) : null;
  if (answer.ok) return content;
  throw Object.assign(new Error(content?.detail ?? `${answer.status} ${answer.statusText}`), { status: answer.status });
}

// All that has happened, and what happens from now on. The browser comes back after what breaks the
// connection, but not after an answer that is an error.
export function events(kinds, follow, connected, since = 'e0') {
  const source = new EventSource(`${CONTROL}/events?since=${since}`);
  source.onopen = () => connected(true);
  source.onerror = () => {
    connected(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(events, PAUSE, kinds, follow, connected, since);
  };
  for (const kind of kinds) {
    source.addEventListener(kind, (event) => {
      since = event.lastEventId;
      follow(JSON.parse(event.data));
    });
  }
}
