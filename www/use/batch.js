/** A CSV or JSONL file in, JSONL with the entities of every record out, all in the tab; after a reload it goes on. */
import { Recognizer } from '../mner.js';
import * as jobs from './job.js';
import { rows } from './records.js';

const $ = (id) => document.getElementById(id);
/** Answers that are kept together, and how long they may wait for it. */
const [TOGETHER, SECOND] = [50, 1000];
/** What a column of tweets is often called. */
const USUAL = ['text', 'full_text', 'tweet', 'content', 'body', 'message'];
/** @type {jobs.Job | undefined} */
let job;
/** @type {Promise<Recognizer> | undefined} */
let loading;
/** @type {AbortController | undefined} there while it works */
let work;
/** Settles when it has stopped. */
let stopped = Promise.resolve();

/** A record's JSON with the answer behind its own members, as `mner predict --input` writes it. */
function answered({ line, record, json }, members, error) {
  if (!record) return `${JSON.stringify({ line, error })}\n`;
  let prefix = '';
  while (Object.keys(members).some((name) => Object.hasOwn(record, prefix + name))) prefix += 'mner_';
  const named = Object.entries(members).map(([name, value]) => [prefix + name, value]);
  const behind = JSON.stringify(Object.fromEntries(named)).slice(1);
  return `${json.slice(0, -1)}${Object.keys(record).length ? ',' : ''}${behind}\n`;
}

/** What is still to be read of a job's file. */
async function* tweets({ file, column, done }) {
  let count = 0;
  for await (const row of rows(file)) {
    if (count++ < done) continue;
    const text = row.record?.[column];
    const wrong = row.error ?? (typeof text === 'string' ? undefined : `line ${row.line} has no text in “${column}”`);
    yield { text: wrong ? '' : /** @type {string} */ (text), row, wrong };
  }
}

async function run(mner, signal) {
  let lines = [];
  let since = Date.now();
  const [from, begun] = [job.done, Date.now()];
  let done = from;
  const put = async () => {
    if (!lines.length) return;
    const added = lines;
    [lines, since] = [[], Date.now()];
    job = { ...job, done };
    await jobs.add(job, added);
  };
  try {
    for await (const { input, entities, error } of mner.recognizeAll(tweets(job), { signal })) {
      signal.throwIfAborted();
      const wrong = input.wrong ?? error?.message;
      lines.push(answered(input.row, wrong ? { line: input.row.line, error: wrong } : { entities }, wrong));
      done++;
      draw(done, (done - from) / (Date.now() - begun));
      show(input, entities, wrong);
      if (lines.length >= TOGETHER || Date.now() - since >= SECOND) await put();
    }
  } finally {
    await put();
  }
}

/** Works until the end or until it is stopped. Of several tabs, one does. */
async function go() {
  work = new AbortController();
  const { signal } = work;
  tell('failure', '');
  job = { ...job, running: true, column: select().value };
  draw(job.done);
  try {
    await alone(async () => {
      const kept = await jobs.kept();
      if (kept?.begun !== job.begun) throw new Error('Another tab has begun with another file. Reload this page.');
      job = { ...job, done: kept.done };
      await jobs.keep(job);
      await run(await whileNot(signal, recognizer()), signal);
      job = { ...job, running: false };
      await jobs.keep(job);
    });
  } catch (error) {
    if (!signal.aborted) tell('failure', error.message);
  }
  work = undefined;
  draw(job.done);
}

/** Does `task` unless another tab is at it. */
async function alone(task) {
  // Pages that came over http have no locks.
  if (!navigator.locks) return task();
  return navigator.locks.request('mner-batch', { ifAvailable: true }, (lock) => {
    if (!lock) throw new Error('Another tab is working on this file. Go on there, or close it.');
    return task();
  });
}

function whileNot(signal, promise) {
  const ended = new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason)));
  return Promise.race([promise, ended]);
}

/** Ends the work, when what is done is kept. */
async function stop() {
  work?.abort();
  await stopped;
}

function recognizer() {
  loading ??= (async () => {
    const [model] = await (await fetch('../models/index.json')).json();
    if (!model) throw new Error('No model is installed in models/.');
    return Recognizer.load(model, {
      models: '../models/',
      onProgress: ({ loaded, total }) => tell('state', `Loading the model: ${(loaded / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`),
    });
  })();
  loading.then(() => tell('state', ''), () => (loading = undefined));
  return loading;
}

async function take(file) {
  $('problem').hidden = true;
  try {
    let first;
    let total = 0;
    for await (const { record } of rows(file)) {
      first ??= record;
      total++;
    }
    const columns = Object.keys(first ?? {}).filter((name) => typeof first[name] === 'string');
    if (!columns.length) throw new Error(`${file.name} has no record with a text in it.`);
    const longest = columns.toSorted((a, b) => String(first[b]).length - String(first[a]).length)[0];
    const column = USUAL.find((name) => columns.includes(name)) ?? longest;
    job = { file, column, total, done: 0, running: false, begun: Date.now() };
    await jobs.discard();
    await jobs.keep(job);
    await open();
  } catch (error) {
    tell('problem', error.message);
  }
}

/** Shows the job that there is. */
async function open() {
  $('start').hidden = Boolean(job);
  $('job').hidden = !job;
  $('latest').hidden = true;
  if (!job) return;
  $('answers').replaceChildren();
  $('name').textContent = job.file.name;
  const names = new Set([job.column]);
  for await (const { record } of rows(job.file)) {
    for (const name of Object.keys(record ?? {})) if (typeof record[name] === 'string') names.add(name);
    break;
  }
  select().replaceChildren(...[...names].sort().map((name) => new Option(name, name, false, name === job.column)));
  draw(job.done);
}

function draw(done, speed = 0) {
  const { total } = job;
  const finished = done === total;
  Object.assign($('progress'), { max: Math.max(total, 1), value: done });
  $('done').textContent = `${done.toLocaleString()} of ${total.toLocaleString()} tweets`;
  const seconds = speed && Math.ceil((total - done) / speed / 1000);
  $('left').textContent = work && seconds ? `${duration(seconds)} left` : finished ? 'all of it is done' : '';
  $('go').textContent = work ? 'Pause' : done ? 'Go on' : 'Start';
  $('go').hidden = finished;
  $('save').toggleAttribute('disabled', !done);
  $('save').classList.toggle('strong', finished);
  $('go').classList.toggle('strong', !finished);
  // The answers would be of two columns.
  select().disabled = Boolean(work) || done > 0;
}

function duration(seconds) {
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** The answer on top of the last few. */
function show({ text }, entities = [], wrong) {
  const item = document.createElement('li');
  item.dir = 'auto';
  let end = 0;
  for (const { type, utf16, text: name } of entities) {
    const mark = Object.assign(document.createElement('mark'), { className: `name ${type}`, textContent: name });
    mark.dataset.label = type;
    item.append(text.slice(end, utf16[0]), mark);
    end = utf16[1];
  }
  item.append(wrong ?? text.slice(end));
  item.classList.toggle('wrong', Boolean(wrong));
  $('answers').prepend(item);
  while ($('answers').childElementCount > 6) $('answers').lastElementChild.remove();
  $('latest').hidden = false;
}

function select() {
  return /** @type {HTMLSelectElement} */ ($('column'));
}

function tell(id, words) {
  $(id).textContent = words;
  $(id).hidden = !words;
}

async function pause() {
  await stop();
  job = { ...job, running: false };
  await jobs.keep(job);
}

$('go').onclick = () => (work ? pause() : (stopped = go()));
$('save').onclick = async () => {
  const url = URL.createObjectURL(await jobs.answers());
  const download = job.file.name.replace(/\.[^.]*$/, '') + '.entities.jsonl';
  Object.assign(document.createElement('a'), { href: url, download }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};
$('discard').onclick = async () => {
  await stop();
  job = undefined;
  await jobs.discard();
  await open();
};
const file = /** @type {HTMLInputElement} */ ($('file'));
$('choose').onclick = () => file.click();
file.onchange = () => file.files[0] && take(file.files[0]);
addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.toggle('dropping', !job);
});
addEventListener('dragleave', (event) => event.relatedTarget || document.body.classList.remove('dropping'));
addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  const [dropped] = event.dataTransfer.files;
  if (dropped && !job) take(dropped);
});

try {
  job = await jobs.kept();
  await open();
  if (job?.running && job.done < job.total) await (stopped = go());
} catch (error) {
  $('start').hidden = false;
  tell('problem', error.message);
}
