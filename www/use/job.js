/** One job, kept by the browser: a file, how far it is read, and the lines of its answers. */

/**
 * @typedef {object} Job
 * @property {File} file
 * @property {string} column
 * @property {number} total records in the file
 * @property {number} done of which are answered
 * @property {boolean} running whether it goes on by itself after a reload
 * @property {number} begun when, in milliseconds: no two jobs have the same
 */

/** @type {Promise<IDBDatabase>} */
let opening;

function database() {
  opening ??= new Promise((done, failed) => {
    const refuse = ({ message }) => failed(new Error(`This browser keeps nothing for this page, so a file cannot be worked on: ${message}`));
    try {
      const request = indexedDB.open('mner-batch', 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore('job');
        request.result.createObjectStore('answers');
      };
      request.onsuccess = () => done(request.result);
      request.onerror = () => refuse(request.error);
    } catch (error) {
      refuse(error);
    }
  });
  return opening;
}

/** Does `work` with both stores at once: all of it is kept, or nothing. */
async function within(mode, work) {
  const transaction = (await database()).transaction(['job', 'answers'], mode);
  const request = work(transaction.objectStore('job'), transaction.objectStore('answers'));
  await new Promise((done, failed) => {
    transaction.oncomplete = () => done(undefined);
    transaction.onerror = transaction.onabort = () =>
      failed(new Error(`This browser did not keep the answers: ${transaction.error?.message ?? 'it has no room'}`));
  });
  return request?.result;
}

/** @returns {Promise<Job | undefined>} */
export const kept = () => within('readonly', (jobs) => jobs.get('job'));

/** @param {Job} job */
export const keep = (job) => within('readwrite', (jobs) => jobs.put(job, 'job'));

/** Keeps how far a job is together with the lines that were added since. @param {Job} job */
export function add(job, lines) {
  return within('readwrite', (jobs, answers) => {
    answers.put(lines.join(''), job.done);
    return jobs.put(job, 'job');
  });
}

/** All lines, as a file. */
export async function answers() {
  return new Blob(await within('readonly', (_, answers) => answers.getAll()), { type: 'application/jsonl' });
}

export const discard = () =>
  within('readwrite', (jobs, answers) => {
    answers.clear();
    return jobs.clear();
  });
