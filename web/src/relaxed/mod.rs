//! Linear layers by WebAssembly's relaxed dot product of bytes, where the browser has it, computes it rightly and is faster by it.
//!
//! A browser that does not know one instruction of a module refuses all of it, so the loop is a small module of its own
//! (`kernel.rs`), which the engine carries within it and instantiates on its own memory. Its functions are put into the engine's
//! table, where they are called like any other. That a browser takes the module says little: V8 11.8 does and computes nonsense
//! at first, and where the processor has no instruction for it (Intel before AVX-VNNI), it is slower than the plain loop.

use crate::clock::now;
use crate::error::coded;
use js_sys::{Function, Object, Reflect, Uint8Array, WebAssembly};
use mner_core::nn::host::{Foreign, Job, is_right, ratio, use_foreign};
use serde::Serialize;
use std::hint::black_box;
use wasm_bindgen::prelude::*;

#[cfg(target_arch = "wasm32")]
const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/relaxed.wasm"));
/// What is linted natively is never called.
#[cfg(not(target_arch = "wasm32"))]
const MODULE: &[u8] = &[];

/// The loop has to take less than this part of the plain one's time: what is hardly faster is as good as not.
const FASTER: f64 = 0.85;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Which loop computes linear layers: `relaxed`, by the relaxed dot product of bytes, or `plain`. */
export interface Loop {
  name: 'relaxed' | 'plain';
  /** Why it is the plain one: it was asked for, or the other is unknown here, or wrong, or not faster. */
  reason?: 'asked' | 'unknown' | 'wrong' | 'slower';
  /** The time of `relaxed` over that of `plain`, where that was measured. */
  ratio?: number;
}
"#;

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

/// Chooses the loop that computes the linear layers of all models that are loaded afterwards: the faster one, which some 20 ms
/// tell, or the one that is wanted, `relaxed` or `plain`.
///
/// # Errors
/// An `Error` with `code` `"engine"`: `relaxed` is wanted, and it is not to be had here or computes nonsense.
#[wasm_bindgen(js_name = chooseLoop, unchecked_return_type = "Loop")]
pub fn choose_loop(wanted: Option<String>) -> Result<JsValue, JsValue> {
    let chosen = choose(wanted.as_deref());
    if wanted.as_deref() == Some("relaxed") && chosen.name == "plain" {
        let why = match chosen.reason {
            Some("wrong") => "computes it wrongly",
            _ => "does not know it",
        };
        let words =
            format!("the relaxed loop cannot be used here: this browser {why}; use cpu-plain");
        return Err(coded("engine", &words));
    }
    // Three fields that JavaScript has too.
    serde_wasm_bindgen::to_value(&chosen).map_err(Into::into)
}

fn choose(wanted: Option<&str>) -> Loop {
    if wanted == Some("plain") {
        return Loop::plain("asked", None);
    }
    let Ok([relaxed, plain]) = instantiate() else {
        return Loop::plain("unknown", None);
    };
    // SAFETY, of all three: `kernel.rs` computes jobs and nothing else.
    if !unsafe { is_right(relaxed) } {
        return Loop::plain("wrong", None);
    }
    let ratio = match wanted {
        Some(_) => None,
        None => now().map(|now| unsafe { ratio(relaxed, plain, now) }),
    };
    // Without a clock nothing shows that it is faster, and a clock that stands still says NaN.
    if wanted.is_none() && !ratio.is_some_and(|ratio| ratio < FASTER) {
        return Loop::plain("slower", ratio);
    }
    unsafe { use_foreign(relaxed) };
    Loop {
        name: "relaxed",
        reason: None,
        ratio,
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
