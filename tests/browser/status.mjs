// The status page as people use it. Each line "do: …" on standard output asks whoever started this to let that happen.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [url, folder] = process.argv.slice(2);
const SOON_MS = 2000;
mkdirSync(folder, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), 'status-page-'));
const complaints = [];
let failed = 0;

function check(holds, what) {
  if (!holds) failed = 1;
  console.log(`${holds ? 'ok' : 'FAILED'}: ${what}`);
}

const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  viewport: { width: 1280, height: 900 },
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const page = context.pages()[0] ?? (await context.newPage());
page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
page.on('pageerror', (error) => complaints.push(error.message));
const asked = [];
page.on('request', (request) => asked.push(request.url()));

const picture = (name) => page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
const shows = (text, limit = 10000) => page.waitForFunction((t) => document.body.innerText.includes(t), text, { timeout: limit, polling: 50 });
const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.className?.baseVal || document.activeElement?.className || document.activeElement?.tagName);

async function happens(what, text) {
  console.log(`do: ${what}`);
  const begin = Date.now();
  await shows(text, 15000);
  const took = Date.now() - begin;
  check(took <= SOON_MS, `"${text}" after ${took} ms (${SOON_MS} at most)`);
}

// It loads and updates.
await page.goto(url);
await shows('Everything works');
check((await page.locator('.card').count()) === 4, 'four charts');
const first = await page.locator('#verdict-eyebrow').textContent();
await page.waitForFunction((t) => document.getElementById('verdict-eyebrow').textContent !== t, first, { timeout: 5000 });
check(true, 'it goes on with time');
await happens('traffic', 'get-contacts');
await picture('desktop');

// With a keyboard alone.
await page.keyboard.press('Tab');
check((await focused()) === 'skip', 'the first stop is the way to the problems');
await page.keyboard.press('Tab');
check((await focused()) === 'pause', 'then the pause button');
await page.keyboard.press('Enter');
await shows('Paused');
check((await page.getAttribute('#pause', 'aria-pressed')) === 'true', 'it pauses');
await page.keyboard.press('p');
await shows('Live');
await page.keyboard.press('Tab');
await page.keyboard.press('ArrowLeft');
check(/\d/.test(await page.locator('.card .note').first().textContent()) &&
  (await page.locator('.card .cursor').first().getAttribute('visibility')) === 'visible', 'arrow keys read a chart');
await page.keyboard.press('Escape');
await page.keyboard.press('/');
check((await focused()) === 'filter', '/ goes to the filter');
await page.keyboard.type('no-such');
await shows('No location');
await page.fill('#filter', '');
await page.keyboard.press('Escape');

// It tells what goes wrong, soon.
await happens('spend', 'is spent');
await happens('lose-redis', 'Redis cannot be reached');
check((await page.locator('#verdict').textContent()).includes('Redis'), 'the headline says it');
check((await page.locator('.problem .advice').first().textContent()).startsWith('What to do: '), 'with what to do');
check((await page.title()).includes('Redis'), 'the tab says it');
await picture('trouble');
await page.setViewportSize({ width: 390, height: 844 });
check(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing is wider than a phone');
await picture('trouble-phone');
await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
check((await page.evaluate(() => getComputedStyle(document.querySelector('.dot')).animationName)) === 'none', 'no motion where none is wanted');
await picture('trouble-phone-dark');
await page.setViewportSize({ width: 1280, height: 900 });
await picture('trouble-dark');
console.log('do: bring-redis');
await page.waitForFunction(() => document.querySelector('#past').innerText.includes('Redis cannot be reached'), null, { timeout: 30000 });
check(true, 'what has passed is among the recent problems');
await picture('dark');

check(asked.every((each) => each.startsWith(url) || each.startsWith('data:')), 'it asked nobody but the gateway');
check(complaints.length === 0, `no console error ${complaints.join(' | ')}`);

// The gateway's end is the page's news, and not its end.
console.log('do: end');
await shows('No contact with the gateway', 30000);
check(true, 'a gateway that is gone is said so');
await picture('no-contact');
await context.close();
rmSync(profile, { recursive: true, force: true });
process.exit(failed);
