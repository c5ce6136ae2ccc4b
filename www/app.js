/** The page: what is composed goes to one pane, or to two that are compared. */
import { Composer } from './composer.js';
import { element } from './dom.js';
import { EXAMPLES } from './examples.js';
import { describe, installed } from './models.js';
import { keep, keepOffline } from './offline.js';
import { Pane } from './pane.js';
import { remember as keepChoice, remembered } from './settings.js';

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);

let models = [];
let input = { text: '' };
/** @type {{pane: Pane, key: string, name?: string}[]} `key` is the parameter of the URL that names the pane's model */
const panes = [];

function announce(words) {
  $('live').textContent = words;
}

function addPane(key, suffix) {
  const slot = { key };
  slot.pane = new Pane($('pane'), {
    suffix,
    backend: query.get('backend') ?? 'auto',
    announce,
    onChoose: (name) => choose(slot, name),
    onReady: (backend) => {
      composer.offerCaption(panes.some(({ pane }) => pane.abilities.captions));
      const lists = ['models/index.json', ...models.map(({ url }) => `${url}manifest.json`)];
      if (backend) keep(backend, lists);
    },
  });
  slot.pane.offer(models);
  slot.pane.showUserNames($('user-names').checked);
  slot.pane.update(input);
  panes.push(slot);
  $('panes').append(slot.pane.root);
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
  url.search = query;
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
    $('compare').checked = true;
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

$('user-names').checked = remembered('user names') !== 'off';
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
$('user-names').onchange = ({ target }) => {
  keepChoice('user names', target.checked ? undefined : 'off');
  for (const { pane } of panes) pane.showUserNames(target.checked);
};
$('compare').onchange = ({ target }) => compare(target.checked);
keepOffline($('notice'));
start();
