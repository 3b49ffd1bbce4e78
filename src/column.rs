//! How an enum or an id becomes a Text column on any backend, and a text in JSON.
//!
//! Everything stored is one of Text, BigInt, Integer, SmallInt, Bool, Binary, so that both databases sort and compare
//! alike. A type that can lend its text (`as_str`) and be read back (`FromStr`) is a column by one line.

/// Makes `$t` a Text column on every diesel backend: it must have `fn as_str(&self) -> &str` and `FromStr`.
#[macro_export]
macro_rules! text_column {
    ($t:ty) => {
        impl<DB> ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB> for $t
        where
            DB: ::diesel::backend::Backend,
            str: ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut ::diesel::serialize::Output<'b, '_, DB>) -> ::diesel::serialize::Result {
                <str as ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB>>::to_sql(self.as_str(), out)
            }
        }

        impl<DB> ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB> for $t
        where
            DB: ::diesel::backend::Backend,
            String: ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> ::diesel::deserialize::Result<Self> {
                let text = <String as ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB>>::from_sql(bytes)?;
                Ok(text.parse::<$t>()?)
            }
        }
    };
}

/// A closed set of words: one enum, its text in JSON, in a Text column, in a log and in the OpenAPI document, there under
/// its own name or, where two rooms use one word, `as "AnotherName"`.
///
/// ```
/// postern::text_enum! {
///     /// How a message travels.
///     pub enum Way { Sms = "sms", Email = "email" }
/// }
/// assert_eq!(Way::Sms.as_str(), "sms");
/// assert_eq!("email".parse::<Way>().unwrap(), Way::Email);
/// ```
#[macro_export]
macro_rules! text_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($members:tt)+ }) => {
        $crate::text_enum! { @named (stringify!($name)) $(#[$meta])* pub enum $name { $($members)+ } }
    };
    ($(#[$meta:meta])* pub enum $name:ident as $shown:literal { $($members:tt)+ }) => {
        $crate::text_enum! { @named ($shown) $(#[$meta])* pub enum $name { $($members)+ } }
    };
    (@named ($shown:expr) $(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ::serde::Serialize, ::serde::Deserialize,
            ::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = ::diesel::sql_types::Text)]
        pub enum $name { $(#[doc = concat!("`", $text, "`.")] $(#[$vmeta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every member, in the order of the source.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word itself, as stored and as shown.
            pub const fn as_str(&self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::column::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok($name::$variant),)+
                    _ => Err($crate::column::UnknownWord { allowed: &[$($text),+] }),
                }
            }
        }

        impl ::utoipa::PartialSchema for $name {
            fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::schema::Schema> {
                ::utoipa::openapi::ObjectBuilder::new()
                    .schema_type(::utoipa::openapi::schema::Type::String)
                    .enum_values(Some([$($text),+]))
                    .build()
                    .into()
            }
        }

        impl ::utoipa::ToSchema for $name {
            fn name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed($shown)
            }
        }

        $crate::text_column!($name);
    };
}

/// A text that is none of the words of a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {}", allowed.join(", "))]
pub struct UnknownWord {
    /// The words that would have been right.
    pub allowed: &'static [&'static str],
}
