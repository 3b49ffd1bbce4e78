//! What a key can hold: how each type is read from the file or a variable, and what is said when it cannot be.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use zeroize::Zeroize;

use super::fault::Wrong;
use super::value::Value;
use crate::clock::{parse_duration, show_duration};
use crate::secret::Secret;

/// A type a key can hold.
pub trait Setting: Sized {
    /// Whether its values may be shown to an operator. Not unless a type says so: a text may be a secret.
    const SHOWN: bool = false;

    /// Reads it; the fault says what is wrong and how to write it.
    fn read(value: &Value) -> Result<Self, Wrong>;

    /// What a key that is not written holds, where that can be nothing.
    fn absent() -> Option<Self> {
        None
    }

    /// How `text` is written as a value in the file.
    fn toml(text: &str) -> String {
        quoted(text)
    }
}

/// `text` as a TOML string; literal quotes where it has double ones.
pub fn quoted(text: &str) -> String {
    if text.contains('"') || text.contains('\\') { format!("'{text}'") } else { format!("\"{text}\"") }
}

/// The text of a value, or the fault that it has another type; `expected` names what was wanted, with its article.
pub fn text_of<'v>(value: &'v Value, expected: &str, example: &str) -> Result<&'v str, Wrong> {
    value.as_text().ok_or_else(|| {
        Wrong::new(format!("is {}, not {expected}", value.type_name()), format!("write it as {}", quoted(example)))
    })
}

/// A check that takes every value.
#[expect(clippy::unnecessary_wraps, reason = "has the shape of every check")]
pub fn any<T>(_: &T) -> Result<(), Wrong> {
    Ok(())
}

/// A check that a number lies in `range`.
pub fn within(range: RangeInclusive<u32>) -> impl Fn(&u32) -> Result<(), Wrong> {
    move |number| {
        if range.contains(number) {
            return Ok(());
        }
        Err(Wrong::new(
            format!("= {number} is out of range"),
            format!("write a number from {} to {}", range.start(), range.end()),
        ))
    }
}

/// A check that a duration lies between `least_ms` and `most_ms`.
pub fn lasting(least: Duration, most: Duration) -> impl Fn(&Duration) -> Result<(), Wrong> {
    move |span| {
        if (least..=most).contains(span) {
            return Ok(());
        }
        Err(Wrong::new(
            format!("= {} is out of range", show_duration(*span)),
            format!("write a duration from {} to {}", show_duration(least), show_duration(most)),
        ))
    }
}

/// Seconds, for ranges.
pub const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl<T: Setting> Setting for Option<T> {
    const SHOWN: bool = T::SHOWN;

    fn read(value: &Value) -> Result<Self, Wrong> {
        T::read(value).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn toml(text: &str) -> String {
        T::toml(text)
    }
}

impl Setting for String {
    fn read(value: &Value) -> Result<Self, Wrong> {
        text_of(value, "a string", "text").map(str::to_owned)
    }
}

impl<T: Setting + Zeroize> Setting for Secret<T> {
    fn read(value: &Value) -> Result<Self, Wrong> {
        T::read(value).map(Secret::new)
    }
}

impl Setting for PathBuf {
    const SHOWN: bool = true;

    fn read(value: &Value) -> Result<Self, Wrong> {
        let text = text_of(value, "a path", "data")?;
        if text.is_empty() { Err(Wrong::new("is empty", "write a path such as \"data\"")) } else { Ok(text.into()) }
    }
}

impl Setting for u32 {
    const SHOWN: bool = true;

    fn read(value: &Value) -> Result<Self, Wrong> {
        let hint = "write a whole number without quotes";
        match value {
            Value::Int(number) => {
                u32::try_from(*number).map_err(|_| Wrong::new(format!("= {number} is out of range"), hint))
            }
            Value::Word(text) => text
                .trim()
                .parse()
                .map_err(|_| Wrong::new(format!("= {text:?} is not a whole number"), "write digits only, e.g. 8")),
            other => Err(Wrong::new(format!("is {}, not a number", other.type_name()), hint)),
        }
    }

    fn toml(text: &str) -> String {
        text.to_owned()
    }
}

impl Setting for u16 {
    const SHOWN: bool = true;

    fn read(value: &Value) -> Result<Self, Wrong> {
        let wide = u32::read(value)?;
        u16::try_from(wide).map_err(|_| Wrong::new(format!("= {wide} is out of range"), "write a number up to 65535"))
    }

    fn toml(text: &str) -> String {
        text.to_owned()
    }
}

impl Setting for Duration {
    const SHOWN: bool = true;

    fn read(value: &Value) -> Result<Self, Wrong> {
        let hint = "write a whole number and a unit (ms, s, m, h, d), e.g. \"30s\"";
        match value.as_text() {
            Some(text) => {
                parse_duration(text.trim()).ok_or_else(|| Wrong::new(format!("= {text:?} is not a duration"), hint))
            }
            None => Err(Wrong::new(format!("is {}, not a duration", value.type_name()), hint)),
        }
    }
}

impl Setting for SocketAddr {
    const SHOWN: bool = true;

    fn read(value: &Value) -> Result<Self, Wrong> {
        let text = text_of(value, "an address with a port", "127.0.0.1:8080")?;
        text.trim().parse().map_err(|_| {
            Wrong::new(
                format!("= {text:?} is not an address with a port"),
                "write an IP address and a port, e.g. \"127.0.0.1:8080\" or \"[::1]:8080\"",
            )
        })
    }
}

impl Setting for IpNet {
    const SHOWN: bool = true;

    fn read(value: &Value) -> Result<Self, Wrong> {
        let text = text_of(value, "a CIDR", "10.0.0.0/8")?.trim();
        let alone = || text.parse::<std::net::IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| alone()).map_err(|_| {
            Wrong::new(format!("= {text:?} is not a CIDR"), "write a network such as \"10.0.0.0/8\" or \"fd00::/8\"")
        })
    }
}

impl<T: Setting> Setting for Vec<T> {
    const SHOWN: bool = T::SHOWN;

    fn read(value: &Value) -> Result<Self, Wrong> {
        let read: Vec<Result<T, Wrong>> = match value {
            Value::List(items) => items.iter().map(|item| T::read(&item.value)).collect(),
            Value::Word(text) => text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| T::read(&Value::Word(part.to_owned())))
                .collect(),
            other => {
                let hint = format!("write it as [{}]", T::toml("…"));
                return Err(Wrong::new(format!("is {}, not a list", other.type_name()), hint));
            }
        };
        let mut wrongs = read.iter().filter_map(|item| item.as_ref().err());
        match wrongs.next() {
            None => Ok(read.into_iter().flatten().collect()),
            Some(first) => {
                let what = wrongs.fold(first.what.clone(), |all, next| format!("{all} and {}", next.what));
                Err(Wrong::new(what, first.hint.clone()))
            }
        }
    }

    fn toml(text: &str) -> String {
        let items: Vec<String> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(T::toml).collect();
        format!("[{}]", items.join(", "))
    }
}

/// A table of texts; as a variable, a TOML inline table.
impl<T: Setting> Setting for BTreeMap<String, T> {
    fn read(value: &Value) -> Result<Self, Wrong> {
        match value {
            Value::Word(text) if text.is_empty() => Ok(BTreeMap::new()),
            Value::Word(text) => match Value::parse_inline(text)? {
                Value::Word(_) => Err(not_a_table("a text")),
                value => Self::read(&value),
            },
            Value::Table(table) => {
                let read = |(key, entry): (&String, &super::value::Entry)| match T::read(&entry.value) {
                    Ok(value) => Ok((key.clone(), value)),
                    Err(wrong) => Err(Wrong::new(format!(".{key} {}", wrong.what), wrong.hint)),
                };
                table.iter().map(read).collect()
            }
            other => Err(not_a_table(other.type_name())),
        }
    }

    fn absent() -> Option<Self> {
        Some(BTreeMap::new())
    }

    fn toml(text: &str) -> String {
        if text.is_empty() { String::from("{}") } else { text.to_owned() }
    }
}

fn not_a_table(found: &str) -> Wrong {
    Wrong::new(format!("is {found}, not a table"), "write it as { name = \"value\" }")
}

/// Reads a closed set of words (`text_enum!`), with a did-you-mean.
macro_rules! word_setting {
    ($($ty:ty),+) => {
        $(impl $crate::config::setting::Setting for $ty {
            const SHOWN: bool = true;

            fn read(
                value: &$crate::config::value::Value,
            ) -> Result<Self, $crate::config::fault::Wrong> {
                let words: Vec<&str> = Self::ALL.iter().map(|word| word.as_str()).collect();
                $crate::config::setting::one_of(value, &words)?.parse().map_err(|_| {
                    $crate::config::fault::Wrong::new("is not a known word", words.join(", "))
                })
            }
        })+
    };
}
pub(crate) use word_setting;

/// The text of `value`, if it is one of `words`.
pub fn one_of<'v>(value: &'v Value, words: &[&str]) -> Result<&'v str, Wrong> {
    let text = text_of(value, "a word", words.first().copied().unwrap_or(""))?.trim();
    if words.contains(&text) {
        return Ok(text);
    }
    let near = super::fault::did_you_mean(text, words.iter().copied());
    let hint = match near {
        Some(near) => format!("did you mean {near:?}? It takes {}", words.join(", ")),
        None => format!("it takes {}", words.join(", ")),
    };
    Err(Wrong::new(format!("= {text:?} is not known"), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word<T: Setting>(text: &str) -> Result<T, Wrong> {
        T::read(&Value::Word(text.to_owned()))
    }

    #[test]
    fn a_variable_holds_a_list_by_commas() {
        let nets: Vec<IpNet> = word("10.0.0.0/8, ::1").unwrap();
        assert_eq!(nets, ["10.0.0.0/8".parse::<IpNet>().unwrap(), "::1/128".parse().unwrap()]);
        assert!(word::<Vec<IpNet>>("").unwrap().is_empty());
    }

    #[test]
    fn every_bad_item_of_a_list_is_named() {
        let wrong = word::<Vec<IpNet>>("10.0.0.0/33,x,10.0.0.1").unwrap_err();
        assert!(wrong.what.contains("10.0.0.0/33") && wrong.what.contains("\"x\""), "{wrong:?}");
        assert!(!wrong.what.contains("10.0.0.1"), "{wrong:?}");
    }

    #[test]
    fn a_range_says_its_ends() {
        let wrong = within(1..=64)(&65).unwrap_err();
        assert_eq!(wrong.hint, "write a number from 1 to 64");
        assert!(lasting(secs(1), secs(60))(&secs(60)).is_ok());
        assert_eq!(lasting(secs(1), secs(60))(&secs(0)).unwrap_err().hint, "write a duration from 1s to 1m");
    }

    #[test]
    fn a_quoted_number_in_the_file_is_the_wrong_type() {
        assert_eq!(u32::read(&Value::Text("8".into())).unwrap_err().what, "is a string, not a number");
        assert_eq!(word::<u32>("8"), Ok(8));
    }
}
