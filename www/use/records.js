/** The records of a CSV or JSONL file one by one, however long it is. A line that is none has an `error`. */

/**
 * @typedef {object} Row
 * @property {number} line of the file, from 1; where a record has several, the last
 * @property {Record<string, unknown>} [record]
 * @property {string} [json] the record as JSON, JSONL's as it stands there
 * @property {string} [error]
 */

/**
 * @param {File} file
 * @returns {AsyncGenerator<Row, void, undefined>}
 */
export async function* rows(file) {
  if (await isJson(file)) yield* jsonLines(file);
  else yield* csvRows(file);
}

async function isJson(file) {
  if (/\.(jsonl|ndjson|json)$/i.test(file.name)) return true;
  return !/\.(csv|tsv)$/i.test(file.name) && (await file.slice(0, 1000).text()).trimStart().startsWith('{');
}

/** The text of a file, piece by piece. */
async function* texts(file) {
  const reader = file.stream().pipeThrough(new TextDecoderStream('utf-8', { fatal: true })).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error) => {
        throw new Error(error instanceof TypeError ? `${file.name} is not in UTF-8. Save it as UTF-8 and choose it again.` : error.message);
      });
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function* jsonLines(file) {
  let rest = '';
  let line = 0;
  for await (const text of texts(file)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const json of lines) yield* jsonLine(json, ++line);
  }
  yield* jsonLine(rest, line + 1);
}

function* jsonLine(given, line) {
  const json = given.trim();
  if (!json) return;
  let record;
  try {
    record = JSON.parse(json);
  } catch (error) {
    yield { line, error: `line ${line} is no JSON: ${error.message}` };
    return;
  }
  const isObject = typeof record === 'object' && record !== null && !Array.isArray(record);
  yield isObject ? { line, record, json } : { line, error: `line ${line} is no object: write one a line, as {"text": "…"}` };
}

async function* csvRows(file) {
  const [first] = (await file.slice(0, 10_000).text()).split(/[\r\n]/);
  // What separates the titles separates everything.
  const separator = [',', ';', '\t'].sort((a, b) => first.split(b).length - first.split(a).length)[0];
  let titles;
  for await (const { cells, line } of cellsOf(file, separator)) {
    if (!titles) {
      titles = unlike(cells);
      continue;
    }
    const record = Object.fromEntries(cells.map((cell, i) => [titles[i] ?? `column_${i + 1}`, cell]));
    yield { line, record, json: JSON.stringify(record) };
  }
}

/** Titles of which each is another. */
function unlike(cells) {
  const taken = new Set();
  return cells.map((cell, i) => {
    let title = cell.trim() || `column_${i + 1}`;
    while (taken.has(title)) title += '_';
    taken.add(title);
    return title;
  });
}

/** RFC 4180: cells in quotes may hold separators, line ends and quotes written twice. */
async function* cellsOf(file, separator) {
  let cells = [];
  let cell = '';
  let line = 1;
  // In a quoted cell; behind a quote in one, which ends it unless another follows.
  let [quoted, ended, returned] = [false, false, false];
  for await (const text of texts(file)) {
    for (let char of text) {
      // Old spreadsheets end lines with a carriage return alone.
      const behind = returned && char === '\n';
      returned = char === '\r';
      if ((char === '\n' && !behind) || returned) line++;
      const inside = quoted && !ended;
      if (behind && !inside) continue;
      if (returned && !inside) char = '\n';
      if (inside && char !== '"') cell += char;
      else if (inside) ended = true;
      else if (quoted && char === '"') [cell, ended] = [`${cell}"`, false];
      else if (char === '"' && !cell) quoted = true;
      else if (char === separator || char === '\n') {
        cells.push(cell);
        [cell, quoted, ended] = ['', false, false];
        if (char === separator) continue;
        if (cells.length > 1 || cells[0]) yield { cells, line: line - 1 };
        cells = [];
      } else cell += char;
    }
  }
  if (quoted && !ended) throw new Error(`${file.name} ends within a quoted cell. A quote is not closed.`);
  cells.push(cell);
  if (cells.length > 1 || cells[0]) yield { cells, line };
}
