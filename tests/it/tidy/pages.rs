//! The pages a reader needs, and what no page may say.

use super::source::{files_below, relative, root};

/// Pages that are missing, and modules that the map leaves out or lists in another order.
pub fn faults(modules: &[String]) -> Vec<String> {
    let pages = ["README.md", "CHANGELOG.md", "LICENSE", "ARCHITECTURE.md", "SECURITY.md"];
    let mut faults: Vec<_> = pages
        .iter()
        .filter(|page| std::fs::metadata(root().join(page)).map_or(true, |page| page.len() < 200))
        .map(|page| format!("{page} is missing or empty"))
        .collect();
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap_or_default();
    let mapped: Vec<_> = map.lines().filter_map(mapped_module).filter(|name| modules.contains(name)).collect();
    if mapped != modules {
        faults.push(format!("ARCHITECTURE.md maps\n    {mapped:?}\n  src/lib.rs has\n    {modules:?}"));
    }
    faults
}

/// `clock` for a line of the map like `clock.rs   what it is` or `wallet/   what it is`, indented by two.
fn mapped_module(line: &str) -> Option<String> {
    let (name, _) = line.strip_prefix("  ")?.split_once(' ')?;
    Some(name.strip_suffix(".rs").or_else(|| name.strip_suffix('/'))?.to_owned())
}

/// Lines that only make sense on one machine.
pub fn private_lines() -> Vec<String> {
    // Written in two halves, so that this file does not accuse itself.
    let private = [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["/tmp/f", "arm"],
        ["sha", "red/fixtures"],
        ["sha", "red/design"],
        ["static.cra", "tes.io"],
        ["index.cra", "tes.io"],
        ["py", "pi.org"],
        ["registry.np", "mjs"],
        ["deb.deb", "ian.org"],
    ];
    let private = private.map(|halves| halves.concat());
    let folders = ["src", "tests", "docs", "templates", "migrations", "benches", ".ci", ".config"];
    let pages = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|ext| ext == "md" || ext == "toml"));
    let files = folders.iter().flat_map(|folder| files_below(&root().join(folder))).chain(pages);
    files
        .filter_map(|path| Some((relative(&path), std::fs::read_to_string(&path).ok()?)))
        .flat_map(|(path, text)| private_in(&path, &text, &private))
        .collect()
}

fn private_in(path: &str, text: &str, private: &[String]) -> Vec<String> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let word = private.iter().find(|word| line.contains(*word))?;
            Some(format!("{path}:{} says {word}", index + 1))
        })
        .collect()
}
