/** The ways files come in, beside the buttons: from the clipboard, and dropped anywhere. */
import { filesIn } from './drag.js';

/**
 * Takes files and images that are pasted, or dropped anywhere. What is neither goes into a field, as text, and nowhere else:
 * there the browser would open it in place of the page.
 *
 * @param {(files: Promise<File[]>) => void} take is told of a drop before its files are there
 */
export function takeIn(take) {
  // Text that comes with an image (office programs do that) wins, unless it is but the files' names (file managers do that).
  document.addEventListener('paste', (event) => {
    const { files } = event.clipboardData;
    const text = event.clipboardData.getData('text/plain');
    if (!files.length || (text && !names(text, files))) return;
    event.preventDefault();
    take(Promise.resolve([...files]));
  });
  let inside = 0;
  const brings = ({ dataTransfer }) => dataTransfer.types.includes('Files');
  const ours = (event) => brings(event) || !fieldOf(event.target);
  const show = () => document.body.classList.toggle('dropping', inside > 0);
  document.addEventListener('dragenter', (event) => {
    if (ours(event)) event.preventDefault();
    if (!brings(event)) return;
    inside++;
    show();
  });
  document.addEventListener('dragover', (event) => {
    if (!ours(event)) return;
    event.preventDefault();
    const useful = ['Files', 'text/uri-list', 'text/html'].some((type) => event.dataTransfer.types.includes(type));
    event.dataTransfer.dropEffect = useful ? 'copy' : 'none';
  });
  document.addEventListener('dragleave', (event) => {
    if (!brings(event)) return;
    inside = Math.max(0, inside - 1);
    show();
  });
  document.addEventListener('drop', (event) => {
    inside = 0;
    show();
    if (!ours(event)) return;
    event.preventDefault();
    take(filesIn(event.dataTransfer));
  });
}

/** Whether a text is a line for each file, its name or where it lies. */
function names(text, files) {
  const lines = text.split(/[\r\n]+/).filter(Boolean);
  const last = (line) => line.split(/[\\/]/).at(-1);
  return lines.length === files.length && [...files].every(({ name }, i) => name && [name, encodeURIComponent(name)].includes(last(lines[i])));
}

/** The field for text that a node is in. */
function fieldOf(node) {
  const place = node instanceof Element ? node : node.parentElement;
  return place?.closest('textarea, input[type=text]');
}
