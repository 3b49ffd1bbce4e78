//! Every error code is met by some request, or waits by name for the work that will use it.

use postern::error::Code;

use super::source::Source;

/// Codes of the published contract whose feature is not built yet, with the issue that brings it.
pub const RESERVED: &[(Code, &str)] = &[];

/// Codes that nothing raises, and reservations that are no longer true.
pub fn faults(files: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for code in Code::ALL {
        let reserved = RESERVED.iter().find(|(one, _)| one == code);
        match (is_raised(*code, files), reserved) {
            (false, None) => faults.push(format!("{code} is raised nowhere: raise it or reserve it")),
            (true, Some((_, issue))) => faults.push(format!("{code} is raised: it no longer waits for {issue}")),
            _ => {}
        }
        if !code.entry().sentence.ends_with('.') {
            faults.push(format!("{code} has no sentence"));
        }
    }
    faults
}

fn is_raised(code: Code, files: &[Source]) -> bool {
    let name = format!("Code::{code:?}");
    // The registry names every code, and so do the pages about them.
    let speaks = |file: &&Source| file.path == "src/error.rs" || file.path.starts_with("src/openapi/");
    files.iter().filter(|file| !speaks(file)).any(|file| raises(file, &name))
}

fn raises(file: &Source, name: &str) -> bool {
    let ends = file.find(name).into_iter().map(|at| at + name.len());
    ends.into_iter().any(|end| !file.is_test(end) && !file.code[end..].starts_with(super::source::is_word))
}
