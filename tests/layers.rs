//! The layout of `core/src`: a folder imports only folders below it, and no two files import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The folders, and the files beside them, from the lowest to the highest. Each may import what stands before it.
const LAYERS: [&str; 19] = [
    "splitmix",
    "notice",
    "formula",
    "label",
    "tweet",
    "image",
    "decode",
    "nn",
    "vision",
    "systems",
    "bundle",
    "ocr",
    "caption",
    "recognizer",
    "formats",
    "packing",
    "data",
    "evaluate",
    "train",
];

/// Files that import each other, and why that is right.
const CIRCLES: [(&[&str], &str); 0] = [];

fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(&root).unwrap().with_extension("");
                let parts: Vec<_> = name.iter().map(|part| part.to_str().unwrap()).collect();
                let module = parts.join("::");
                let module = module.strip_suffix("::mod").unwrap_or(&module).to_owned();
                found.insert(module, fs::read_to_string(path).unwrap());
            }
        }
    }
    found.retain(|module, _| module != "lib" && !module.starts_with("bin::"));
    found
}

/// What a file names below `crate::` or, at its top, below `super::`; groups are spelled out. Comments are left out, tests
/// are not.
fn imports(module: &str, source: &str) -> Vec<String> {
    let parent = module
        .rsplit_once("::")
        .map_or(String::new(), |(parent, _)| format!("{parent}::"));
    let code: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| match line.strip_prefix("use super::") {
            Some(rest) => format!("use crate::{parent}{rest}\n"),
            None => format!("{line}\n"),
        })
        .collect();
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        let (path, rest) = rest.split_at(end);
        match rest.strip_prefix('{') {
            Some(group) if path.ends_with("::") => {
                let group = &group[..group.find(['}', ';']).unwrap_or(group.len())];
                paths.extend(
                    group
                        .split(',')
                        .map(|item| format!("{path}{}", item.trim())),
                );
            }
            _ => paths.push(path.to_owned()),
        }
    }
    paths
}

fn layer(module: &str) -> usize {
    let folder = module.split("::").next().unwrap();
    let found = LAYERS.iter().position(|layer| *layer == folder);
    found.unwrap_or_else(|| panic!("{folder} has no place in LAYERS: give it one"))
}

#[test]
fn no_folder_imports_one_above_it() {
    for (module, source) in sources() {
        for path in imports(&module, &source) {
            assert!(
                layer(&path) <= layer(&module),
                "{module} imports {path}, which stands above it"
            );
        }
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = sources();
    // The file that a path leads to: its longest beginning that is one.
    let file = |path: &str| {
        let mut path = path;
        loop {
            match (sources.contains_key(path), path.rsplit_once("::")) {
                (true, _) => return Some(path.to_owned()),
                (false, Some((parent, _))) => path = parent,
                (false, None) => return None,
            }
        }
    };
    let edges: BTreeMap<&str, BTreeSet<String>> = sources
        .iter()
        .map(|(module, source)| {
            let paths = imports(module, source).into_iter();
            let to: BTreeSet<String> = paths.filter_map(|path| file(&path)).collect();
            (module.as_str(), to)
        })
        .collect();
    let reaches = |from: &str, goal: &str| {
        let (mut open, mut seen) = (vec![from.to_owned()], BTreeSet::new());
        while let Some(module) = open.pop() {
            for next in &edges[module.as_str()] {
                if next == goal {
                    return true;
                }
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        false
    };
    // A folder's `mod.rs` names what is in it, and a file of tests the file that it tests.
    let kin = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
    for (module, to) in &edges {
        for next in to.iter().filter(|next| !kin(module, next)) {
            let allowed = CIRCLES
                .iter()
                .any(|(files, _)| files.contains(module) && files.contains(&next.as_str()));
            assert!(
                allowed || !reaches(next, module),
                "{module} imports {next}, and {next} leads back to it"
            );
        }
    }
}

#[test]
fn imports_are_read_as_they_are_written() {
    let source = "use crate::a::b::{C, d};\nuse super::g::H;\n// use crate::comment;\nlet x = crate::e::f(1);\n";
    let found = imports("i::j", source);
    assert_eq!(found, ["a::b::C", "a::b::d", "i::g::H", "e::f"]);
}
