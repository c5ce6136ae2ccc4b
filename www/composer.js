/** What a person puts in: a tweet, a picture and perhaps a caption. */
const PAUSE = 120;
/** What this page will paint; the engine reads no larger pictures either. */
const MOST_PIXELS = 64_000_000;

/**
 * @typedef {{blob: Blob, url: string, alt: string, width: number, height: number}} Picture `url` shows it
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
    const name = blob.name ?? 'The picture';
    const url = URL.createObjectURL(blob);
    const image = new Image();
    image.src = url;
    // Loaded is not decoded: a picture that is too large costs nothing yet.
    const problem = await new Promise((done) => {
      image.onerror = () => done(`${name} is not a picture this page can read. Choose a JPEG, PNG, WebP or GIF file.`);
      image.onload = () => {
        const pixels = image.naturalWidth * image.naturalHeight;
        const size = `${image.naturalWidth} × ${image.naturalHeight} pixels`;
        done(pixels > MOST_PIXELS ? `${name} has ${size}, and at most 64 million pixels are read. Save it smaller.` : undefined);
      };
    });
    if (problem || turn !== this.#given) {
      URL.revokeObjectURL(url);
      if (turn === this.#given) this.complain(problem);
      return;
    }
    this.#drop();
    this.#picture = { blob, url, alt: alt ?? name, width: image.naturalWidth, height: image.naturalHeight };
    this.complain(undefined);
    this.#$('preview').src = url;
    this.#$('picture-name').textContent = name;
    this.#$('picture-size').textContent = `${image.naturalWidth} × ${image.naturalHeight}`;
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

  #acceptDrops() {
    let inside = 0;
    const over = (event) => event.dataTransfer.types.includes('Files');
    const show = () => document.body.classList.toggle('dropping', inside > 0);
    document.addEventListener('dragenter', (event) => {
      if (!over(event)) return;
      event.preventDefault();
      inside++;
      show();
    });
    document.addEventListener('dragover', (event) => {
      if (over(event)) event.preventDefault();
    });
    document.addEventListener('dragleave', (event) => {
      if (!over(event)) return;
      inside = Math.max(0, inside - 1);
      show();
    });
    document.addEventListener('drop', (event) => {
      if (!over(event)) return;
      event.preventDefault();
      inside = 0;
      show();
      if (event.dataTransfer.files[0]) this.takePicture(event.dataTransfer.files[0]);
    });
  }
}
