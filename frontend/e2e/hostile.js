// Pages with content that nobody wishes for, at the widths of a telephone, a tablet and a screen: nothing sticks out.
import assert from 'node:assert/strict';

const WIDTHS = [360, 768, 1280];
const HEIGHT = 900;
const PASSWORD = 'correct horse battery staple';
const RIGHT_TO_LEFT = '\u202e\u2067';
const NAME_CHARS = 200;
const ACTOR_CHARS = 256;
const TYPE_CHARS = 100;
/** Pixels by which a browser may round. */
const ROUNDING = 1;
/** The least width of a name, in pixels. */
const NAME_MIN_PX = 40;

const long = (start, chars) => start + 'W'.repeat(chars - Array.from(start).length);
const random = () => `${Date.now()}-${Math.floor(Math.random() * 1e9)}`;

const activities = () => [
  { type: 'a'.padEnd(TYPE_CHARS, 'w'), actor: long('', ACTOR_CHARS), value: 1e300 },
  { type: 'b', actor: long(RIGHT_TO_LEFT, ACTOR_CHARS), value: -1.5e-300 },
  { type: 'c'.padEnd(TYPE_CHARS, '.'), actor: '\u{1f469}\u200d\u{1f4bb}'.repeat(80) },
  {
    type: 'd',
    actor: 'd',
    value: 123456789012345.6,
    properties: {
      [long('', 200)]: long('', 2_000),
      [`${RIGHT_TO_LEFT}key`]: `${RIGHT_TO_LEFT}value`,
      number: 1e300,
      deep: { list: Array.from({ length: 200 }, (_, index) => index) },
    },
    context: { user_agent: long('', 1_000) },
  },
];

/** Makes a customer with the longest and oddest names that are allowed, logged in in the page's browser. */
export async function hostileCustomer({ page, url }) {
  const local = long('', 60);
  const email = `${local}.${random()}@${long('', 60)}.example.com`;
  const post = async (path, data, headers = {}) => {
    const answer = await page.request.post(url + path, { data, headers });
    assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
    return answer.json();
  };
  const name = long(`${RIGHT_TO_LEFT}\u{1f9fe}`, NAME_CHARS);
  const { csrf_token } = await post('/v1/customers', {
    name,
    email,
    password: PASSWORD,
    time_zone: 'America/Argentina/ComodRivadavia',
  });
  const csrf = { 'x-csrf-token': csrf_token };
  await post(
    '/v1/members',
    { email: `${long(RIGHT_TO_LEFT, 60)}.${email}`, role: 'analyst' },
    csrf,
  );
  await post('/v1/tokens', { name: long(RIGHT_TO_LEFT, 60), scopes: ['ingest'] }, csrf);
  await post(
    '/v1/tokens',
    { name: long('', 60), scopes: ['ingest', 'read', 'audit', 'admin'] },
    csrf,
  );
  await post('/v1/activities/batch', { activities: activities() }, csrf);
}

/** Lists what lies outside the window or its panel and is not clipped. */
function sticksOut() {
  const ROUNDING = 1;
  const cuts = (element) => getComputedStyle(element).overflowX !== 'visible';
  const found = [];
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > window.innerWidth) found.push(`the page is ${scrollWidth} px wide`);
  for (const element of document.querySelectorAll('body *')) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0 || element.closest('.visually-hidden, .skip')) continue;
    for (let frame = element.parentElement; frame !== null; frame = frame.parentElement) {
      const isFrame = frame.matches('.panel, .stat, .dialog, .account-menu, body');
      const around = frame.getBoundingClientRect();
      const right = frame === document.body ? window.innerWidth : around.right;
      const isOut = box.right > right + ROUNDING || box.left < around.left - ROUNDING;
      if (isFrame && isOut) {
        const text = element.textContent.slice(0, 30);
        found.push(
          `${element.tagName}.${element.getAttribute('class')} "${text}" out of ${frame.className}`,
        );
      }
      if (isFrame || cuts(frame)) break;
    }
  }
  return found.slice(0, 8);
}

/** Looks at every page at every width. */
export async function nothingSticksOut({ page, url }) {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT });
    for (const [path, ready] of PAGES) {
      await page.goto(url + path);
      await ready(page);
      const found = await page.evaluate(sticksOut);
      assert.deepEqual(found, [], `${path} at ${width} px`);
    }
  }
}

const row = (name) => (page) => page.getByTestId(name).first().waitFor();

async function overview(page) {
  await page.getByTestId('feed-item').nth(3).waitFor();
  for (const name of await page.locator('.feed-type').all()) {
    const box = await name.boundingBox();
    const text = await name.textContent();
    assert.ok(
      text.length < 9 || box.width >= NAME_MIN_PX - ROUNDING,
      `${text} has ${box.width} px`,
    );
  }
  for (const item of await page.getByTestId('feed-item').all())
    await item.locator('summary').click();
}

async function menu(page) {
  await row('session-row')(page);
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByTestId('account-menu').waitFor();
}

async function removal(page) {
  await row('invitation-row')(page);
  await page
    .getByRole('button', { name: /^Change the role/ })
    .first()
    .click();
  await page.getByRole('dialog').waitFor();
}

const PAGES = [
  ['/?range=24h', overview],
  ['/?range=24h&view=table', row('feed-item')],
  [`/?type=${'a'.padEnd(TYPE_CHARS, 'w')}`, row('feed-item')],
  ['/reports?report=top&range=24h', (page) => page.getByRole('cell').first().waitFor()],
  ['/reports?group_by=type', (page) => page.getByRole('cell').first().waitFor()],
  ['/tokens', row('token-row')],
  ['/people', row('invitation-row')],
  ['/people', removal],
  ['/operations', row('no-dead-letters')],
  ['/sessions', menu],
  ['/password', (page) => page.getByLabel('Old password').waitFor()],
  ['/join#token=dbi_none', (page) => page.getByRole('heading', { name: /logged in/ }).waitFor()],
];
