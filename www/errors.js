/**
 * An error with a `code` that a program can act on and a `message` that a person can act on.
 *
 * | code        | what happened                                                            |
 * |-------------|--------------------------------------------------------------------------|
 * | `not-found` | the server has no such file                                              |
 * | `network`   | the server cannot be reached, or answered with an error                  |
 * | `truncated` | a file ended early, or is longer than it should be                       |
 * | `bundle`    | the files do not belong together, or hold no model this version can read |
 * | `engine`    | this browser cannot run the WebAssembly part                             |
 * | `origin`    | the module comes from another site, and its Worker is not let in         |
 * | `memory`    | this browser has no memory for the model                                 |
 * | `webgpu`    | WebGPU was asked for and cannot be used here                             |
 * | `device`    | the device was lost, or computes wrong numbers                           |
 * | `picture`   | the image file cannot be read; the next input can                        |
 * | `recognize` | the model could not work on this input                                   |
 * | `input`     | the caller gave something that this model cannot take                    |
 * | `crashed`   | the engine failed twice on the same input                                |
 * | `timeout`   | the engine gave no answer in time, twice                                 |
 * | `closed`    | `close()` was called                                                     |
 */
export class MnerError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'MnerError';
    this.code = code;
  }
}
