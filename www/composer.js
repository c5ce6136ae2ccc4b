/** What a person puts in: a tweet, a picture and perhaps a caption. */
import { pictureIn } from './drag.js';
import { LIMITS, formatOf, headOf, refusal, upright } from './picture-file.js';

const PAUSE = 120;

/**
 * @typedef {{blob: Blob, url: string, alt: string, width: number, height: number}} Picture `url` shows it as the engine sees it
 * @typedef {{text: string, picture?: Picture, caption?: string}} Input
 */
export class Composer {
  #$;
  #onInput;
  #announce;
  #typing;
  #picture;
  /** @type {Input} what was told last */
  #told;
  /** Counts the pictures given, so that one that loads slowly cannot overtake the next. */
  #given = 0;

  /**
   * @param {(id: string) => HTMLElement} $
   * @param {{onInput: (input: Input) => void, announce: (words: string) => void}} options
   */
  constructor($, { onInput, announce }) {
    this.#$ = $;
    this.#onInput = onInput;
    this.#announce = announce;
    for (const id of ['tweet', 'caption']) $(id).addEventListener('input', () => this.#soon());
    $('choose').onclick = () => $('file').click();
    $('file').onchange = ({ target }) => {
      if (target.files[0]) this.takePicture(target.files[0]);
      // So that choosing the same file again is a change.
      target.value = '';
    };
    $('remove').onclick = () => {
      this.removePicture();
      $('choose').focus();
    };
    document.addEventListener('paste', (event) => this.#paste(event));
    this.#acceptDrops();
    // What the browser has kept from before a reload.
    this.#now();
  }

  /** Shows the field for a caption, or hides it. */
  offerCaption(offered) {
    if (this.#$('caption-field').hidden !== offered) return;
    this.#$('caption-field').hidden = !offered;
    this.#now();
  }

  /** Replaces text and picture, and takes the caption away. */
  async fill(text, file, alt) {
    this.#$('tweet').value = text;
    this.#$('caption').value = '';
    await this.takePicture(file, alt);
    // Where the picture was refused, the text is new all the same.
    this.#now();
  }

  /** Attaches a picture once the browser can show it, and says why where it cannot. */
  async takePicture(blob, alt) {
    const turn = ++this.#given;
    const name = blob.name || 'The picture';
    let image;
    let problem;
    try {
      image = await shown(blob);
      // Loaded is not decoded: a picture that is too large costs nothing yet.
      if (image.width * image.height > LIMITS.pixels) {
        const size = `${image.width} × ${image.height} pixels`;
        problem = `${name} has ${size}, and at most ${LIMITS.pixels / 1e6} million pixels are read. Save it smaller.`;
      } else {
        const turned = await upright(blob);
        if (turned) {
          URL.revokeObjectURL(image.url);
          image = await shown(turned);
        }
      }
    } catch {
      problem = `${name} ${refusal(await headOf(blob).then(formatOf, () => undefined))}`;
    }
    if (problem || turn !== this.#given) {
      if (image) URL.revokeObjectURL(image.url);
      if (turn === this.#given) this.complain(problem);
      return;
    }
    const { url, width, height } = image;
    this.#drop();
    this.#picture = { blob, url, alt: alt ?? name, width, height };
    this.complain(undefined);
    this.#$('preview').src = url;
    this.#$('picture-name').textContent = name;
    this.#$('picture-size').textContent = `${width} × ${height}`;
    this.#$('picture').hidden = false;
    this.#$('choose').textContent = 'Change the picture';
    this.#announce('Picture added.');
    this.#now();
  }

  removePicture() {
    this.#given++;
    this.complain(undefined);
    if (this.#picture) this.#announce('Picture removed.');
    this.#drop();
    this.#$('picture').hidden = true;
    this.#$('choose').textContent = 'Add a picture';
    this.#now();
  }

  #drop() {
    if (this.#picture) URL.revokeObjectURL(this.#picture.url);
    this.#picture = undefined;
    this.#$('preview').removeAttribute('src');
  }

  /** Says what is wrong with the picture, or that nothing is. */
  complain(problem) {
    this.#$('picture-problem').textContent = problem ?? '';
    this.#$('picture-problem').hidden = !problem;
  }

  #soon() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#now(), PAUSE);
  }

  #now() {
    clearTimeout(this.#typing);
    const text = this.#$('tweet').value;
    const picture = this.#picture;
    const caption = this.#$('caption-field').hidden ? undefined : this.#$('caption').value.trim() || undefined;
    const told = this.#told;
    if (told && text === told.text && picture === told.picture && caption === told.caption) return;
    this.#told = { text, picture, caption };
    this.#onInput(this.#told);
  }

  /** Takes a picture from the clipboard. Text that comes with one (office programs do that) wins. */
  #paste(event) {
    const { files, types } = event.clipboardData;
    if (!files.length || types.includes('text/plain')) return;
    event.preventDefault();
    this.takePicture(files[0]);
  }

  /**
   * Takes files and pictures that are dropped anywhere. What is neither goes into a field, as text, and nowhere else: there
   * the browser would open it in place of the page.
   */
  #acceptDrops() {
    let inside = 0;
    const files = ({ dataTransfer }) => dataTransfer.types.includes('Files');
    const ours = (event) => files(event) || !fieldOf(event.target);
    const show = () => document.body.classList.toggle('dropping', inside > 0);
    document.addEventListener('dragenter', (event) => {
      if (ours(event)) event.preventDefault();
      if (!files(event)) return;
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
      if (!files(event)) return;
      inside = Math.max(0, inside - 1);
      show();
    });
    document.addEventListener('drop', (event) => {
      inside = 0;
      show();
      if (!ours(event)) return;
      event.preventDefault();
      const turn = ++this.#given;
      pictureIn(event.dataTransfer).then(
        (file) => turn === this.#given && file && this.takePicture(file),
        (error) => turn === this.#given && this.complain(error.message),
      );
    });
  }
}

/** The field for text that a node is in. */
function fieldOf(node) {
  const place = node instanceof Element ? node : node.parentElement;
  return place?.closest('textarea, input[type=text]');
}

/** A picture's URL and its size as the browser shows it; fails where it cannot. */
function shown(blob) {
  const url = URL.createObjectURL(blob);
  const image = new Image();
  return new Promise((done, failed) => {
    image.onload = () => done({ url, width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => {
      URL.revokeObjectURL(url);
      failed(new Error('no picture'));
    };
    image.src = url;
  });
}
