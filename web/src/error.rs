//! What goes wrong, as JavaScript sees it: an `Error` with a `code`, and the words of a panic.

use std::cell::RefCell;
use std::fmt::Display;
use wasm_bindgen::prelude::*;
use web_sys::console;

thread_local! {
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the panic hook.
pub(crate) fn remember_panics() {
    std::panic::set_hook(Box::new(|info| {
        let words = info.to_string();
        console::error_1(&words.as_str().into());
        LAST_PANIC.with_borrow_mut(|last| *last = Some(words));
    }));
}

/// Why this instance is dead: message and place of the panic, `undefined` if there was none.
#[wasm_bindgen(js_name = lastPanic)]
pub fn last_panic() -> Option<String> {
    LAST_PANIC.with_borrow(Clone::clone)
}

/// An `Error` with the sentence of `error` and a `code` that a program can act on.
pub(crate) fn coded(code: &str, error: &dyn Display) -> JsValue {
    let js = js_sys::Error::new(&sentence(&error.to_string()));
    // Setting a property of an object made one line above cannot fail.
    let _ = js_sys::Reflect::set(&js, &"code".into(), &code.into());
    js.into()
}

/// The words of an error in one line. A device's error comes with its causes below each other, often the same twice, and
/// with the place of a backtrace that browsers do not give.
fn sentence(words: &str) -> String {
    let mut said: Vec<&str> = Vec::new();
    let lines = words.lines().map(str::trim);
    for line in lines.take_while(|line| *line != "Backtrace:") {
        let again = said.iter().any(|earlier| earlier.ends_with(line));
        if !again && line != "Caused by:" {
            said.push(line);
        }
    }
    said.join(": ")
}
