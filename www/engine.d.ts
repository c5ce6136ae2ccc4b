/** What the page needs of its engine, the module that the build puts into pkg/cpu and pkg/gpu. */
import type { Annotated, Caption, ImageText, Loops, Recognition, Writing } from './answers.d.ts';

export type * from './answers.d.ts';

/** Called with how much of the text is read; an engine need not call it. A promise is waited for, and one of false ends the reading. */
export type OnRead = (done: number, total: number) => void | Promise<boolean>;

export interface FileBuffer {
  write(offset: number, chunk: Uint8Array): void;
  free(): void;
}

export interface EncodedImage {
  note?: string;
  free(): void;
}

export interface Recognizer {
  /** On the CPU, of models whose weights stay quantised: how finely the inputs of the linear layers are rounded. */
  precision?: 'fine' | 'coarse';
  /** Loads what encodes images, where the model was loaded without. */
  loadVision(eyes: FileBuffer): void | Promise<void>;
  check(tolerance: number): Promise<void>;
  warmUp(): Promise<void>;
  encodeImage(file: Blob | Uint8Array): Promise<EncodedImage>;
  recognize(text: string, caption?: string, written?: string, onRead?: OnRead): Promise<Recognition>;
  recognizeWith(text: string, image: EncodedImage, caption?: string, written?: string, onRead?: OnRead): Promise<Recognition>;
}

/** A reader of the text in images. */
export interface Ocr {
  read(file: Blob | Uint8Array): Promise<ImageText>;
  free(): void;
}

/** Says what images show. */
export interface Captioner {
  describe(image: EncodedImage): Promise<Caption | undefined>;
  free(): void;
}

/** The module itself. */
export interface Engine {
  /** Of the CPU's engine, before a model is loaded. */
  chooseLoops?(wanted?: string): Loops;
  default(given: { module_or_path: Uint8Array }): Promise<{ memory?: WebAssembly.Memory }>;
  lastPanic(): string | undefined;
  checkImageSize(bytes: number): void;
  annotations(format: string, documents: Annotated[]): Writing;
  Ocr: { load(manifest: Uint8Array, weights: FileBuffer): Promise<Ocr> };
  Captioner: { load(manifest: Uint8Array, weights: FileBuffer): Promise<Captioner> };
  FileBuffer: new (bytes: number) => FileBuffer;
  Recognizer: {
    load(
      manifest: Uint8Array,
      weights: FileBuffer,
      tokenizer: FileBuffer,
      eyes?: FileBuffer,
      augmentation?: FileBuffer,
    ): Promise<Recognizer>;
  };
}
