/** What an engine answers, and what it writes. The engines' own declarations (web/src/recognizer.rs) are made of this file too. */

/** PER: a person, LOC: a place, ORG: an organisation, MISC: any other name. */
export type EntityType = 'PER' | 'LOC' | 'ORG' | 'MISC';

/** A name found in the text. Spans are [start, end). */
export interface Entity {
  type: EntityType;
  /** The name as it stands in the text; of a user name or hashtag without its `@` or `#`. */
  text: string;
  /** UTF-16 code units: `tweet.slice(...entity.utf16)` is the name. */
  utf16: [number, number];
  /** Unicode scalar values, as Python counts. */
  chars: [number, number];
  /** Bytes of the UTF-8 text, as Rust counts. */
  bytes: [number, number];
  /** Probability of exactly this span and type, 0 to 1. */
  confidence: number;
  /** The likeliest other type of the same span. */
  runner_up: { type: EntityType; probability: number };
  /** How likely the image shows what the name names, 0 to 1; absent without an image, or where the model does not say. */
  seen?: number;
  /** Where the name's words attended to in the image; absent where nothing says so. */
  evidence?: EntityEvidence;
  /** There where the name is a user name, `@nasa`: then it is the whole of it. */
  user_name?: boolean;
  /** There where the name comes from a hashtag. */
  hashtag?: boolean;
  /** Its fine type; absent from models that tell none. */
  kind?: FineTypeGuess;
}

/** What a name names, finer than its type: the likeliest of the fine types and, told apart from it, of the coarse ones. */
export interface FineTypeGuess {
  /** The fine type, such as `athlete` or `film_and_television_works`; `person_other` and the like are any other of a coarse type. */
  name: string;
  /** Probability of the fine type, 0 to 1. */
  probability: number;
  /** The coarse type: `art`, `building`, `event`, `location`, `organization`, `other`, `person` or `product`, unless the model has others. */
  coarse: string;
  /** Probability of the coarse type, 0 to 1. */
  coarse_probability: number;
}

/** Where the words of a name attended to. All shares add up to 1. */
export interface EntityEvidence {
  /** Share of attention on each of the image's 7×7 cells, row by row, 49 values. */
  heat: number[];
  /** Share of attention on each of `picture.objects`. */
  objects: number[];
}

/** What was detected in the image, and what it contributed. */
export interface ImageEvidence {
  /** Relevance of the image to the tweet by grain, 0 to 1; 0 for a grain that is absent. Absent from models that do not measure it. */
  relevance?: { global: number; object: number; semantic: number; spatial: number };
  /** What was found in it, the best first. */
  objects: SeenObject[];
  /** What it shows, in words. */
  tags: { name: string; probability: number; source: 'detector' | 'classifier' }[];
  /** Size of the image in the boxes' pixels: those of the upright image, its longer side at most 1024. */
  width: number;
  height: number;
  /** Which frame of an animation was looked at, if not the first. */
  note?: string;
}

/** A detection. */
export interface SeenObject {
  name: string;
  /** How sure the detector is, 0 to 1. */
  score: number;
  /** x1, y1, x2, y2 in pixels, y down. */
  box: [number, number, number, number];
}

/** The answer for one tweet. Entities are in the order of the text and do not overlap. */
export interface Recognition {
  entities: Entity[];
  /** Absent without an image. */
  picture?: ImageEvidence;
}

/** What an image shows, in words. */
export interface Caption {
  /** A sentence in lower case, without a full stop. */
  text: string;
  /** How sure of its words the captioner is, 0 to 1; no probability that the sentence is true. */
  confidence: number;
}

/** The text in an image. */
export interface ImageText {
  /** Size of the image in the boxes' pixels, as of `ImageEvidence`. */
  width: number;
  height: number;
  /** In the order in which they are read; none where nothing is written. */
  lines: TextLine[];
}

/** A line of text in an image. */
export interface TextLine {
  /** The texts of its words, a blank between them. */
  text: string;
  /** x1, y1, x2, y2 in pixels, y down. */
  bounds: [number, number, number, number];
  /** How sure the reading is, 0 to 1. */
  confidence: number;
  /** From its beginning to its end. */
  words: TextWord[];
}

/** A word of text in an image. */
export interface TextWord {
  text: string;
  /** x1, y1, x2, y2 in pixels, y down. */
  bounds: [number, number, number, number];
  /** How sure the reading is, 0 to 1. */
  confidence: number;
}

/** Formats of annotation tools and corpora, by the names that the command line has for them. */
export type AnnotationFormat = 'doccano' | 'label-studio' | 'prodigy' | 'brat' | 'datasets' | 'conllu' | 'spacy';

/** A text, and what was found in it. */
export interface Annotated {
  text: string;
  /** Of each, the type, the span in bytes and the confidence are read. */
  entities: Pick<Entity, 'type' | 'bytes' | 'confidence'>[];
  /** What found them; without, they count as a person's annotation. */
  model?: string;
  /** Names of the text's images. */
  images?: string[];
}

/** Annotations as files. */
export interface Writing {
  /** One, or for brat two a text and a configuration. */
  files: { name: string; text: string }[];
  /** What the format could not say, a sentence each. */
  losses: string[];
}

/** Which loop computes linear layers: `relaxed`, by WebAssembly's relaxed dot products of bytes, or `plain`. */
export interface Loop {
  name: 'relaxed' | 'plain';
  /** Why it is the plain one: it was asked for, or the other is unknown here, or wrong, or not faster, or a model was loaded before
   *  it was chosen, or the model's numbers did not stay what they are. */
  reason?: 'asked' | 'unknown' | 'wrong' | 'slower' | 'late' | 'model';
  /** The time of `relaxed` over that of `plain`, where that was measured. */
  ratio?: number;
}

/** Of each precision of the layers' inputs: models in 8 bits have fine ones, those in 4 coarse ones. */
export interface Loops {
  fine: Loop;
  coarse: Loop;
}
