// The status page: reads /events (a `hello`, then a `tick` each second; gateway/status/snapshot.cc writes both) and shows
// them.

const SILENCE_MS = 4000;  // ticks come each second: after this the gateway is thought to be gone or stuck

const state = { hello: null, tick: null, points: [], paused: false, filter: '', heard: 0, lostAt: 0 };

// ---- what is wrong -------------------------------------------------------------------------------------------------

const ICONS = {
  trouble: 'M12 3 2.5 20h19L12 3Zm0 6.5v4.5m0 3v.01',
  warning: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-13.5v5m0 3.5v.01',
  notice: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-9.5v5m0-8.5v-.01',
};
const SEVERITY = { trouble: 'Trouble', warning: 'Warning', notice: 'Notice' };

function showProblems(tick) {
  renew(byId('problems'), tick.findings, (f) => f.code + '/' + f.subject,
      (f) => make('article', { class: 'problem' }, make('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' }, make('path')),
          make('h3'), make('p', { class: 'since' }), make('p', { class: 'what' }),
          make('p', { class: 'advice' }, make('b', {}, 'What to do: '), make('span'))),
      (element, f) => {
        setAttribute(element, 'data-severity', f.severity);
        setAttribute(element.querySelector('path'), 'd', ICONS[f.severity]);
        setText(element.querySelector('h3'), `${SEVERITY[f.severity]}: ${f.title}`);
        setText(element.querySelector('.since'), `since ${timeOf(f.since)}, ${span(tick.time - f.since)}`);
        setText(element.querySelector('.what'), f.what);
        setText(element.querySelector('.advice span'), f.advice);
      });
}

function showVerdict(tick) {
  const count = (severity) => tick.findings.filter((f) => f.severity === severity).length;
  const troubles = count('trouble'), warnings = count('warning');
  const m = tick.minute;
  const first = tick.findings[0];
  const title = troubles + warnings === 0 ? 'Everything works'
      : troubles + warnings === 1 ? first.title
      : [troubles && many(troubles, 'thing is broken', 'things are broken'), warnings && many(warnings, 'warning', 'warnings')]
          .filter(Boolean).join(', ');
  const traffic = m.requests === 0 ? 'No request came in the last minute.'
      : `${number(m.requests / m.seconds)} requests a second over the last minute` +
        (m.cacheable ? `, ${percent(m.from_cache, m.cacheable)} of the reads from the cache` : '') +
        `, 99 % answered within ${micros(m.p99)}.`;
  verdict(troubles ? 'trouble' : warnings ? 'warning' : 'good', title, traffic);
}
function verdict(severity, title, more) {
  setAttribute(byId('verdict').parentElement, 'data-severity', severity);
  setText(byId('verdict'), title);
  setText(byId('verdict-more'), more);
  document.title = severity === 'good' ? 'Contacts Gateway' : `${title} · Contacts Gateway`;
}

// ---- parts, budgets, operations, past ------------------------------------------------------------------------------

function tokensPart(tick) {
  if (tick.tokens_in_trouble) return { state: 'bad', words: 'In trouble', detail: many(tick.tokens_in_trouble, 'credential needs you', 'credentials need you') };
  const fixed = tick.fixed_tokens ? many(tick.fixed_tokens, 'private token', 'private tokens') : '';
  if (!tick.tokens.length) return { state: 'good', words: fixed || 'None', detail: fixed ? 'do not end' : 'no token is held yet' };
  const [first] = tick.tokens;  // the soonest to end
  const left = first.expires - tick.time;
  return {
    state: left <= 0 ? 'bad' : left < 300 ? 'warn' : 'good',
    words: left <= 0 ? 'Over' : `Good for ${span(left)}`,
    detail: `${many(tick.tokens.length, 'token', 'tokens')}, ${locationName(first.location)} ends first` + (fixed ? `; ${fixed}` : ''),
  };
}
function partsOf(tick) {
  const m = tick.minute;
  const memory = tick.memory;
  return [
    tick.redis === 'up' ? { name: 'Redis', state: 'good', words: 'Connected', detail: 'shared cache and budgets' }
        : tick.redis === 'away' ? { name: 'Redis', state: 'bad', words: 'Away', detail: 'reads go upstream, writes wait' }
        : { name: 'Redis', state: 'good', words: 'Not used', detail: 'memory only, one process' },
    tick.circuits_open ? { name: 'Upstream', state: 'bad', words: 'Circuit open', detail: `for ${many(tick.circuits_open, 'location', 'locations')}` }
        : m.upstream_failed ? { name: 'Upstream', state: 'warn', words: `${percent(m.upstream_failed, m.upstream)} failed`, detail: `${number(m.upstream_failed)} of ${number(m.upstream)} in a minute` }
        : { name: 'Upstream', state: 'good', words: m.upstream ? 'Answers' : 'Not asked', detail: state.hello?.upstream ?? '' },
    { name: 'Tokens', ...tokensPart(tick) },
    { name: 'Memory', state: memory.over ? 'bad' : 'good', words: bytes(memory.resident) + (memory.limit ? ` of ${bytes(memory.limit)}` : ''),
      detail: memory.cache_limit ? `cache ${bytes(memory.cache_bytes)} of ${bytes(memory.cache_limit)}, ${many(memory.cache_entries, 'entry', 'entries')}` : 'cache switched off' },
    { name: 'Clients', state: 'good', words: many(tick.connections, 'connection', 'connections'),
      detail: tick.ending ? 'this process is ending' : `up for ${span(tick.time - (state.hello?.started ?? tick.time))}` },
  ];
}
function showParts(tick) {
  renew(byId('parts'), partsOf(tick), (p) => p.name,
      (p) => make('div', { class: 'part' }, make('h3', {}, p.name), make('p', { class: 'state' }), make('p', { class: 'detail' })),
      (element, p) => {
        setAttribute(element, 'data-state', p.state);
        setText(element.querySelector('.state'), p.words);
        setText(element.querySelector('.detail'), p.detail);
      });
}

function cell(attributes, ...children) {
  return make('td', { role: 'cell', ...attributes }, ...children);
}
function gauge() {
  return make('div', { class: 'gauge' }, make('div', { class: 'rail' }, make('div', { class: 'fill' })), make('span', { class: 'words' }));
}
function setGauge(element, left, limit, words) {
  const share = limit > 0 ? left / limit : 1;
  setAttribute(element, 'data-level', left === 0 && limit > 0 ? 'none' : share < .15 ? 'low' : 'good');
  element.querySelector('.fill').style.transform = `scaleX(${Math.min(1, share).toFixed(3)})`;
  setText(element.querySelector('.words'), words);
}
function locationState(l) {
  if (l.circuit_open) return ['bad', 'circuit open'];
  if (l.paused_ms > 0) return ['warn', `paused for ${span(l.paused_ms / 1000)}`];
  if (l.daily_limit > 0 && l.daily_remaining === 0) return ['bad', 'day used up'];
  if (l.remaining === 0) return ['warn', `spent, next in ${span(Math.max(1, l.until_more_ms / 1000))}`];
  return ['', 'free'];
}
function showLocations(tick) {
  const wanted = tick.locations.filter((l) => locationName(l.name).toLowerCase().includes(state.filter));
  const rank = (l) => (l.name === 'other' ? 1e12 : 0) - (l.circuit_open ? 1e9 : 0) - l.queue * 1e4 + l.remaining;
  wanted.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  const body = byId('locations').tBodies[0];
  renew(body, wanted, (l) => l.name,
      () => make('tr', { role: 'row' }, cell(), cell({ class: 'wide', 'data-label': 'Window' }, gauge()), cell({ class: 'wide', 'data-label': 'Day' }, gauge()),
          cell({ class: 'n', 'data-label': 'Waiting' }), cell({ class: 'n', 'data-label': 'In flight' }), cell({ 'data-label': 'State' }, make('span', { class: 'tag' }))),
      (row, l) => {
        setText(row.cells[0], locationName(l.name));
        setGauge(row.cells[1].firstChild, l.remaining, l.limit, `${number(l.remaining)} of ${number(l.limit)} in ${span(l.interval_ms / 1000)}`);
        setGauge(row.cells[2].firstChild, l.daily_remaining, l.daily_limit, l.daily_limit ? `${number(l.daily_remaining)} of ${number(l.daily_limit)}` : 'no limit');
        setText(row.cells[3], number(l.queue));
        setText(row.cells[4], number(l.in_flight));
        const [level, words] = locationState(l);
        setAttribute(row.cells[5].firstChild, 'data-state', level);
        setText(row.cells[5].firstChild, words);
      });
  byId('locations').hidden = wanted.length === 0;
  byId('locations-empty').hidden = wanted.length !== 0;
  setText(byId('locations-empty'), state.filter ? `No location's name contains “${state.filter}”.` : 'No request has asked for a permit lately.');
  setText(byId('locations-hint'), tick.known_locations > tick.locations.length
      ? `The ${tick.locations.length - 1} most pressed of ${number(tick.known_locations)} locations; the others as one line.`
      : "What each location has left of the upstream's limits, and who waits.");
}
function showOperations(tick) {
  const operations = [...tick.operations].sort((a, b) => b.requests - a.requests || a.name.localeCompare(b.name));
  renew(byId('operations').tBodies[0], operations, (o) => o.name,
      () => make('tr', { role: 'row' }, cell(), ...['Requests', 'From cache', 'p50', 'p99', 'Errors'].map((label) => cell({ class: 'n', 'data-label': label }))),
      (row, o) => {
        setText(row.cells[0], o.name);
        setText(row.cells[1], number(o.requests));
        setText(row.cells[2], percent(o.from_cache, o.cacheable));
        setText(row.cells[3], micros(o.p50));
        setText(row.cells[4], micros(o.p99));
        setText(row.cells[5], number(o.errors));
      });
  byId('operations').hidden = operations.length === 0;
  byId('operations-empty').hidden = operations.length !== 0;
}
function showPast(tick) {
  renew(byId('past'), tick.past, (i) => `${i.code}/${i.subject}/${i.since}`,
      () => make('li', {}, make('span', { class: 'title' }), make('span', { class: 'when' }), make('span', { class: 'what' })),
      (element, i) => {
        setText(element.children[0], i.title);
        setText(element.children[1], `${timeOf(i.since)}, for ${span(Math.max(1, i.until - i.since))}`);
        setText(element.children[2], i.what);
      });
  byId('past-empty').hidden = tick.past.length !== 0;
}

function show() {
  const tick = state.tick;
  if (!tick || state.paused) return;
  showVerdict(tick);
  showProblems(tick);
  CARDS.forEach(drawCard);
  showParts(tick);
  showLocations(tick);
  showOperations(tick);
  showPast(tick);
  setText(byId('verdict-eyebrow'), `As of ${timeOf(tick.time)}`);
}

// ---- the stream ----------------------------------------------------------------------------------------------------

function link(kind, words) {
  if (state.paused && kind === 'live') [kind, words] = ['paused', 'Paused'];
  setAttribute(document.body, 'data-link', kind);
  setText(byId('link-words'), words);
}
function take(name, data) {
  state.heard = Date.now();
  state.lostAt = 0;
  if (name === 'hello') {
    state.hello = data;
    state.points = data.history.slice(-POINTS);
    setText(byId('identity'), `${data.instance} · version ${data.version} · up since ${timeOf(data.started)}`);
  } else if (name === 'tick') {
    const last = state.points[state.points.length - 1];
    for (const point of data.points) if (!last || point[TIME] > last[TIME]) state.points.push(point);
    if (state.points.length > POINTS) state.points.splice(0, state.points.length - POINTS);
    state.tick = data;
    link('live', 'Live');
    show();
  }
}
function lose() {
  if (!state.lostAt) state.lostAt = Date.now();
  const seconds = Math.round((Date.now() - (state.heard || state.lostAt)) / 1000);
  link('lost', 'No contact');
  verdict('trouble', 'No contact with the gateway',
      (state.heard ? `The last news came ${span(seconds)} ago, and what stands below is from then. ` : '') +
      'It may have ended or be restarting, or this machine cannot reach its admin address. Trying again each second.');
}

// One event of the stream; fields as the standard names them.
function parse(block) {
  let name = 'message';
  const data = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) name = line.slice(6).trim();
    else if (line.startsWith('data:')) data.push(line.slice(5).trim());
  }
  if (data.length) take(name, JSON.parse(data.join('\n')));
}
// fetch and not EventSource, which cannot send the admin key.
async function listen() {
  const key = sessionStorage.getItem('admin-key');
  const abort = new AbortController();
  const silence = setInterval(() => {
    if (Date.now() - started > SILENCE_MS && Date.now() - state.heard > SILENCE_MS) abort.abort();
  }, 500);
  const started = Date.now();
  try {
    const answer = await fetch('/events', { headers: key ? { Authorization: `Bearer ${key}` } : {}, signal: abort.signal, cache: 'no-store' });
    if (answer.status === 401) return 'refused';
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = '';;) {
      const { value, done } = await reader.read();
      if (done) return 'ended';
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop();
      blocks.forEach(parse);
    }
  } finally {
    clearInterval(silence);
  }
}
async function run() {
  for (;;) {
    let ended;
    try {
      ended = await listen();
    } catch {
      ended = 'lost';
    }
    if (ended === 'refused') {
      await askForKey();
      continue;
    }
    lose();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
function askForKey() {
  const door = byId('door');
  const tried = sessionStorage.getItem('admin-key') != null;
  link('refused', 'Key needed');
  verdict('notice', 'Locked', 'Give the admin key to see how this gateway does.');
  setText(byId('door-words'), tried ? 'This is not the key whose hash is in admin.key_hash. Please try again.'
                                    : 'What this page shows needs the key whose hash is in admin.key_hash. It stays in this tab.');
  door.toggleAttribute('data-wrong', tried);
  door.hidden = false;
  byId('key').focus();
  return new Promise((resolve) => {
    door.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem('admin-key', byId('key').value.trim());
      byId('key').value = '';
      door.hidden = true;
      resolve();
    };
  });
}

// ---- keys and controls ---------------------------------------------------------------------------------------------

function pause() {
  state.paused = !state.paused;
  const button = byId('pause');
  button.setAttribute('aria-pressed', String(state.paused));
  setText(button, state.paused ? 'Go on' : 'Pause');
  if (document.body.dataset.link === 'live' || document.body.dataset.link === 'paused') link('live', 'Live');
  show();
}
byId('pause').addEventListener('click', pause);
byId('filter').addEventListener('input', (event) => {
  state.filter = event.target.value.trim().toLowerCase();
  if (state.tick) showLocations(state.tick);
});
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target instanceof HTMLInputElement;
  if (typing && event.key === 'Escape') event.target.blur();
  else if (typing) return;
  else if (event.key === '/') byId('filter').focus(), event.preventDefault();
  else if (event.key === 'p' || event.key === 'P') pause();
});
setInterval(() => { if (state.lostAt) lose(); }, 1000);
byId('cards').append(...CARDS.map(makeCard));
run();
