/** Replaces a text's names before it goes anywhere, keeps which is which, and undoes it in the answer. */
import { Recognizer } from '../mner.js';

/**
 * The text with a placeholder for each name, and the names by their placeholders. A name that was found once is replaced wherever
 * it stands.
 */
export function redact(text, entities, more = []) {
  const placeholders = new Map();
  const counts = {};
  const name = (type, words) => {
    while (!placeholders.has(words)) {
      counts[type] = (counts[type] ?? 0) + 1;
      const placeholder = `[${type}-${counts[type]}]`;
      // One that the text has itself would come back as a name.
      if (!text.includes(placeholder)) placeholders.set(words, placeholder);
    }
    return placeholders.get(words);
  };
  for (const { type, utf16 } of entities) name(type, text.slice(...utf16));
  for (const words of more) name('NAME', words);
  // The longest first: one name may stand in another.
  const literal = (words) => words.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const all = [...placeholders.keys()].sort((a, b) => b.length - a.length).map(literal);
  const anywhere = all.length && new RegExp(`(?<![\\p{L}\\p{N}])(?:${all.join('|')})(?![\\p{L}\\p{N}])`, 'gu');
  const between = (part) => (anywhere ? part.replace(anywhere, (words) => placeholders.get(words)) : part);
  let redacted = '';
  let end = 0;
  for (const { type, utf16 } of entities) {
    redacted += between(text.slice(end, utf16[0])) + name(type, text.slice(...utf16));
    end = utf16[1];
  }
  redacted += between(text.slice(end));
  return { redacted, names: new Map([...placeholders].map(([words, placeholder]) => [placeholder, words])) };
}

/** The answer with the names in the place of their placeholders; unknown ones stay. */
export function restore(answer, names) {
  return answer.replace(/\[[A-Z]+-\d+\]/g, (placeholder) => names.get(placeholder) ?? placeholder);
}

// What follows is the page.
const $ = (id) => document.getElementById(id);
const area = (id) => /** @type {HTMLTextAreaElement} */ ($(id));
/** The text as it was read last, and what was found in it. */
let text = '';
let entities = [];
/** The names by their placeholders. */
let names = new Map();
/** What the user has added, and what the user wants to stay. */
const added = new Set();
const kept = new Set();

function draw() {
  const found = entities.map((entity) => ({ ...entity, words: text.slice(...entity.utf16) }));
  const more = [...added].filter((words) => text.includes(words));
  const result = redact(text, found.filter(({ words }) => !kept.has(words)), more);
  names = result.names;
  show($('leaving'), result.redacted, (placeholder) => placeholder);
  const stay = new Set(found.map(({ words }) => words).filter((words) => kept.has(words)));
  $('names').replaceChildren(
    ...[...names].map(([placeholder, words]) => row(placeholder, words)),
    ...[...stay].map((words) => row('stays', words)),
  );
  $('nothing').hidden = $('names').childElementCount > 0;
  show($('restored'), area('answer').value, (placeholder) => names.get(placeholder));
}

/** A text with placeholders, in which the known ones stand out as `words` gives them. */
function show(target, given, words) {
  const parts = given.split(/(\[[A-Z]+-\d+\])/);
  target.replaceChildren(...parts.map((part) => (names.has(part) ? mark(words(part), typeOf(part)) : part)));
}

function mark(words, type) {
  return Object.assign(document.createElement('mark'), { textContent: words, className: `name ${type}` });
}

function typeOf(placeholder) {
  return /[A-Z]+/.exec(placeholder)?.[0] ?? '';
}

/** A name in the list, with a box that says whether it is replaced. */
function row(placeholder, words) {
  const box = Object.assign(document.createElement('input'), { type: 'checkbox', id: `name ${words}`, checked: names.has(placeholder) });
  box.onchange = () => {
    if (!added.delete(words)) kept[box.checked ? 'delete' : 'add'](words);
    draw();
    // Its row is another one now.
    document.getElementById(box.id)?.focus();
  };
  const label = document.createElement('label');
  label.append(box, mark(placeholder, typeOf(placeholder)), words);
  const item = document.createElement('li');
  item.append(label);
  return item;
}

/** @type {AbortController | undefined} */
let latest;
async function read(mner) {
  latest?.abort();
  latest = new AbortController();
  const { signal } = latest;
  const { value } = area('text');
  // What is not read yet does not leave.
  waiting(true);
  try {
    ({ entities } = await mner.recognize({ text: value }, { signal }));
    text = value;
    draw();
    waiting(false);
  } catch (error) {
    if (!signal.aborted) tell(error.message);
  }
}

function waiting(yes) {
  $('leaving').classList.toggle('waiting', yes);
  for (const id of ['copy', 'hide']) $(id).toggleAttribute('disabled', yes || !text);
}

function tell(words) {
  $('state').textContent = words;
}

$('hide').onclick = () => {
  const { value, selectionStart, selectionEnd } = area('text');
  const words = value.slice(selectionStart, selectionEnd).trim();
  if (words) added.add(words);
  else tell('Select a word in your text first: it is then replaced wherever it stands.');
  draw();
};
$('copy').onclick = async () => {
  try {
    await navigator.clipboard.writeText($('leaving').textContent);
    $('copy').textContent = 'Copied';
  } catch {
    $('copy').textContent = 'Not allowed';
  }
  setTimeout(() => ($('copy').textContent = 'Copy'), 2000);
};
area('answer').oninput = draw;
waiting(true);
try {
  const [model] = await (await fetch('../models/index.json')).json();
  if (!model) throw new Error('No model is installed in models/.');
  const mner = await Recognizer.load(model, {
    models: '../models/',
    onProgress: ({ loaded, total }) => tell(`Loading the model: ${(loaded / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`),
  });
  tell('The model is ready. Nothing of what you type leaves this tab.');
  area('text').oninput = () => read(mner);
  await read(mner);
} catch (error) {
  tell(error.message);
}
