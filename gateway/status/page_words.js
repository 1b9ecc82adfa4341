'use strict';
// How the status page writes numbers and renews elements. Text goes in as text, never as markup.

const byId = (id) => document.getElementById(id);

// ---- words and numbers ---------------------------------------------------------------------------------------------

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const timeOf = (unix) => clock.format(new Date(unix * 1000));

function number(n) {
  if (n >= 1e6) return (n / 1e6).toFixed(1) + 'M';
  if (n >= 1e4) return (n / 1e3).toFixed(n >= 1e5 ? 0 : 1) + 'k';
  if (n >= 100 || Number.isInteger(n)) return String(Math.round(n));
  return n.toFixed(n < 1 ? 2 : 1);
}
function micros(us) {
  if (us == null) return '–';
  if (us < 1000) return Math.round(us) + ' µs';
  if (us < 1e6) return (us / 1000).toFixed(us < 1e4 ? 1 : 0) + ' ms';
  return (us / 1e6).toFixed(1) + ' s';
}
function bytes(n) {
  for (const [unit, size] of [['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]])
    if (n >= size) return (n / size).toFixed(n >= 10 * size ? 0 : 1) + ' ' + unit;
  return n + ' B';
}
function span(seconds) {
  seconds = Math.max(0, Math.round(seconds));
  if (seconds < 120) return seconds + ' s';
  if (seconds < 7200) return Math.round(seconds / 60) + ' min';
  if (seconds < 172800) return Math.round(seconds / 3600) + ' h';
  return Math.round(seconds / 86400) + ' days';
}
const percent = (part, whole) => (whole > 0 ? Math.round((part / whole) * 100) + ' %' : '–');
const many = (n, one, more) => `${number(n)} ${n === 1 ? one : more}`;
const locationName = (name) => (name === 'default' ? 'All locations (one token)' : name === 'other' ? 'The others' : name);

// ---- building and renewing elements --------------------------------------------------------------------------------

const SVG = 'http://www.w3.org/2000/svg';
function make(tag, attributes = {}, ...children) {
  const svg = ['svg', 'path', 'line', 'polyline', 'polygon', 'circle'].includes(tag);
  const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
// Renews a list's children in place, so that focus, selection and a screen reader's place stay where they are.
function renew(parent, items, keyOf, create, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, index) => {
    const key = keyOf(item);
    let child = known.get(key);
    if (child) known.delete(key);
    else {
      child = create(item);
      child.dataset.key = key;
    }
    update(child, item);
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  for (const child of known.values()) child.remove();
}
