//! Linear layers by WebAssembly's relaxed dot product of bytes, where the browser has it, computes it rightly and is faster by it.
//!
//! A browser that does not know one instruction of a module refuses all of it, so the loop is a small module of its own
//! (`kernel.rs`), which the engine carries within it and instantiates on its own memory. Its functions are put into the engine's
//! table, where they are called like any other. That a browser takes the module says little: V8 11.8 does and computes nonsense
//! at first, and where the processor has no instruction for it (x86 without AVX-VNNI), it is slower than the plain loop.

use crate::clock::now;
use crate::error::coded;
use js_sys::{Function, Object, Reflect, Uint8Array, WebAssembly};
use mner_core::nn::host::{Foreign, Job, is_right, ratio as measured, use_foreign};
use serde::Serialize;
use std::cell::OnceCell;
use std::hint::black_box;
use wasm_bindgen::prelude::*;

#[cfg(target_arch = "wasm32")]
const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/relaxed.wasm"));
/// What is linted natively is never called.
#[cfg(not(target_arch = "wasm32"))]
const MODULE: &[u8] = &[];

/// The loop has to take less than this part of the plain one's time: what is hardly faster is as good as not.
const FASTER: f64 = 0.85;

/// Its TypeScript type is in `www/answers.d.ts`.
#[derive(Serialize)]
struct Loop {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
}

impl Loop {
    fn plain(reason: &'static str, ratio: Option<f64>) -> Self {
        Self {
            name: "plain",
            reason: Some(reason),
            ratio,
        }
    }
}

thread_local! {
    static CHOSEN: OnceCell<Loop> = const { OnceCell::new() };
}

/// Chooses the loop that computes the linear layers of all models: the faster one, which some 20 ms tell, or the one that is
/// wanted, `relaxed` or `plain`. Once, before anything is loaded; later it says what was chosen.
///
/// # Errors
/// An `Error` with `code` `"engine"`: `relaxed` is wanted, and it is not to be had here or computes nonsense; `"input"`: another
/// loop is wanted than was chosen, or one that there is not.
#[wasm_bindgen(js_name = chooseLoop, unchecked_return_type = "Loop")]
pub fn choose_loop(wanted: Option<String>) -> Result<JsValue, JsValue> {
    let wanted = wanted.as_deref();
    if let Some(name) = wanted.filter(|name| !["relaxed", "plain"].contains(name)) {
        return Err(coded(
            "input",
            &format!("there is no loop “{name}”: choose relaxed or plain"),
        ));
    }
    CHOSEN.with(|chosen| {
        let chosen = chosen.get_or_init(|| choose(wanted));
        let refused = match (wanted, chosen.name, chosen.reason) {
            (Some("relaxed"), "plain", Some("wrong")) => {
                Some("this browser computes it wrongly; use cpu-plain")
            }
            (Some("relaxed"), "plain", Some("unknown")) => {
                Some("this browser does not know it; use cpu-plain")
            }
            _ => None,
        };
        if let Some(why) = refused {
            return Err(coded(
                "engine",
                &format!("the relaxed loop cannot be used here: {why}"),
            ));
        }
        if wanted.is_some_and(|name| name != chosen.name) {
            let words = format!(
                "this engine computes by the {} loop already; start another",
                chosen.name
            );
            return Err(coded("input", &words));
        }
        // Three fields that JavaScript has too.
        serde_wasm_bindgen::to_value(chosen).map_err(Into::into)
    })
}

fn choose(wanted: Option<&str>) -> Loop {
    if wanted == Some("plain") {
        return Loop::plain("asked", None);
    }
    let Ok([relaxed, plain]) = instantiate() else {
        return Loop::plain("unknown", None);
    };
    // SAFETY, of all four: `kernel.rs` computes jobs and nothing else.
    if !unsafe { is_right(relaxed) } {
        return Loop::plain("wrong", None);
    }
    let mut ratio = None;
    if wanted.is_none() {
        ratio = now().map(|now| unsafe { measured(relaxed, plain, now) });
        // Without a clock nothing shows that it is faster, and a clock that stands still says NaN.
        if !ratio.is_some_and(|ratio| ratio < FASTER) {
            return Loop::plain("slower", ratio);
        }
        // Once more, by now perhaps as another compiler made it.
        if !unsafe { is_right(relaxed) } {
            return Loop::plain("wrong", ratio);
        }
    }
    match unsafe { use_foreign(relaxed) } {
        true => Loop {
            name: "relaxed",
            reason: None,
            ratio,
        },
        false => Loop::plain("late", ratio),
    }
}

/// The module's loops, `relaxed` and `plain`.
fn instantiate() -> Result<[Foreign; 2], JsValue> {
    let module = WebAssembly::Module::new(&Uint8Array::from(MODULE).into())?;
    let (environment, imports) = (Object::new(), Object::new());
    Reflect::set(&environment, &"memory".into(), &wasm_bindgen::memory())?;
    Reflect::set(&imports, &"env".into(), &environment)?;
    let exports = WebAssembly::Instance::new(&module, &imports)?.exports();
    let table: WebAssembly::Table = wasm_bindgen::function_table().unchecked_into();
    let places: [Foreign; 2] = [relaxed_place, plain_place];
    for (name, place) in ["relaxed", "plain"].into_iter().zip(places) {
        let function: Function = Reflect::get(&exports, &name.into())?.dyn_into()?;
        // A function's address is its index in the table.
        table.set(place as usize as u32, &function)?;
    }
    // What is called is no longer what stands below, which the compiler must not see.
    Ok(places.map(black_box))
}

/// Holds a place in the table.
unsafe extern "C" fn relaxed_place(_: *const Job) {
    panic!("the relaxed loop is not in its place");
}

/// Holds a place in the table.
unsafe extern "C" fn plain_place(_: *const Job) {
    panic!("the plain loop is not in its place");
}
