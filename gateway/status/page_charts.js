// The four charts: five minutes, a point a second, read by pointer or arrow keys.

const POINTS = 300;

// A point as /events sends it.
const [TIME, SECONDS, REQUESTS, ERRORS, LIMITED, FROM_CACHE, CACHEABLE, UPSTREAM, SAVED, P50, P99, WAITING] =
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const rate = (column) => (point) => point[column] / point[SECONDS];

const CARDS = [
  {
    title: 'Requests a second',
    series: [{ name: 'requests', of: rate(REQUESTS) }, { name: 'errors (5xx)', of: rate(ERRORS), kind: 'bad' }],
    value: (m) => [number(m.requests / m.seconds), '/s'],
    note: (m) => (m.server_errors || m.limited)
        ? `${many(m.server_errors, 'error', 'errors')}, ${number(m.limited)} refused with 429`
        : 'no errors in the last minute',
    format: (v) => number(v) + '/s',
  },
  {
    title: 'Answered from cache',
    series: [{ name: 'from cache', of: (p) => (p[CACHEABLE] > 0 ? (p[FROM_CACHE] / p[CACHEABLE]) * 100 : null) }],
    top: 100,
    value: (m) => (m.cacheable > 0 ? [String(Math.round((m.from_cache / m.cacheable) * 100)), '%'] : ['–', '']),
    note: (m) => `${many(m.saved, 'upstream request', 'upstream requests')} saved`,
    format: (v) => Math.round(v) + ' %',
  },
  {
    title: 'Time to answer, p99',
    series: [{ name: 'p99', of: (p) => p[P99] }, { name: 'p50', of: (p) => p[P50], kind: 'second' }],
    value: (m) => micros(m.p99).split(' '),
    note: (m) => `half within ${micros(m.p50)}; upstream ${micros(m.upstream_p99)}`,
    format: micros,
  },
  {
    title: 'Upstream requests a second',
    series: [{ name: 'upstream', of: rate(UPSTREAM) }, { name: 'waiting', of: (p) => p[WAITING], kind: 'second' }],
    value: (m) => [number(m.upstream / m.seconds), '/s'],
    note: (m, tick) => {
      const waiting = tick.locations.reduce((sum, each) => sum + each.queue, 0);
      return waiting ? `${many(waiting, 'request waits', 'requests wait')} for a permit` : 'nobody waits for a permit';
    },
    format: number,
  },
];

const WIDTH = 300, HEIGHT = 64;
function polyline(points, of, top) {
  const pieces = [];
  let piece = [];
  points.forEach((point, index) => {
    const value = of(point);
    if (value == null) {
      if (piece.length) pieces.push(piece);
      piece = [];
      return;
    }
    const x = WIDTH - (points.length - 1 - index) * (WIDTH / (POINTS - 1));
    piece.push([x.toFixed(1), (HEIGHT - 2 - Math.min(value / top, 1) * (HEIGHT - 6)).toFixed(1)]);
  });
  if (piece.length) pieces.push(piece);
  return pieces;
}
const traceOf = (pieces) => pieces.map((p) => 'M' + p.map((xy) => xy.join(' ')).join('L') + (p.length === 1 ? 'h.1' : '')).join('');
const areaOf = (pieces) =>
    pieces.map((p) => `M${p[0][0]} ${HEIGHT}L` + p.map((xy) => xy.join(' ')).join('L') + `L${p[p.length - 1][0]} ${HEIGHT}Z`).join('');

function makeCard(card) {
  const chart = make('svg', { class: 'chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', tabindex: '0' });
  chart.append(make('line', { class: 'base', x1: 0, y1: HEIGHT - .5, x2: WIDTH, y2: HEIGHT - .5 }), make('path', { class: 'area' }));
  for (const one of card.series) chart.append(make('path', { class: 'trace ' + (one.kind ?? '') }));
  chart.append(make('line', { class: 'cursor', y1: 0, y2: HEIGHT, visibility: 'hidden' }));
  const element = make('article', { class: 'card' }, make('h3', {}, card.title),
      make('p', { class: 'value' }, make('span'), make('small')), make('p', { class: 'note' }), chart,
      make('div', { class: 'axis', 'aria-hidden': 'true' }, make('span', {}, '5 min ago'), make('span', {}, 'now')));
  card.element = element;
  card.chart = chart;
  card.at = null;  // the point under the cursor, counted from the end
  const move = (at) => {
    card.at = at == null ? null : Math.max(0, Math.min(state.points.length - 1, at));
    drawCard(card);
  };
  chart.addEventListener('pointermove', (event) => {
    const box = chart.getBoundingClientRect();
    move(Math.round((1 - (event.clientX - box.left) / box.width) * (POINTS - 1)));
  });
  chart.addEventListener('pointerleave', () => move(null));
  chart.addEventListener('blur', () => move(null));
  chart.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: 1, ArrowRight: -1, PageUp: 30, PageDown: -30 }[event.key];
    if (step) move((card.at ?? 0) + step);
    else if (event.key === 'Escape') move(null);
    else return;
    event.preventDefault();
  });
  return element;
}

function drawCard(card) {
  if (!state.tick) return;
  const points = state.points;
  const values = points.flatMap((point) => card.series.map((one) => one.of(point))).filter((v) => v != null);
  const top = card.top ?? Math.max(1, ...values) * 1.1;
  const pieces = card.series.map((one) => polyline(points, one.of, top));
  card.chart.querySelector('.area').setAttribute('d', areaOf(pieces[0]));
  card.chart.querySelectorAll('.trace').forEach((trace, i) => trace.setAttribute('d', traceOf(pieces[i])));
  const cursor = card.chart.querySelector('.cursor');
  const [value, unit] = card.value(state.tick.minute);
  setText(card.element.querySelector('.value span'), value);
  setText(card.element.querySelector('.value small'), unit ?? '');
  const point = card.at == null ? null : points[points.length - 1 - card.at];
  let note = card.note(state.tick.minute, state.tick);
  if (point) {
    const x = WIDTH - card.at * (WIDTH / (POINTS - 1));
    cursor.setAttribute('x1', x);
    cursor.setAttribute('x2', x);
    note = `${timeOf(point[TIME])}: ` + card.series.map((one) => {
      const at = one.of(point);
      return `${one.name} ${at == null ? '–' : card.format(at)}`;
    }).join(', ');
  }
  cursor.setAttribute('visibility', point ? 'visible' : 'hidden');
  setText(card.element.querySelector('.note'), note);
  setAttribute(card.chart, 'aria-label', point ? note : `${card.title}, ${value} ${unit ?? ''} over the last minute. Arrow keys read single seconds.`);
}
