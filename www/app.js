/** The page: what is typed goes to the recogniser, what it says is drawn. */
import { Recognizer } from './mner.js';
import { EXAMPLES } from './examples.js';
import { toConll, toJson } from './notation.js';
import { drawList, drawTweet, openEntry, sentence } from './view.js';

const PAUSE = 120;
const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);

let mner;
let loading;
/** The answer on screen: {text, recognition}. */
let shown;
let typing;
let busy = false;

/** Shows one of the states of the answer card. */
function state(name) {
  for (const id of ['loading', 'no-model', 'failure', 'empty', 'answer']) $(id).hidden = id !== name;
}

function say(words) {
  $('live').textContent = words;
}

function fail(title, error, retry) {
  $('failure-title').textContent = title;
  $('failure-text').textContent = error.message;
  $('retry').onclick = retry;
  state('failure');
}

/** Finds out which model to use, loads it and answers what has been typed meanwhile. */
async function start() {
  loading = new AbortController();
  state('loading');
  progress({ loaded: 0, total: 0 });
  try {
    const model = query.get('model') ?? (await installed())[0];
    if (model === undefined) {
      state('no-model');
      say('No model is installed here yet.');
      return;
    }
    mner = await Recognizer.load(`models/${encodeURIComponent(model)}/`, {
      backend: query.get('backend') ?? 'auto',
      onProgress: progress,
      signal: loading.signal,
    });
    $('model').textContent = `Model: ${model}. Computed on the ${mner.backend.toUpperCase()}.`;
    say('The model is ready.');
    await answer();
  } catch (error) {
    if (error.name === 'AbortError') fail('Stopped.', { message: 'The model was not fetched.' }, start);
    else fail('The model could not be loaded.', error, start);
  }
}

/** The names of the models that this site has. */
async function installed() {
  const response = await fetch('models/index.json', { cache: 'no-cache' }).catch(() => ({ ok: false }));
  if (!response.ok) throw new Error('The list of models, models/index.json, cannot be reached. Check the connection and try again.');
  return response.json();
}

function progress({ loaded, total }) {
  const bar = $('progress');
  // Without a total yet, or with all bytes here and the model starting, the bar shows that something goes on.
  if (total && loaded < total) bar.value = loaded / total;
  else bar.removeAttribute('value');
  $('bytes').textContent = total ? `${megabytes(loaded)} of ${megabytes(total)} MB` : '';
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

/** Brings the answer up to date with the text area; text that changes meanwhile is answered next. */
async function answer() {
  if (!mner || busy) return;
  busy = true;
  try {
    for (let text = $('tweet').value; text !== shown?.text; text = $('tweet').value) {
      if (!text.trim()) {
        shown = { text, recognition: { entities: [] } };
        state('empty');
        continue;
      }
      $('answer').ariaBusy = 'true';
      const from = performance.now();
      const recognition = await mner.recognize({ text });
      draw(text, recognition, performance.now() - from);
    }
    if (!$('failure').hidden) state(shown.text.trim() ? 'answer' : 'empty');
  } catch (error) {
    fail('This tweet could not be read.', error, () => answer());
    shown = undefined;
  } finally {
    $('answer').ariaBusy = 'false';
    busy = false;
  }
}

function draw(text, recognition, milliseconds) {
  shown = { text, recognition };
  const { entities } = recognition;
  drawTweet($('marked'), text, entities);
  drawList($('names'), text, entities);
  $('none').hidden = entities.length > 0;
  $('names').hidden = !entities.length;
  $('timing').textContent = `${Math.max(1, Math.round(milliseconds))} ms`;
  state('answer');
  say(sentence(text, entities));
}

/** Copies, and says so on the button; where the clipboard is closed to pages, says that instead. */
async function copy(button, text) {
  const label = button.textContent;
  const note = await navigator.clipboard.writeText(text).then(
    () => 'Copied',
    () => 'Not allowed',
  );
  button.textContent = note;
  button.disabled = true;
  say(note);
  setTimeout(() => {
    button.textContent = label;
    button.disabled = false;
  }, 1200);
}

for (const { title, text } of EXAMPLES) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = title;
  button.onclick = () => {
    $('tweet').value = text;
    answer();
  };
  document.querySelector('.examples').append(button);
}

$('tweet').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(answer, PAUSE);
});
$('marked').addEventListener('click', (event) => {
  const link = event.target.closest('a');
  if (!link) return;
  event.preventDefault();
  openEntry($('names'), Number(link.hash.slice('#name-'.length)));
});
$('cancel').onclick = () => loading.abort();
$('copy-json').onclick = () => copy($('copy-json'), toJson(shown.text, shown.recognition));
$('copy-conll').onclick = () => copy($('copy-conll'), toConll(shown.text, shown.recognition));

start();
