//! How a concern is declared: one line per key with its doc, default, variable and range; the struct, its reader and
//! the commented default file all come from that line.

use super::reader::Section;
use super::setting::Setting;

/// What stands in for a key that is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// This text, read as a variable would be.
    Default(&'static str),
    /// Nothing; the text is shown as an example.
    Example(&'static str),
    /// The key must be written; the text is shown as an example.
    Required(&'static str),
}

/// One key of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name in the file.
    pub name: &'static str,
    /// Its doc, line by line.
    pub docs: &'static [&'static str],
    /// Its variable; empty where the table has a name of its own (carriers), which makes the variable.
    pub env: &'static str,
    /// What stands in for it.
    pub fallback: Fallback,
    /// How a text is written as this key's value in the file.
    pub toml: fn(&str) -> String,
}

/// A group of keys: one table of the file, one struct in the code.
pub trait Concern: Sized {
    /// What the group is about, line by line.
    const DOCS: &'static [&'static str];
    /// Its keys, in the order of the file.
    const KEYS: &'static [Key];

    /// Takes the group's keys from `section`; `None` after noting every fault.
    fn read(section: &mut Section<'_>) -> Option<Self>;

    /// What the key `name` will be read as; see [`Section::peek`].
    fn peek<T: Setting>(section: &Section<'_>, name: &str) -> Option<T> {
        Self::KEYS.iter().find(|key| key.name == name).and_then(|key| section.peek(key))
    }

    /// Whether the key `name` is written.
    fn is_written(section: &Section<'_>, name: &str) -> bool {
        Self::KEYS.iter().any(|key| key.name == name && section.is_written(key))
    }
}

/// Declares a concern. Each key: `name: Type = default "text", "VARIABLE", check;` where `default` may be `example`
/// (nothing stands in) or `required`, and `check` is `any` or a function of `&Type` such as `within(1..=9)`.
macro_rules! concern {
    (
        $(#[doc = $doc:literal])+
        pub struct $name:ident {
            $($(#[doc = $kdoc:literal])+ $key:ident: $ty:ty = $mode:ident $text:literal, $env:literal, $check:expr;)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone)]
        pub struct $name { $($(#[doc = $kdoc])+ pub $key: $ty),+ }

        impl $crate::config::concern::Concern for $name {
            const DOCS: &'static [&'static str] = &[$($doc),+];
            const KEYS: &'static [$crate::config::concern::Key] = &[
                $($crate::config::concern::concern!(@key $key, $ty, $mode, $text, $env, [$($kdoc),+])),+
            ];

            fn read(section: &mut $crate::config::reader::Section<'_>) -> Option<Self> {
                $(let $key = {
                    const KEY: $crate::config::concern::Key =
                        $crate::config::concern::concern!(@key $key, $ty, $mode, $text, $env, [$($kdoc),+]);
                    section.take::<$ty>(&KEY, $check)
                };)+
                section.refuse_unknown(<Self as $crate::config::concern::Concern>::KEYS);
                Some($name { $($key: $key?),+ })
            }
        }
    };
    (@key $key:ident, $ty:ty, $mode:ident, $text:literal, $env:literal, [$($kdoc:literal),+]) => {
        $crate::config::concern::Key {
            name: stringify!($key),
            docs: &[$($kdoc),+],
            env: $env,
            fallback: $crate::config::concern::concern!(@$mode $text),
            toml: <$ty as $crate::config::setting::Setting>::toml,
        }
    };
    (@default $text:literal) => { $crate::config::concern::Fallback::Default($text) };
    (@example $text:literal) => { $crate::config::concern::Fallback::Example($text) };
    (@required $text:literal) => { $crate::config::concern::Fallback::Required($text) };
}
pub(crate) use concern;
