//! Linear layers by WebAssembly's relaxed dot products of bytes, where the browser has them, computes them rightly and is faster by
//! them: one for layers whose inputs are fine, another for those whose inputs are coarse.
//!
//! A browser that does not know one instruction of a module refuses all of it, so the loop is a small module of its own
//! (`kernel.rs`), which the engine carries within it and instantiates on its own memory. Its functions are put into the engine's
//! table, where they are called like any other. That a browser takes the module says little: V8 11.8 does and computes nonsense
//! at first, and where the processor has no instruction for the one of fine inputs (x86 without AVX-VNNI), it is slower than the
//! plain loop, so it is timed first. That of coarse inputs is one instruction on every x86 and does twice as much as the plain one's on
//! ARM: it is taken wherever it is right. (Timed at the start, before the browser has compiled it well, it seems slower now and then.)

use crate::clock::now;
use crate::error::coded;
use js_sys::{Function, Object, Reflect, Uint8Array, WebAssembly};
use mner_core::nn::host::{Foreign, ForeignLoops, Job, Precision, is_right, ratio, use_foreign};
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

    fn is_relaxed(&self) -> bool {
        self.name == "relaxed"
    }
}

/// Its TypeScript type is in `www/answers.d.ts`.
#[derive(Serialize)]
struct Loops {
    fine: Loop,
    coarse: Loop,
}

impl Loops {
    fn plain(reason: &'static str) -> Self {
        let [fine, coarse] = [(); 2].map(|()| Loop::plain(reason, None));
        Self { fine, coarse }
    }
}

thread_local! {
    /// What was wanted, and what was chosen.
    static CHOSEN: OnceCell<(Option<String>, Loops)> = const { OnceCell::new() };
}

/// Chooses the loops that compute the linear layers of all models: of either precision the faster one, which some 20 ms tell where
/// nothing else does, or the one that is wanted, `relaxed` or `plain`, where it can be had. Once, before anything is loaded; later it
/// says what was chosen.
///
/// # Errors
/// An `Error` with `code` `"input"`: there is no such loop, or another was wanted before.
#[wasm_bindgen(js_name = chooseLoops, unchecked_return_type = "Loops")]
pub fn choose_loops(wanted: Option<String>) -> Result<JsValue, JsValue> {
    if let Some(name) = &wanted
        && !["relaxed", "plain"].contains(&name.as_str())
    {
        return Err(coded(
            "input",
            &format!("there is no loop “{name}”: choose relaxed or plain"),
        ));
    }
    CHOSEN.with(|chosen| {
        let (before, loops) = chosen.get_or_init(|| (wanted.clone(), choose(wanted.as_deref())));
        if wanted.is_some() && wanted != *before {
            let words = "this engine has chosen its loops already; start another";
            return Err(coded("input", &words));
        }
        // Words and numbers that JavaScript has too.
        serde_wasm_bindgen::to_value(loops).map_err(Into::into)
    })
}

fn choose(wanted: Option<&str>) -> Loops {
    if wanted == Some("plain") {
        return Loops::plain("asked");
    }
    let Ok([quads, bytes, pairs]) = instantiate() else {
        return Loops::plain("unknown");
    };
    let mut loops = Loops {
        fine: judged(Precision::Fine, quads, wanted.is_none().then_some(pairs)),
        coarse: judged(Precision::Coarse, bytes, None),
    };
    let taken = ForeignLoops {
        quads: loops.fine.is_relaxed().then_some(quads),
        bytes: loops.coarse.is_relaxed().then_some(bytes),
    };
    // SAFETY: `kernel.rs` computes jobs and nothing else.
    if !unsafe { use_foreign(taken) } {
        for one in [&mut loops.fine, &mut loops.coarse] {
            if one.is_relaxed() {
                *one = Loop::plain("late", one.ratio);
            }
        }
    }
    loops
}

/// Whether `relaxed` is taken for layers of this precision, where it has to be faster than `pairs` if there are any.
fn judged(precision: Precision, relaxed: Foreign, pairs: Option<Foreign>) -> Loop {
    // SAFETY, of all three: `kernel.rs` computes jobs and nothing else.
    if !unsafe { is_right(precision, relaxed) } {
        return Loop::plain("wrong", None);
    }
    let mut measured = None;
    if let Some(pairs) = pairs {
        measured = now().map(|now| unsafe { ratio(relaxed, pairs, now) });
        // Without a clock nothing shows that it is faster, and a clock that stands still says NaN.
        if !measured.is_some_and(|ratio| ratio < FASTER) {
            return Loop::plain("slower", measured);
        }
        // Once more, by now perhaps as another compiler made it.
        if !unsafe { is_right(precision, relaxed) } {
            return Loop::plain("wrong", measured);
        }
    }
    Loop {
        name: "relaxed",
        reason: None,
        ratio: measured,
    }
}

/// The module's loops, `quads`, `bytes` and `pairs`.
fn instantiate() -> Result<[Foreign; 3], JsValue> {
    let module = WebAssembly::Module::new(&Uint8Array::from(MODULE).into())?;
    let (environment, imports) = (Object::new(), Object::new());
    Reflect::set(&environment, &"memory".into(), &wasm_bindgen::memory())?;
    Reflect::set(&imports, &"env".into(), &environment)?;
    let exports = WebAssembly::Instance::new(&module, &imports)?.exports();
    let table: WebAssembly::Table = wasm_bindgen::function_table().unchecked_into();
    let places: [Foreign; 3] = [quads_place, bytes_place, pairs_place];
    for (name, place) in ["quads", "bytes", "pairs"].into_iter().zip(places) {
        let function: Function = Reflect::get(&exports, &name.into())?.dyn_into()?;
        // A function's address is its index in the table.
        table.set(place as usize as u32, &function)?;
    }
    // What is called is no longer what stands below, which the compiler must not see.
    Ok(places.map(black_box))
}

/// Holds a place in the table.
unsafe extern "C" fn quads_place(_: *const Job) {
    panic!("the loop of quads is not in its place");
}

/// Holds a place in the table.
unsafe extern "C" fn bytes_place(_: *const Job) {
    panic!("the loop of bytes is not in its place");
}

/// Holds a place in the table.
unsafe extern "C" fn pairs_place(_: *const Job) {
    panic!("the loop of pairs is not in its place");
}
