/**
 * An error with a `code` that a program can act on and a `message` that a person can act on.
 *
 * | code        | what happened                                                            |
 * |-------------|--------------------------------------------------------------------------|
 * | `not-found` | the server has no such file                                              |
 * | `network`   | the server cannot be reached, or answered with an error                   |
 * | `truncated` | a file ended early, or is longer than its manifest says                   |
 * | `bundle`    | the files do not belong together, or hold no model this version can read |
 * | `engine`    | this browser cannot run the WebAssembly part                              |
 * | `device`    | the engine computes wrong numbers on this machine                         |
 * | `recognize` | the model could not work on this input                                    |
 * | `input`     | the caller gave something that is neither text nor image                  |
 * | `crashed`   | the engine failed twice on the same input                                 |
 * | `timeout`   | the engine gave no answer in time, twice                                  |
 * | `closed`    | `close()` was called                                                      |
 */
export class MnerError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'MnerError';
    this.code = code;
  }
}
