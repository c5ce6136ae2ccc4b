/** The page: what is composed goes to one pane, or to two that are compared. */
import { Composer } from './composer.js';
import { byId, element } from './dom.js';
import { EXAMPLES } from './examples.js';
import { describe, installed } from './models.js';
import { keep, keepOffline } from './offline.js';
import { Pane } from './pane.js';
import { remember as keepChoice, remembered } from './settings.js';

const $ = (id) => document.getElementById(id);
const userNames = byId(HTMLInputElement, 'user-names');
const comparing = byId(HTMLInputElement, 'compare');
const query = new URLSearchParams(location.search);

/** @type {import('./models.js').Model[]} */
let models = [];
/** @type {import('./composer.js').Input} */
let input = { text: '' };
/** @typedef {{pane: Pane, key: string, name?: string}} Slot `key` is the parameter of the URL that names the pane's model */
/** @type {Slot[]} */
const panes = [];

function announce(words) {
  $('live').textContent = words;
}

function addPane(key, suffix) {
  const pane = new Pane(byId(HTMLTemplateElement, 'pane'), {
    suffix,
    // Whatever it is: the module refuses what it does not know, in words.
    backend: /** @type {import('./mner.js').Backend | 'auto'} */ (query.get('backend') ?? 'auto'),
    announce,
    onChoose: (name) => choose(slot, name),
    onReady: (backend) => {
      composer.offerCaption(panes.some(({ pane }) => pane.abilities.captions));
      const lists = ['models/index.json', ...models.map(({ url }) => `${url}manifest.json`)];
      if (backend) keep(backend, lists);
    },
  });
  /** @type {Slot} */
  const slot = { key, pane };
  pane.offer(models);
  pane.showUserNames(userNames.checked);
  pane.update(input);
  panes.push(slot);
  $('panes').append(pane.root);
  $('panes').classList.toggle('two', panes.length > 1);
  return slot;
}

/** Opens a model in a pane. */
async function open(slot, name) {
  slot.name = name;
  const model = models.find((one) => one.name === name) ?? (await describe(name));
  if (slot.name === name) await slot.pane.open(model);
}

/** Opens a model in a pane, and remembers the choice in the URL. */
function choose(slot, name) {
  query.set(slot.key, name);
  remember();
  return open(slot, name);
}

function remember() {
  const url = new URL(location.href);
  url.search = query.toString();
  history.replaceState(null, '', url);
}

/** Finds out which models there are and opens those that the URL names, or the first. */
async function start() {
  const [{ pane }] = panes;
  try {
    models = await installed();
  } catch (error) {
    pane.fail('The models cannot be listed.', error.message, start);
    return;
  }
  pane.offer(models);
  $('compare-field').hidden = models.length < 2;
  const name = query.get('model') ?? models[0]?.name;
  if (name === undefined) {
    pane.showNoModel();
    return;
  }
  const other = query.get('compare');
  if (other !== null && models.length > 1) {
    comparing.checked = true;
    open(addPane('compare', '-b'), other);
  }
  await open(panes[0], name);
}

function compare(on) {
  if (on) {
    const other = models.find(({ name }) => name !== panes[0].name);
    choose(addPane('compare', '-b'), other.name);
    return;
  }
  const [{ pane }] = panes.splice(1, 1);
  pane.close();
  pane.root.remove();
  $('panes').classList.remove('two');
  query.delete('compare');
  remember();
}

/** The pictures of the examples that were taken, so that a model need not look at one twice. */
const fetched = new Map();

async function take({ title, text, image, alt }) {
  try {
    if (!fetched.has(image)) {
      const response = await fetch(image);
      if (!response.ok) throw new Error(String(response.status));
      fetched.set(image, new File([await response.blob()], title, { type: response.headers.get('content-type') }));
    }
    await composer.fill(text, fetched.get(image), alt);
    // On a narrow screen the answer is below the fold.
    if (matchMedia('(max-width: 60rem)').matches) $('panes').scrollIntoView();
  } catch {
    composer.complain(`The picture of this example, ${image}, cannot be fetched.`);
  }
}

userNames.checked = remembered('user names') !== 'off';
addPane('model', '');
const composer = new Composer($, {
  announce,
  onInput(changed) {
    input = changed;
    for (const { pane } of panes) pane.update(input);
  },
});
for (const example of EXAMPLES) {
  const picture = element('img', { src: example.image, alt: '', width: 160, height: 100, loading: 'lazy' });
  const button = element('button', { type: 'button' }, picture, element('span', {}, example.title));
  button.onclick = () => take(example);
  $('examples').append(element('li', {}, button));
}
userNames.onchange = () => {
  keepChoice('user names', userNames.checked ? undefined : 'off');
  for (const { pane } of panes) pane.showUserNames(userNames.checked);
};
comparing.onchange = () => compare(comparing.checked);
keepOffline($('notice'));
start();
