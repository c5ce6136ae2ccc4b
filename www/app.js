/** The page: what is composed goes to one pane, or to two that are compared. */
import { CaptionOffer } from './caption-offer.js';
import { Composer } from './composer.js';
import { byId, element } from './dom.js';
import { withoutUserNames } from './evidence.js';
import { EXAMPLES } from './examples.js';
import { copyBy, offerDownloads } from './export.js';
import { KindColumn, tellsKinds } from './kind-column.js';
import { linkTo, textIn } from './link.js';
import { CAPTIONER, OCR, describe, installed } from './models.js';
import { keep, keepOffline } from './offline.js';
import { Pane } from './pane.js';
import { nameOf } from './image.js';
import { ImageTexts } from './image-texts.js';
import { remember as keepChoice, remembered } from './settings.js';
import { Visit } from './visit.js';
import { drawVisit } from './visit-view.js';
import { LANGUAGES, Refusal, prefer, preferred, say, speak, spoken } from './wording.js';

const $ = (id) => document.getElementById(id);
const userNames = byId(HTMLInputElement, 'user-names');
const comparing = byId(HTMLInputElement, 'compare');
const languages = byId(HTMLSelectElement, 'language');
const query = new URLSearchParams(location.search);

/** @type {import('./models.js').Model[]} */
let models = [];
/** @type {import('./composer.js').Input} */
let input = { text: '', images: [], tweet: 0 };
/** @typedef {{pane: Pane, key: string, name?: string}} Slot `key` is the parameter of the URL that names the pane's model */
/** @type {Slot[]} */
const panes = [];
const visit = new Visit();
const visitKinds = new KindColumn($('visit-kind-column'));
/** The text that the address holds, as long as it is the one in the field. */
let linked;

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
      composer.offerSaid(panes.some(({ pane }) => pane.abilities.captions));
      const reads = panes.find(({ pane }) => pane.abilities.captions && pane.abilities.images);
      captions.use(reads?.pane.mner);
      const lists = ['models/index.json', ...models.map(({ url }) => `${url}manifest.json`)];
      if (backend) keep(backend, lists);
      if (slot === panes[0]) texts.use(pane.mner && { mner: pane.mner, model: pane.model });
    },
    onAnswer: (read, recognition, model) => {
      if (slot !== panes[0]) return;
      visit.record(read, recognition, model);
      showVisit();
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
  } catch (refusal) {
    pane.fail('failure.models', refusal, start);
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

/** The images of the examples that were taken, so that a model need not look at one twice. */
const fetched = new Map();

async function take({ name, alt, text, image }) {
  try {
    if (!fetched.has(image)) {
      const response = await fetch(image);
      if (!response.ok) throw new Error(String(response.status));
      fetched.set(image, await response.blob());
    }
    await composer.fill(text, [{ blob: fetched.get(image), described: { name, alt } }]);
    showAnswer();
  } catch {
    composer.complain(new Refusal('example.unfetched', { image }));
  }
}

/** On a narrow screen the answer is below the fold. */
function showAnswer() {
  if (matchMedia('(max-width: 60rem)').matches) $('panes').scrollIntoView();
}

function showExamples() {
  const items = EXAMPLES.map((example) => {
    const image = element('img', { src: example.image, alt: '', width: 160, height: 100, loading: 'lazy' });
    const button = element('button', { type: 'button' }, image, element('span', {}, say(example.name)));
    button.onclick = () => take(example);
    return element('li', {}, button);
  });
  $('examples').replaceChildren(...items);
}

/** An answer of this visit as it is to be shown. */
function wanted({ recognition }) {
  return userNames.checked ? recognition : withoutUserNames(recognition);
}

function showVisit() {
  visitKinds.offer(visit.all.some((read) => tellsKinds(read.recognition)));
  drawVisit({ section: $('visit'), count: $('visit-count'), list: $('visit-list') }, visit.all, wanted, async ({ text, images, ...said }) => {
    await composer.fill(text, images, said);
    $('panes').scrollIntoView({ block: 'nearest' });
    $('tweet').focus({ preventScroll: true });
  });
}

/** Puts the tweet that the address holds into the field. */
function takeLink() {
  try {
    const text = textIn(location.hash);
    if (text === undefined) return;
    linked = text;
    composer.fill(text);
  } catch (refusal) {
    composer.complain(refusal);
  }
}

/** The address says what is in the field, or nothing of it. */
function forgetLink() {
  if (linked === undefined || linked === input.text) return;
  linked = undefined;
  const url = new URL(location.href);
  url.hash = '';
  history.replaceState(null, '', url);
}

async function chooseLanguage() {
  const chosen = /** @type {import('./wording.js').Language} */ (languages.value);
  if (!(await prefer(chosen))) return;
  reword();
  announce(say('language.chosen'));
}

/** Says again what does not say itself again. */
function reword() {
  showExamples();
  showVisit();
  composer.reword();
  texts.reword();
  for (const { pane } of panes) pane.reword();
}

await speak(preferred());
for (const [tag, name] of Object.entries(LANGUAGES)) languages.append(element('option', { value: tag, lang: tag }, name));
languages.value = spoken();
languages.onchange = chooseLanguage;
userNames.checked = remembered('user names') !== 'off';
addPane('model', '');
const texts = new ImageTexts(
  { section: $('written'), title: $('written-title'), list: $('written-list'), template: byId(HTMLTemplateElement, 'image-text') },
  {
    announce,
    onRead: () => keep(panes[0].pane.mner.backend, [`${OCR}manifest.json`]),
    // As with the caption, it is the first image that is told of.
    onText: (image, text) => image === input.images[0] && composer.suggest('written', text.replaceAll('\n', ' ')),
  },
);
texts.showUserNames(userNames.checked);
const captions = new CaptionOffer(
  { offer: $('caption-offer'), button: byId(HTMLButtonElement, 'describe'), note: $('caption-note') },
  {
    onCaption: (caption) => composer.suggest('caption', caption),
    announce,
    onRead: () => keep(panes[0].pane.mner.backend, [`${CAPTIONER}manifest.json`]),
  },
);
const composer = new Composer($, {
  announce,
  beside: (image) => texts.offerFor(image),
  onInput(changed) {
    input = changed;
    texts.keep(input.images);
    captions.keep(input.images);
    for (const { pane } of panes) pane.update(input);
    forgetLink();
    $('copy-link').hidden = !input.text.trim();
  },
});
showExamples();
takeLink();
addEventListener('hashchange', takeLink);
copyBy(
  byId(HTMLButtonElement, 'copy-link'),
  () => linkTo(composer.text),
  (words) => {
    announce(words);
    if (words === say('copy.done') && input.images.length) composer.complain(new Refusal('link.copied'));
  },
  (refusal) => composer.complain(/** @type {Refusal} */ (refusal)),
);
userNames.onchange = () => {
  keepChoice('user names', userNames.checked ? undefined : 'off');
  for (const { pane } of panes) pane.showUserNames(userNames.checked);
  texts.showUserNames(userNames.checked);
  showVisit();
};
comparing.onchange = () => compare(comparing.checked);
offerDownloads({ formats: byId(HTMLSelectElement, 'visit-format'), button: byId(HTMLButtonElement, 'visit-download'), problem: $('visit-problem') }, () => ({
  mner: panes[0].pane.mner,
  name: 'visit',
  list: true,
  kinds: visitKinds.wanted,
  tweets: visit.all.map((read) => ({ text: read.text, recognition: wanted(read), model: read.model.name, images: read.images.map(nameOf) })),
}));
$('visit-clear').onclick = () => {
  visit.clear();
  showVisit();
  announce(say('visit.cleared'));
  $('tweet').focus();
};
keepOffline($('notice'));
start();
