//! Filling `{placeholders}` from an allow-list: no logic, no nesting, nothing that a value could trigger.

use crate::error::{Error, Result};

/// `pattern` with each `{name}` replaced by its value. Values are put in as they are and never read again, so a brace
/// in a value does nothing.
///
/// # Errors
/// A name outside `values` or a brace without its partner is a fault of `template.body`.
pub fn fill(pattern: &str, values: &[(&str, &str)]) -> Result<String> {
    let mut out = String::with_capacity(pattern.len() + 32);
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or_else(stray_brace)?;
        push_plain(&mut out, before)?;
        out.push_str(value_of(name, values)?);
        rest = tail;
    }
    push_plain(&mut out, rest)?;
    Ok(out)
}

fn push_plain(out: &mut String, text: &str) -> Result<()> {
    if text.contains('}') {
        return Err(stray_brace());
    }
    out.push_str(text);
    Ok(())
}

fn value_of<'a>(name: &str, values: &[(&str, &'a str)]) -> Result<&'a str> {
    values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<String> = values.iter().map(|(known, _)| format!("{{{known}}}")).collect();
        Error::field("template.body", format!("has a placeholder that is none of {}", known.join(", ")))
    })
}

fn stray_brace() -> Error {
    Error::field("template.body", "has a brace without its partner; placeholders look like {code}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALUES: &[(&str, &str)] = &[("code", "481516"), ("app", "{code}")];

    #[test]
    fn placeholders_are_filled_and_values_are_not_read_again() {
        assert_eq!(fill("{code} is your {app} code", VALUES).unwrap(), "481516 is your {code} code");
        assert_eq!(fill("", VALUES).unwrap(), "");
    }

    #[test]
    fn an_unknown_placeholder_or_a_stray_brace_says_what_would_be_right() {
        for (pattern, part) in [
            ("{name}", "{code}, {app}"),
            ("{ code }", "{code}, {app}"),
            ("{}", "{code}, {app}"),
            ("{{code}}", "{code}, {app}"),
            ("{code", "partner"),
            ("code}", "partner"),
            ("{code} }", "partner"),
        ] {
            let error = fill(pattern, VALUES).unwrap_err();
            assert!(error.fields()["template.body"][0].contains(part), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn any_pattern_is_filled_or_refused(pattern in "[a{}ß]{0,40}") {
            prop_assert_eq!(fill(&pattern, &[("a", "1")]).is_ok(), !pattern.replace("{a}", "").contains(['{', '}']));
        }
    }
}
