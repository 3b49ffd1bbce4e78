//! How long a file and a function may be.

use super::source::{Source, closing};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// The files and functions over the cap.
pub fn faults(file: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = file.text.lines().count();
    if lines > FILE_LINES {
        faults.push(format!("{} has {lines} lines", file.path));
    }
    for (at, name, lines) in functions(file) {
        if lines > FUNCTION_LINES {
            faults.push(format!("{} {name} has {lines} lines", file.place(at)));
        }
    }
    faults
}

/// Offset, name and length of every function that has a body.
fn functions(file: &Source) -> Vec<(usize, String, usize)> {
    let code = &file.code;
    let mut found = Vec::new();
    for at in file.find("fn ") {
        let name: String = code[at + 3..].chars().take_while(|c| super::source::is_word(*c)).collect();
        let Some(body) = body_start(code, at) else { continue };
        if !name.is_empty() {
            found.push((at, name, code[at..closing(code, body)].matches('\n').count() + 1));
        }
    }
    found
}

/// Where the braces of the body open; a declaration ends with `;` before. A `;` inside `[u8; 4]` is not that end.
fn body_start(code: &str, at: usize) -> Option<usize> {
    let mut offset = at;
    loop {
        offset += code[offset..].find(['{', ';', '(', '['])?;
        match code.as_bytes()[offset] {
            b'{' => return Some(offset),
            b';' => return None,
            _ => offset = closing(code, offset),
        }
    }
}

#[test]
fn a_function_is_as_long_as_from_its_fn_to_its_brace() {
    let source =
        Source::new("src/a.rs", "trait T { fn a(&self); }\nfn b(x: [u8; 4]) -> u8\n{\n  let s = \"}\";\n  1\n}\n");
    let seen: Vec<_> = functions(&source).into_iter().map(|(_, name, lines)| (name, lines)).collect();
    assert_eq!(seen, [("b".to_owned(), 5)]);
}
